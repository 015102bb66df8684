package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/deb/control"
)

func TestRelations(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", " \n ", ""},
		{"a name", "libc6", "libc6"},
		{"versions", "a (<< 1), b (<= 1), c (= 1), d (>= 1:2~3), e (>> 1)", "a (<< 1), b (<= 1), c (= 1), d (>= 1:2~3), e (>> 1)"},
		{"old operators", "a (< 1), b (> 1)", "a (<= 1), b (>= 1)"},
		{"no operator", "a (1)", "a (= 1)"},
		{"no spaces", "a(>=1)|b,c", "a (>= 1) | b, c"},
		{"space and lines", "a\n (  >=\t1 )  |\n b ,\n c\n", "a (>= 1) | b, c"},
		{"qualifiers", "python3:any (>= 3.5~), libfoo:i386, gcc:native", "python3:any (>= 3.5~), libfoo:i386, gcc:native"},
		{"empty parts", "a,, b,", "a, b"},
		{"architectures", "a [amd64], b [i386 arm64], c [!amd64], d [!i386 !arm64], e [linux-any], f [any-i386], g [hurd-any]", "a, d, e"},
		{"an alternative of other architectures", "a [i386] | b [amd64], c [i386] | d [arm64]", "b"},
		{"profiles", "a <!nocheck>, b <cross>, c <!stage1 cross>, d <cross> <!nocheck>, e:any (>= 1) [amd64] <!nodoc>", "a, d, e:any (>= 1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parsed, err := control.ParseRelations(test.text, "amd64")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, join(parsed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBadRelations(t *testing.T) {
	for text, want := range map[string]string{
		"a, (>= 1)":     `bad relation "(>= 1)": no name of a package`,
		"a | , b":       `bad relation "a |": no name of a package`,
		"a: (>= 1)":     `bad relation "a: (>= 1)": no architecture after the colon`,
		"a (>= 1":       `bad relation "a (>= 1": no closing parenthesis`,
		"a (=> 1)":      `bad relation "a (=> 1)": operator "=>" is none of <<, <=, =, >=, >>`,
		"a (>= )":       `bad relation "a (>= )": "" is no version`,
		"a (>= 1 2)":    `bad relation "a (>= 1 2)": "1 2" is no version`,
		"a [amd64":      `bad relation "a [amd64": no closing bracket`,
		"a <!nocheck":   `bad relation "a <!nocheck": no closing angle bracket`,
		"a b":           `bad relation "a b": "b" is out of place`,
		"a (>= 1) (<2)": `bad relation "a (>= 1) (<2)": "(<2)" is out of place`,
	} {
		_, err := control.ParseRelations(text, "amd64")
		if err == nil {
			t.Errorf("%q is taken", text)
		} else if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAllows(t *testing.T) {
	for text, want := range map[string]string{
		"a":        "1 2 3",
		"a (<< 2)": "1",
		"a (<= 2)": "1 2",
		"a (= 2)":  "2",
		"a (>= 2)": "2 3",
		"a (>> 2)": "3",
	} {
		parsed, err := control.ParseRelations(text, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		var allowed []string
		for _, version := range []string{"1", "2", "3"} {
			if parsed[0][0].Allows(version) {
				allowed = append(allowed, version)
			}
		}
		if diff := cmp.Diff(want, strings.Join(allowed, " ")); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// What is read is written back the same.
func FuzzParseRelations(f *testing.F) {
	f.Add("libc6 (>= 2.36), a:any | b [amd64 !i386] <!nocheck> <cross>, c (<< 1:2~3-4)")
	f.Add("a, (, b |, c (=> 1), d (1")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := control.ParseRelations(text, "amd64")
		if err != nil {
			return
		}
		again, err := control.ParseRelations(join(parsed), "amd64")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed, again); diff != "" {
			t.Error(diff)
		}
	})
}

func join(all []control.Alternatives) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}
