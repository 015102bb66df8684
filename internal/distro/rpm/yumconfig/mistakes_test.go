package yumconfig

import (
	"strings"
	"testing"
)

// What is said of configurations that cannot be read.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("#", maxConfig+1): "a configuration of more than 4194304 bytes",
		"[a\n":                           "line 1: a section's name has no end",
		"x=1\n":                          "line 1: \"x=1\" comes before any section",
		"[a]\nwhat\n":                    "line 2: \"what\" is not an option",
		"[a]\nname=x\n":                  "a.repo: line 1: repository a: it has no baseurl, mirrorlist or metalink",
		"[a]\nbaseurl=http://example.org/$releasever/\n":       "a.repo: line 1: repository a: unknown variable $releasever; known are arch, basearch",
		"[a]\nbaseurl=http://example.org/\ngpgcheck=perhaps\n": "a.repo: line 1: repository a: gpgcheck: \"perhaps\" is neither 1 nor 0",
		"[a]\nbaseurl=http://example.org/\npriority=first\n":   "a.repo: line 1: repository a: priority: \"first\" is not a number",
	} {
		sections, err := ParseINI(text)
		if err == nil {
			_, err = Repositories(sections, nil, For("x86_64", ""), "a.repo")
		}
		if err == nil || err.Error() != want {
			t.Errorf("%.200q: got %v, want %s", text, err, want)
		}
	}
}
