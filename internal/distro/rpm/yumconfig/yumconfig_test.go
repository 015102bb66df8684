package yumconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// root returns a directory with files.
func root(t *testing.T, files map[string]string) string {
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
	return dir
}

func TestReadHost(t *testing.T) {
	dir := root(t, map[string]string{
		"etc/dnf/dnf.conf":     "[main]\ngpgcheck=1\nexcludepkgs=bad*\n",
		"etc/dnf/vars/content": "pub/rocky\n",
		"etc/os-release":       "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\n",
		"etc/yum.repos.d/a.repo": `
# a comment
[baseos]
name=Rocky $releasever
baseurl = https://mirror.example.org/$content/$releasever/BaseOS/$basearch/os
    https://other.example.org/${content}/$releasever/BaseOS/$basearch/os/
gpgkey=file:///etc/pki/key
  https://example.org/key
priority=10
excludepkgs=a,b c
[off]
enabled=0
baseurl=https://example.org/$nothing
`,
		"etc/yum.repos.d/b.repo":  "[b]\nmetalink=https://example.org/metalink?repo=b&arch=$arch\ngpgcheck=0\nrepo_gpgcheck=1\nmodule_hotfixes=true\ncost=5\nincludepkgs=x\nskip_if_unavailable=True",
		"etc/yum.repos.d/c.repo_": "no section",
	})
	got, err := ReadHost(dir, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	want := []Repository{
		{
			ID: "baseos", BaseURLs: []string{
				"https://mirror.example.org/pub/rocky/9/BaseOS/x86_64/os/",
				"https://other.example.org/pub/rocky/9/BaseOS/x86_64/os/",
			},
			Keys: []string{filepath.Join(dir, "etc/pki/key"), "https://example.org/key"}, GPGCheck: true, Priority: 10, Cost: 1000,
			Exclude: []string{"a", "b", "c", "bad*"}, Where: "a.repo: baseos",
		},
		{
			ID: "b", Metalink: "https://example.org/metalink?repo=b&arch=x86_64", RepoGPGCheck: true, Priority: 99, Cost: 5,
			Exclude: []string{"bad*"}, Include: []string{"x"}, ModuleHotfixes: true, Optional: true, Where: "b.repo: b",
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A disabled repository with the debug information of an enabled one is known
// for what it is, also where it stands in another file.
func TestDebugRepositories(t *testing.T) {
	dir := root(t, map[string]string{
		"etc/yum.repos.d/a.repo": "[base]\nbaseurl=https://example.org/a\n[extra]\nbaseurl=https://example.org/e\nenabled=0\n" +
			"[extra-debuginfo]\nbaseurl=https://example.org/ed\nenabled=0\n",
		"etc/yum.repos.d/b.repo": "[base-debuginfo]\nbaseurl=https://example.org/d\nenabled=0\n[base-debug]\nbaseurl=https://example.org/$nothing\nenabled=0\n" +
			"[x-rpms]\nbaseurl=https://example.org/x\n[x-debug-rpms]\nbaseurl=https://example.org/xd\nenabled=0\n" +
			"[own-debuginfo]\nbaseurl=https://example.org/o\n",
	})
	all, err := ReadHost(dir, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range all {
		text := r.ID
		if r.Debug {
			text += " debug"
		}
		if r.Debug != r.Optional {
			t.Errorf("%s: Debug %v, Optional %v", r.ID, r.Debug, r.Optional)
		}
		if r.Invalid != nil {
			text += " invalid"
		}
		got = append(got, text)
	}
	want := []string{"base", "x-rpms", "own-debuginfo", "base-debuginfo debug", "base-debug debug invalid", "x-debug-rpms debug"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a=b":                                "before any section",
		"[a":                                 "no end",
		"[a]\nb":                             "not an option",
		"[a]\nbaseurl=x\ngpgcheck=perhaps":   "perhaps",
		"[a]\nbaseurl=x\npriority=high":      "not a number",
		"[a]\nbaseurl=https://x/$releasever": "unknown variable $releasever",
		"[a]\nname=a":                        "no baseurl",
	} {
		sections, err := ParseINI(text)
		if err == nil {
			_, err = Repositories(sections, nil, For("x86_64", ""), "x.repo")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseINI(f *testing.F) {
	f.Add("[main]\na=b\n c\n#d\n[e]\nbaseurl=$arch\n")
	f.Fuzz(func(_ *testing.T, text string) {
		sections, err := ParseINI(text)
		if err == nil {
			_, _ = Repositories(sections, nil, For("x86_64", "9"), "x")
		}
	})
}
