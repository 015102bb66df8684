package apt

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/cache/store/storetest"
)

const packagesFile = `Package: a
Version: 1.0
Architecture: amd64
Description: not kept
 at all
Provides: virtual (= 2), virtual (= 3), other

Package: b
Version: 1:2
Architecture: all
Depends: a (>= 1),
 virtual

Package: a
Version: 2.0
Architecture: amd64
Provides: a
`

func writeTestIndex(t testing.TB, text string) (*Index, error) {
	t.Helper()
	st := storetest.New(t)
	written, err := writeIndex(context.Background(), st, "k", strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	x := &Index{table: written}
	t.Cleanup(func() { x.Close() })
	x.Source = &Source{Mirrors: []string{"http://example.org/"}, Suite: "stable"}
	return x, nil
}

func TestIndex(t *testing.T) {
	x, err := writeTestIndex(t, packagesFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, slices.Collect(x.Names())); d != "" {
		t.Error(d)
	}
	for name, want := range map[string][2][]int{
		"a": {{0, 2}, {2}}, "b": {{1}, nil}, "virtual": {nil, {0}}, "other": {nil, {0}}, "c": {}, "": {},
	} {
		named, err := x.Named(name)
		providers, other := x.Providers(name)
		if err != nil || other != nil {
			t.Fatal(err, other)
		}
		if d := cmp.Diff(want, [2][]int{named, providers}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	var all strings.Builder
	for i := range x.Len() {
		p, err := x.Paragraph(i)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(p.String() + "\n")
	}
	want := strings.Replace(packagesFile, "Description: not kept\n at all\n", "", 1) + "\n"
	if d := cmp.Diff(want, all.String()); d != "" {
		t.Error(d)
	}
}

func TestBadIndex(t *testing.T) {
	for text, want := range map[string]string{
		"Package: a\nVersion: 1\n":                                     `package 1, "a": it has no name, version or architecture`,
		"Package: a\nVersion: 1\nArchitecture: all\nProvides: (= 1)\n": `package 1, "a": `,
		"no field": "line 1: ",
	} {
		if _, err := writeTestIndex(t, text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A repository is called as it calls itself, else by where it lies.
func TestRepositoryName(t *testing.T) {
	for want, x := range map[string]*Index{
		"Debian bookworm main":          {Release: &Release{Origin: "Debian", Label: "x", Suite: "stable", Codename: "bookworm"}, Component: "main"},
		"Ours stable":                   {Release: &Release{Label: "Ours", Suite: "stable"}},
		"mirror.example.org testing ci": {Release: &Release{}, Component: "ci"},
	} {
		x.Source = &Source{Mirrors: []string{"https://mirror.example.org/debian/"}, Suite: "testing"}
		if got := x.Repository(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
