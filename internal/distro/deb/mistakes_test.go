package deb

import (
	"path/filepath"
	"testing"

	"smith/internal/distro"
)

// What is said of repositories in specs that cannot be used.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	o := Options{Options: distro.Options{Dir: dir, Root: dir, Events: &heard{}}}
	full := Repository{Mirrors: []string{"http://example.org/debian"}, Suites: []string{"stable"}, Components: []string{"main"}, Where: "smith.yaml:2"}
	repository := func(change func(*Repository)) error {
		r := full
		change(&r)
		_, err := r.sources(o.Options, nil)
		return err
	}
	needs := "smith.yaml:2: repository: it needs an address and suites: {deb: http://mirror.example.org/debian, suites: [stable], components: [main]}"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{repository(func(r *Repository) { r.Mirrors = nil }), needs},
		{repository(func(r *Repository) { r.Suites = nil }), needs},
		{repository(func(r *Repository) { r.Mirrors = []string{"example.org"} }), "smith.yaml:2: repository: not an address such as http://mirror.example.org/debian"},
		{repository(func(*Repository) {}), "smith.yaml:2: repository: it names no keys, and this machine has no apt that trusts any: name a file of keys with signed-by"},
		{repository(func(r *Repository) { r.Keys = []string{"./a.asc"} }), "smith.yaml:2: repository: signed-by: cannot read the keys in " + filepath.Join(dir, "a.asc") + ": file does not exist"},
		{repository(func(r *Repository) { r.Trusted, r.Components = true, nil }), "smith.yaml:2: repository: suite stable needs components, such as components: [main]; a folder without any ends in /"},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}
