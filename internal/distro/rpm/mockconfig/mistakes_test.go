package mockconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is said of configurations of mock that cannot be read.
func TestMistakes(t *testing.T) {
	const head = "config_opts['target_arch'] = 'x86_64'\n"
	for text, want := range map[string]string{
		"":                                     "a.cfg: it says no target_arch: write one, config_opts['target_arch'] = 'x86_64'",
		head:                                   "a.cfg: it has neither dnf.conf nor yum.conf, which the repositories stand in",
		head + "config_opts['dnf.conf'] = 7\n": "a.cfg: it has neither dnf.conf nor yum.conf, which the repositories stand in",
		head + "config_opts['dnf.conf'] = '[main]'\n":                       "a.cfg: dnf.conf has no repository",
		head + "config_opts['dnf.conf'] = '''[a'''\n":                       "a.cfg: dnf.conf: line 1: a section's name has no end",
		head + "config_opts['dnf.conf'] = '''{% for x in y %}'''\n":         "a.cfg: dnf.conf: {% for x in y %} cannot be read: of Jinja, smith knows variables, if, elif, else and set",
		head + "config_opts['dnf.conf'] = '''{% if x %}'''\n":               "a.cfg: dnf.conf: {% if %} has no {% endif %}",
		head + "config_opts['dnf.conf'] = '''{{ x | upper }}'''\n":          "a.cfg: dnf.conf: {{ x | upper }} cannot be read: of Jinja, smith knows variables, if, elif, else and set",
		head + "config_opts['dnf.conf'] = '''{{ x '''\n":                    "a.cfg: dnf.conf: \"{{ x \" has no end",
		"config_opts['target_arch'] = compute()\n":                          "a.cfg:1: \"config_opts['target_arch'] = compute()\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"config_opts['x'] = 'no end\n":                                      "a.cfg: it says no target_arch: write one, config_opts['target_arch'] = 'x86_64'",
		"config_opts['x'] = [1, 2 3]\n":                                     "a.cfg: it says no target_arch: write one, config_opts['target_arch'] = 'x86_64'",
		"config_opts['x'] = \n":                                             "a.cfg: it says no target_arch: write one, config_opts['target_arch'] = 'x86_64'",
		"config_opts[7 = 'x'\n":                                             "a.cfg:1: \"config_opts[7 = 'x'\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"config_opts['x' = 'x'\n":                                           "a.cfg:1: \"config_opts['x' = 'x'\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"import os\n":                                                       "a.cfg:1: \"import os\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"'''no end":                                                         "a.cfg:1: \"'''no end\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"include('a' 7)":                                                    "a.cfg:1: \"include('a' 7)\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"include(":                                                          "a.cfg:1: \"include(\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"config_opts['root'] = " + strings.Repeat("[", maxNesting+2) + "\n": "a.cfg:1: \"config_opts['root'] = " + strings.Repeat("[", 52) + "\" cannot be read without running Python, which smith does not do: write the configuration with plain values, or name its repositories in smith.yaml",
		"config_opts['root'] = ['a']\n" + head:                              "a.cfg: root is no text",
		head + "config_opts['v'] = uname()\nconfig_opts['dnf.conf'] = '''{{ v }}'''\n":                                                                   "a.cfg: dnf.conf: {{ v }}: a.cfg:2 sets it to what cannot be read without running Python",
		head + "config_opts['v'] = '{{ w }}'\nconfig_opts['w'] = '{{ v }}'\nconfig_opts['dnf.conf'] = '''{{ v }}'''\n":                                   "a.cfg: dnf.conf: templates that mean each other",
		head + "config_opts['v'] = '" + strings.Repeat("x", maxRendered/2) + "'\nconfig_opts['dnf.conf'] = '''" + strings.Repeat("{{ v }}", 3) + "'''\n": "a.cfg: dnf.conf: a template of more than 4194304 bytes",
	} {
		file := filepath.Join(t.TempDir(), "a.cfg")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Read(file)
		if err == nil || strings.ReplaceAll(err.Error(), filepath.Dir(file)+"/", "") != want {
			t.Errorf("%.200q: got %v, want %s", text, err, want)
		}
	}
}
