package repodata

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"smith/internal/cache/store/storetest"
	"smith/test/fixture"
)

// TestChoosesAsDnfInADistribution compares answers, package for package, on
// packages that rpmbuild made of real programs: with the relations that it
// found in them, and those that Debian's maintainers wrote.
func TestChoosesAsDnfInADistribution(t *testing.T) {
	if testing.Short() {
		t.Skip("makes and asks a whole distribution")
	}
	dir, err := fixture.Distribution(t.Context(), os.Stderr)
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, index := openRepository(t, storetest.New(t), filepath.Join(dir, "os"))
	s := setting{options: []string{""}, requests: []string{
		"/usr/bin/curl", "/bin/sh", "libssl.so.3()(64bit)", "lib*6", "lib*6.x86_64", "*-2.36*", "lib*db*", "libc6-2.36-9*", "python3*.x86_64", "curl & bash", "python3 & nginx-light & redis-server", "awk", "/bin/none",
	}}
	for name := range index.Names() {
		s.requests = append(s.requests, name)
	}
	repositories := []*Repository{{Name: "r", Index: index, Priority: 99, Cost: 1000}}
	smaller := 0
	for i, want := range s.ask(t, []string{filepath.Join(dir, "os")}) {
		got := choose(t, repositories, false, s.requests[i])
		switch {
		case slices.Equal(got, want):
		case chosenForSize(got, want):
			smaller++
		default:
			t.Errorf("%s: smith alone has %v, dnf alone %v", s.requests[i], without(got, want), without(want, got))
		}
	}
	t.Logf("%d requests, %d answers are smaller than dnf's", len(s.requests), smaller)
}

// chosenForSize tells the one difference that there may be. base-files requires
// awk, which gawk and mawk provide alike. dnf takes the first by name, with the
// libraries that it needs; smith takes the one that makes the answer smaller,
// unless something else asks for the other.
func chosenForSize(got, want []string) bool {
	ours, theirs := without(got, want), without(want, got)
	return len(got) < len(want) && len(ours) == 1 && strings.HasPrefix(ours[0], "mawk-") &&
		slices.ContainsFunc(theirs, func(p string) bool { return strings.HasPrefix(p, "gawk-") })
}

// without returns the packages of a that b lacks.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return slices.Contains(b, p) })
}

// TestReadsEachForm reads one repository's metadata in every compression.
func TestReadsEachForm(t *testing.T) {
	dir, err := fixture.Distribution(t.Context(), os.Stderr)
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, form := range []string{"os", "os-xz", "os-bz2", "os-zst"} {
		_, index := openRepository(t, storetest.New(t), filepath.Join(dir, form))
		var got []string
		for name := range index.Names() {
			got = append(got, name)
		}
		slices.Sort(got)
		if want == nil {
			want = got
		}
		if len(got) < 100 || !slices.Equal(got, want) {
			t.Errorf("%s: %d packages, want %d", form, len(got), len(want))
		}
	}
}
