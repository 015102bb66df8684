package apt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smith/internal/distro/deb/control"
)

// What is said of apt's configuration that cannot be used.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"deb\n": "sources.list:1: \"deb\" is not TYPE [OPTIONS] URI SUITE COMPONENT…",
		"deb [arch] http://example.org stable main\n":     "sources.list:1: option \"arch\" has no value",
		"deb http://example.org\n":                        "sources.list:1: \"deb http://example.org\" is not TYPE [OPTIONS] URI SUITE COMPONENT…",
		"deb http://user:secret@example.org\n":            "sources.list:1: \"deb http://…@example.org\" is not TYPE [OPTIONS] URI SUITE COMPONENT…",
		"deb [x//u:s@h] http://example.org stable main\n": "sources.list:1: option \"x//…@h\" has no value",
		"deb http://example.org stable\n":                 "sources.list:1: suite \"stable\": a suite has components; a directory, which ends in /, has none",
	} {
		entries, err := parseLines("sources.list", text)
		for _, e := range entries {
			if err == nil {
				_, err = e.sources(Conf{}, "amd64")
			}
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"nginx=": "\"nginx=\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "nginx/": "\"nginx/\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", ":amd64": "\":amd64\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "a b": "\"a b\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "nginx:": "\"nginx:\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE"} {
		if _, err := ParseRequest(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "the release is empty", "Date: yesterday\n": "the release's Date: \"yesterday\" is not a date", "Date: Mon, 02 Jan 2006 15:04:05 UTC\n": "the release names no file with a digest of SHA-256 or SHA-512",
		"Date: Mon, 02 Jan 2006 15:04:05 UTC\nSHA256:\n x y\n":     "the release's SHA256: \"x y\" is not of the form DIGEST SIZE NAME",
		"Date: Mon, 02 Jan 2006 15:04:05 UTC\nValid-Until: soon\n": "the release's Valid-Until: \"soon\" is not a date",
	} {
		if _, err := readRelease([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for address, want := range map[string]string{
		"mirror.example.org/debian": "not an address such as http://mirror.example.org/debian",
		"http://[":                  "not an address such as http://mirror.example.org/debian",
		"cdrom:x":                   "cdrom: addresses are known: http, https and file are",
	} {
		if _, _, _, err := Address(address); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", address, err, want)
		}
	}
	if _, err := parseMirrors("# none\n"); err == nil || err.Error() != "the list of mirrors names none" {
		t.Error(err)
	}
	if _, err := readRelease([]byte("no field")); err == nil || err.Error() != `cannot read the release: line 1: "no field" is no field: want NAME: VALUE` {
		t.Error(err)
	}
}

// What is said of files on this machine that cannot be read.
func TestMistakesOnThisMachine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.gpg")
	if _, err := ReadKeys(file); err == nil || err.Error() != "cannot read the keys in "+file+": file does not exist" {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte("no keys"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeys(file); err == nil || err.Error() != file+": cannot read OpenPGP keys: there is none in it" {
		t.Error(err)
	}
	if _, err := HostPreferences(file, filepath.Dir(file), "x="); err == nil || err.Error() != `default release "x=": "x=" is not a property of a release: want one of v, o, a, n, l, c, b, and a value` {
		t.Error(err)
	}
	if _, err := HostPreferences(file, "a\x00b", ""); err == nil || err.Error() != "cannot read the preferences of apt: open a\x00b: invalid argument" {
		t.Error(err)
	}
	if _, err := HostPreferences("a\x00b", file, ""); err == nil || err.Error() != "cannot read the preferences of apt: open a\x00b: invalid argument" {
		t.Error(err)
	}
}

// What is said of packages whose files an index does not tell in full.
func TestMistakesInIndexes(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	x := &Index{Source: &Source{Mirrors: []string{"http://example.org/"}, Suite: "stable"}}
	for text, want := range map[string]string{
		"":                               "a 1: the index of http://example.org/ stable gives no size",
		"Size: 1\n":                      "a 1: the index of http://example.org/ stable gives no SHA-256",
		"Size: 1\nSHA256: 12\n":          "a 1: the index of http://example.org/ stable gives no SHA-256",
		"Size: 1\nSHA256: " + sum + "\n": `a 1: the index of http://example.org/ stable says that its file is ""`,
		"Size: 1\nSHA256: " + sum + "\nFilename: ../../etc/x.deb\n": `a 1: the index of http://example.org/ stable says that its file is "../../etc/x.deb"`,
	} {
		p, err := control.NewReader(strings.NewReader("Package: a\nVersion: 1\n" + text)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.File(p); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
