package repodata

import (
	"errors"
	"os"
	"slices"
	"testing"

	"smith/test/fixture"
)

// TestChoosesAsDnfInADistribution compares answers, package for package, on
// packages that rpmbuild made of real programs: with the relations that it
// found in them.
func TestChoosesAsDnfInADistribution(t *testing.T) {
	dir, err := fixture.RPMRepository(t.Context(), os.Stderr, "curl", "bash")
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, index := openRepository(t, testStore(t), dir)
	s := setting{options: []string{""}, requests: []string{"/usr/bin/curl", "libssl.so.3()(64bit)", "lib*6", "curl & bash", "/bin/none"}}
	for name := range index.Names() {
		s.requests = append(s.requests, name)
	}
	repositories := []*Repository{{Name: "r", Index: index, Priority: 99, Cost: 1000}}
	for i, want := range s.ask(t, []string{dir}) {
		if got := choose(t, repositories, false, s.requests[i]); !slices.Equal(got, want) {
			t.Errorf("%s: %v, dnf has %v", s.requests[i], got, want)
		}
	}
}
