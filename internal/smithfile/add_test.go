package smithfile

import (
	"slices"
	"testing"

	"smith/internal/golden"
)

func TestAdd(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct{ name, text string }{
		{"a single package", "package: nginx # the server\n"},
		{"a quoted package", "package: \"nginx\"\nuser: app\n"},
		{"a list in brackets", "# top\npackages: [nginx, 'curl']\npaths: [ /usr/bin/x ] # all\n"},
		{"a list over lines", "packages: [nginx,\n  curl # one\n  ]\n"},
		{"a list of lines", "packages:\n- nginx\n- curl # two\n\nuser: app\n"},
		{"an indented list", "packages:\n    - nginx\nuser: app"},
		{"an empty list", "packages: []\nuser: app\n"},
		{"an empty key", "packages:\nuser: app\n"},
		{"no such key", "user: app\n\n\n"},
		{"already there", "packages: [sed, nginx]\n"},
	} {
		out, err := Add("smith.yaml", []byte(c.text), []Addition{{"packages", "sed", "smith run: /bin/sh runs sed\n"}, {"paths", `/usr/bin/\[`, "why"}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		texts.Add(c.name, string(out))
		again, err := Add("smith.yaml", out, []Addition{{"packages", "sed", "again"}})
		if err != nil || string(again) != string(out) {
			t.Errorf("%s: adding it a second time: %v\n%s", c.name, err, again)
		}
	}
	for _, c := range []struct{ name, text string }{
		{"JSON", `{"package": "nginx"}`},
		{"a block scalar", "packages:\n  - |\n    nginx\n"},
		{"an alias", "env: &a [A=b]\npackages: *a\n"},
	} {
		_, err := Add("smith.yaml", []byte(c.text), []Addition{{"packages", "sed", "why"}})
		texts.Error(c.name, err)
	}
}

// What Add writes is a smith.yaml with the element.
func FuzzAdd(f *testing.F) {
	f.Add([]byte("package: nginx\n"), "sed")
	f.Add([]byte("packages: [a,\n b]\n"), "a b")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		out, err := Add("smith.yaml", data, []Addition{{"packages", value, value}})
		if err != nil {
			return
		}
		s, err := Decode("smith.yaml", out)
		if err != nil || !slices.Contains(s.Packages, value) {
			t.Errorf("%q became %q: %v", data, out, err)
		}
	})
}
