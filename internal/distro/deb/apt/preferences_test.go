package apt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smith/internal/distro/deb/control"
)

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, yes, no string
	}{
		{"stable", "stable Stable", "stable2 unstable"},
		{"1.*", "1. 1.2/3", "1 11.2"},
		{"a?c", "abc", "ac abbc"},
		{"[a-c]x", "ax CX", "dx [a-c]x"},
		{"[!a-c]x", "dx", "ax"},
		{"a[", "a[", "a"},
		{"a.b+c", "a.b+c", "axb+c"},
		{"/^a[0-9]+$/", "a1 A22", "ba1"},
		{"", "", "a"},
	} {
		p, err := newPattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for word := range strings.FieldsSeq(test.yes) {
			if !p.MatchString(word) {
				t.Errorf("%s does not match %s", test.pattern, word)
			}
		}
		for word := range strings.FieldsSeq(test.no) {
			if p.MatchString(word) {
				t.Errorf("%s matches %s", test.pattern, word)
			}
		}
	}
}

func TestPriorities(t *testing.T) {
	release := &Release{Suite: "stable", Codename: "bookworm", Origin: "Debian", Label: "Debian-Security", Version: "12.5"}
	offer := &Offer{Release: release, Component: "main", Site: "deb.example.org"}
	one := &Version{
		Name: "libabc1", Version: "1:2.3-4", Architecture: "amd64", Offers: []*Offer{offer},
		Paragraph: control.Paragraph{{Name: "Source", Value: "abc (1)"}},
	}
	for _, test := range []struct {
		preferences string
		want        int
	}{
		{"", 500},
		{"Package: *\nPin: release a=stable\nPin-Priority: 900", 900},
		{"Package: *\nPin: release stable\nPin-Priority: 900", 900},
		{"Package: *\nPin: release bookworm\nPin-Priority: 900", 900},
		{"Package: *\nPin: release 12*\nPin-Priority: 900", 900},
		{"Package: *\nPin: release n=bookworm, o=Debian, l=Debian-*, c=main, b=amd64, v=12.5\nPin-Priority: 900", 900},
		{"Package: *\nPin: release n=bookworm, c=contrib\nPin-Priority: 900", 500},
		{"Package: *\nPin: origin deb.example.org\nPin-Priority: 900", 900},
		{"Package: *\nPin: origin \"deb.example.org\"\nPin-Priority: 900", 900},
		{"Package: *\nPin: origin \"\"\nPin-Priority: 900", 500},
		{"Package: *\nPin: release *\nPin-Priority: 1\n\nPackage: *\nPin: release a=stable\nPin-Priority: 900", 1},
		{"Package: *\nPin: release *\nPin-Priority: 1\n\nPackage: *\nPin: release a=stable\nPin-Priority: never", priorityNever},
		{"Package: *\nPin: release *\nPin-Priority: never\n\nPackage: libabc1\nPin: version *\nPin-Priority: 900", priorityNever},
		{"Package: libabc1\nPin: version 1:2.3-4\nPin-Priority: 900", 900},
		{"Package: libabc1\nPin: version 1:2.*\nPin-Priority: 900", 900},
		{"Package: libabc1\nPin: version 1:2\nPin-Priority: 900", 500},
		{"Package: other libabc*\nPin: release *\nPin-Priority: -5", -5},
		{"Package: /^LIB/\nPin: release *\nPin-Priority: 7", 7},
		{"Package: libabc1:any\nPin: release *\nPin-Priority: 7", 7},
		{"Package: libabc1:amd64\nPin: release *\nPin-Priority: 7", 7},
		{"Package: libabc1:i386\nPin: release *\nPin-Priority: 7", 500},
		{"Package: src:abc\nPin: release *\nPin-Priority: 7", 7},
		{"Package: src:libabc1\nPin: release *\nPin-Priority: 7", 500},
		{"Package: abc libabc1\nPin: release *\nPin-Priority: 1\n\nPackage: libabc1\nPin: release *\nPin-Priority: 2", 1},
		{"Explanation: why\nPackage: libabc1\n\n# nothing\n\nPackage: libabc1\nPin: release *\nPin-Priority: 2", 2},
	} {
		p := &Preferences{}
		if err := p.Read(strings.NewReader(test.preferences)); err != nil {
			t.Errorf("%s: %v", test.preferences, err)
		} else if got := p.priority(one, "amd64"); got != test.want {
			t.Errorf("%s\ngives %d, want %d", test.preferences, got, test.want)
		}
	}
}

func TestBadPreferences(t *testing.T) {
	for text, want := range map[string]string{
		"Pin: release *\nPin-Priority: 1":                     `pin "release *" names no package`,
		"Package: a\nPin: suite x\nPin-Priority: 1":           `package a: pin "suite x" is none of version, origin and release`,
		"Package: a\nPin: release *":                          `package a: priority "" is not a number from -32767 to 32767 other than 0`,
		"Package: a\nPin: release *\nPin-Priority: 0":         `package a: priority "0" is not a number from -32767 to 32767 other than 0`,
		"Package: a\nPin: release *\nPin-Priority: never":     `package a: priority "never" is not a number from -32767 to 32767 other than 0`,
		"Package: a\nPin: release x=1\nPin-Priority: 1":       `package a: "x=1" is not a property of a release: want one of v, o, a, n, l, c, b, and a value`,
		"Package: *\nPin: version 1\nPin-Priority: 1":         "package *: a pin of all packages cannot name a version",
		"Package: /(/\nPin: version 1\nPin-Priority: 1":       "package /(/: error parsing regexp: missing closing ): `(?i)(`",
		"Package: a\nPin: version /[/\nPin-Priority: 1":       "package a: error parsing regexp: missing closing ]: `[`",
		"Package: a b /*/\nPin: version 1\nPin-Priority: 1\n": "package /*/: error parsing regexp: missing argument to repetition operator: `*`",
		"Package a\n": `line 1: "Package a" is no field: want NAME: VALUE`,
	} {
		if err := (&Preferences{}).Read(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%s\ngives %v", text, err)
		}
	}
}

// The files of a machine are read in apt's order, and only those that it reads.
func TestHostPreferences(t *testing.T) {
	dir := t.TempDir()
	write := func(name, version string, priority string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		text := "Package: a\nPin: version " + version + "\nPin-Priority: " + priority + "\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("preferences", "1", "11")
	write("preferences.d/10one", "1", "12")
	write("preferences.d/20two.pref", "2", "21")
	write("preferences.d/30three", "2", "22")
	write("preferences.d/00no.bak", "2", "99")
	write("preferences.d/.00no", "2", "99")
	read := func(dir, release string) (*Preferences, error) {
		return HostPreferences(filepath.Join(dir, "preferences"), filepath.Join(dir, "preferences.d"), release)
	}
	p, err := read(dir, "testing")
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]int{"1": 11, "2": 21, "3": 990} {
		v := &Version{Name: "a", Version: version, Architecture: "all", Offers: []*Offer{{Release: &Release{Suite: "testing"}}}}
		if got := p.priority(v, "amd64"); got != want {
			t.Errorf("version %s has priority %d, want %d", version, got, want)
		}
	}
	if p, err := read(t.TempDir(), ""); err != nil || len(p.pins) > 0 {
		t.Errorf("got %v, %v", p, err)
	}
	write("preferences.d/40bad", "1", "x")
	if _, err := read(dir, ""); err == nil || !strings.Contains(err.Error(), "40bad: package a: priority") {
		t.Errorf("got %v", err)
	}
}

func FuzzPreferences(f *testing.F) {
	f.Add("Package: a b* /c/ src:d e:any\nPin: release n=bookworm, v=12*\nPin-Priority: 900\n")
	f.Add("Package: *\nPin: origin \"\"\nPin-Priority: never\n\nPackage: [!a-\\]\nPin: version []]\nPin-Priority: -1\n")
	f.Fuzz(func(_ *testing.T, text string) {
		p := &Preferences{}
		if p.Read(strings.NewReader(text)) != nil {
			return
		}
		offers := []*Offer{{Site: "example.org", Release: &Release{Suite: "stable", Version: "12"}}, {}}
		p.priority(&Version{Name: "a", Version: "1", Architecture: "all", Offers: offers}, "amd64")
	})
}

// A version to keep comes before newer ones, of its architecture only, and its
// text is not a pattern.
func TestKeep(t *testing.T) {
	p := &Preferences{}
	p.Keep("libx++1", "1", "amd64")
	p.Keep("a*", "2", "all")
	p.Keep("lib32", "3", "i386")
	for _, tt := range []struct {
		name, version, architecture string
		kept                        bool
	}{
		{"libx++1", "1", "amd64", true},
		{"libx++1", "1", "all", true},
		{"libx++1", "10", "amd64", false},
		{"libx++1", "1", "i386", false},
		{"a*", "2", "amd64", true},
		{"ab", "2", "amd64", false},
		{"lib32", "3", "i386", true},
		{"lib32", "3", "amd64", false},
	} {
		v := &Version{Name: tt.name, Version: tt.version, Architecture: tt.architecture, Offers: []*Offer{{}}}
		if got := p.priority(v, "amd64") == priorityKept; got != tt.kept {
			t.Errorf("%+v: kept %v", tt, got)
		}
	}
}
