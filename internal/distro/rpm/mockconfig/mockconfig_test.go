package mockconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smith/internal/distro/rpm/yumconfig"
)

// write makes files and returns the path of a.cfg.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "a.cfg")
}

func TestRead(t *testing.T) {
	path := write(t, map[string]string{
		"site-defaults.cfg": `# config_opts['x'] = os.environ
config_opts['plugin_conf']['ccache_opts']['dir'] = "%s/u" % (something(),)
config_opts['macros'].update({
    '%_a': 'b',
})
config_opts['environment']['PS1'] = compute(
    'a')
`,
		"a.cfg": `include('templates/base.tpl')
include("templates/{{ dist }}.tpl")

config_opts['root'] = "base-{{ releasever }}-{{ target_arch }}"   # a comment
config_opts["target_arch"] = 'x86_64'
config_opts['legal_host_arches'] = ('x86_64', 'i386',)
`,
		"templates/base.tpl": `'''A comment, too.'''
config_opts['dist'] = 'el' '9'
config_opts['releasever'] = "9"
config_opts['package_manager'] = 'dnf'
config_opts['extra'] = [ 'a',
   'b', ] + ["c"]
config_opts['bootstrap'] = { 'a': True, "b": None, 'c': -1 }
config_opts['name'] = config_opts['dist'] + '-x'

config_opts['dnf.conf'] = """
[main]
gpgcheck=0
user_agent={{ user_agent }}
{% set key = 'file:///keys/' + dist %}

[base]
baseurl=https://mirror.example.org/{{ name }}/$releasever/$basearch/{{ nobody }}
{# gone #}
{% if target_arch in ['x86_64', 'aarch64'] and mirrored %}
gpgcheck=1
gpgkey={{ key }}
{% elif target_arch == 'i386' %}
priority=1
{% else %}
priority=2
{% endif %}
enabled={{ not missing }}

[off]
enabled=0
baseurl=https://example.org/$unknown
"""
`,
		"templates/el9.tpl": `
config_opts['dnf.conf'] += r"""
[more]
mirrorlist=https://mirror.example.org/list?arch={{ repo_arch }}&r={{ releasever_major }}
"""
`,
	})
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Root: "base-9-x86_64", Dist: "el9", Machine: "x86_64", Release: "9",
		Repositories: []yumconfig.Repository{
			{
				ID: "base", BaseURLs: []string{"https://mirror.example.org/el9-x/9/x86_64/"}, Keys: []string{"file:///keys/el9"},
				GPGCheck: true, Priority: 99, Cost: 1000, Where: "a.cfg: base",
			},
			{ID: "more", Mirrorlist: "https://mirror.example.org/list?arch=x86_64&r=9", Priority: 99, Cost: 1000, Where: "a.cfg: more"},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestNamesWhatNeedsPython(t *testing.T) {
	const good = "config_opts['target_arch'] = 'x86_64'\nconfig_opts['dnf.conf'] = '''[a]\nbaseurl=https://example.org/{{ v }}\n'''\n"
	for text, want := range map[string]string{
		"import os\n" + good:                                                "a.cfg:1: \"import os\" cannot be read without running Python",
		good + "\nif True:\n    pass":                                       "a.cfg:6: \"if True:\"",
		good + "config_opts['target_arch'] = uname()":                       "uname()",
		good + "config_opts['dnf.conf'].append('x')":                        "append",
		good + "config_opts['v'] = uname()":                                 "a.cfg:5 sets it to what cannot be read",
		good + "include(name)":                                              "name",
		good + "include('none.tpl')":                                        "none.tpl is neither in",
		"config_opts['target_arch'] = 'x":                                   "cannot be read without running Python",
		"config_opts['dnf.conf'] = ''":                                      "no target_arch",
		"config_opts['target_arch'] = 'x'":                                  "neither dnf.conf nor yum.conf",
		strings.Replace(good, "{{ v }}", "{% for a in b %}{% endfor %}", 1): "for a in b",
		strings.Replace(good, "{{ v }}", "{% if a %}", 1):                   "no {% endif %}",
		strings.Replace(good, "{{ v }}", "{{ f('x') }}", 1):                 "of Jinja, smith knows",
		strings.Replace(good, "{{ v }}", "{{ v", 1):                         "no end",
		good + "include('a.cfg')":                                           "include each other",
		good + "config_opts['v'] = '{{ w }}'\nconfig_opts['w'] = '{{ v }}'": "mean each other",
	} {
		_, err := Read(write(t, map[string]string{"a.cfg": text}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("config_opts['target_arch'] = 'x' + \"y\"\nconfig_opts['dnf.conf'] = '''{% if a == 'b' %}[a]{% else %}{{ c }}{% endif %}'''\nconfig_opts['p']['q'] += [1, (2,), {'a': None}]")
	path := write(f, nil)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			return // of files outside of the test's folder
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = Read(path)
	})
}

// What current configurations of Fedora and Oracle Linux hold: a comparison in
// Python, a macro, loops, filters, and white space that tags strip.
func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{% if mirrored %}yes{% else %}no{% endif %}":                             "yes",
		"{{ not mirrored }}":                                                      "False",
		"{% for v in range(3, 6) %}[{{ v }}]{% endfor %}":                         "[3][4][5]",
		"{% for v in [releasever|int, releasever|int - 1] %}{{ v }} {% endfor %}": "45 44 ",
		"{%- macro keys(a) -%}\n{{ a }}-primary\n{%- for v in [1, 2]\n%} k{{ v }}\n{%- endfor %}\n{%- endmacro %}<{{ keys('x') }}>": "<x-primary k1 k2>",
		"{% if releasever|int >= 40 and target_arch in ['x86_64', 'i686'] %}a{% elif x %}b{% endif %}":                              "a",
		"{% set n = 'v' ~ releasever %}{{ n }}":              "v45",
		"{{ nothing|default('d') }}{{ 'A'|lower }}":          "da",
		"{% if nothing is defined %}a{% else %}b{% endif %}": "b",
		"{{ releasever|replace('4', '5') }} {# note #}{":     "55 {",
	} {
		file := filepath.Join(t.TempDir(), "a.cfg")
		config := "config_opts['target_arch'] = 'x86_64'\nconfig_opts['releasever'] = '45'\n" +
			"config_opts['mirrored'] = config_opts['target_arch'] != 'i686'\n" +
			"config_opts['dist'] = \"\"\"" + text + "\"\"\"\nconfig_opts['dnf.conf'] = '[a]\\nbaseurl=https://example.org/'\n"
		if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := Read(file)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if c.Dist != want {
			t.Errorf("%s: %q, want %q", text, c.Dist, want)
		}
	}
}
