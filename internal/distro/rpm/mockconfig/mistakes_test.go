package mockconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smith/internal/golden"
)

// What is said of configurations of mock that cannot be read.
func TestMistakes(t *testing.T) {
	const head = "config_opts['target_arch'] = 'x86_64'\n"
	texts := golden.New(t)
	for i, text := range []string{
		"",
		head,
		head + "config_opts['dnf.conf'] = 7\n",
		head + "config_opts['dnf.conf'] = '[main]'\n",
		head + "config_opts['dnf.conf'] = '''[a'''\n",
		head + "config_opts['dnf.conf'] = '''{% for x in y %}'''\n",
		head + "config_opts['dnf.conf'] = '''{% if x %}'''\n",
		head + "config_opts['dnf.conf'] = '''{{ x | upper }}'''\n",
		head + "config_opts['dnf.conf'] = '''{{ x '''\n",
		"config_opts['target_arch'] = compute()\n",
		"config_opts['x'] = 'no end\n",
		"config_opts['x'] = [1, 2 3]\n",
		"config_opts['x'] = \n",
		"config_opts[7 = 'x'\n",
		"config_opts['x' = 'x'\n",
		"import os\n",
		"'''no end",
		"include('a' 7)",
		"include(",
		"config_opts['root'] = " + strings.Repeat("[", maxNesting+2) + "\n",
		"config_opts['root'] = ['a']\n" + head,
		head + "config_opts['v'] = uname()\nconfig_opts['dnf.conf'] = '''{{ v }}'''\n",
		head + "config_opts['v'] = '{{ w }}'\nconfig_opts['w'] = '{{ v }}'\nconfig_opts['dnf.conf'] = '''{{ v }}'''\n",
		head + "config_opts['v'] = '" + strings.Repeat("x", maxRendered/2) + "'\nconfig_opts['dnf.conf'] = '''" + strings.Repeat("{{ v }}", 3) + "'''\n",
		head + "config_opts['dnf.conf'] = '''{{ x | md5 }}'''\n",
		head + "config_opts['dnf.conf'] = '''{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}'''\n",
		head + "config_opts['dnf.conf'] = '''{% for i in range(0, 10000000) %}{% endfor %}'''\n",
		head + "config_opts['dnf.conf'] = '''" + strings.Repeat("{% if x %}", 100_000) + "'''\n",
		head + "config_opts['dnf.conf'] = '''{{ " + strings.Repeat("(", 100_000) + " }}'''\n",
		head + "config_opts['dnf.conf'] = '''{% import x %}'''\n",
	} {
		file := filepath.Join(t.TempDir(), "a.cfg")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Read(file)
		if err == nil {
			t.Errorf("%.200q: no error", text)
			continue
		}
		texts.Add(fmt.Sprintf("%02d %.100q", i, text), strings.ReplaceAll(err.Error(), filepath.Dir(file)+"/", ""))
	}
}
