package repodata

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// answer is what dnf installs, or that it cannot.
type answer struct {
	packages []string
	unmet    bool
}

func (a *answer) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		a.unmet = true
		return nil
	}
	return json.Unmarshal(data, &a.packages)
}

func oracle(t *testing.T, name string) map[string]answer {
	t.Helper()
	f, err := os.Open(filepath.Join(testdata(t), "../oracle", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	answers := map[string]answer{}
	if err := json.NewDecoder(r).Decode(&answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// TestChoosesAsDnf compares answers with dnf's: the same verdict, and a set
// that is closed, without conflicts, and no larger.
func TestChoosesAsDnf(t *testing.T) {
	for _, tt := range []struct {
		oracle, repository string
		requests, unmet    int
	}{
		{"dnf-centos7.9-httpd.json.gz", "centos7-httpd", 117, 0},
		{"dnf-ci-fedora29.json", "dnf-ci-fedora/dnf-ci-fedora", 268, 8},
	} {
		t.Run(tt.repository, func(t *testing.T) {
			_, index := openRepository(t, storetest.New(t), filepath.Join(testdata(t), tt.repository))
			requests, unmet, same := 0, 0, 0
			for name, want := range oracle(t, tt.oracle) {
				requests++
				c, err := New(t.Context(), []*Repository{{Name: "r", Index: index, Priority: 99}}, Options{Machine: "x86_64"})
				if err != nil {
					t.Fatal(err)
				}
				clauses, err := c.Want(name)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				s, err := resolve.Solve(t.Context(), c, clauses, resolve.Options{Minimize: true})
				if want.unmet {
					unmet++
					if _, ok := errors.AsType[*resolve.Unsolvable](err); !ok {
						t.Errorf("%s: %v, dnf cannot meet it", name, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				got := checkClosed(t, c, name, s)
				if len(got) > len(want.packages) {
					t.Errorf("%s: %d packages, dnf has %d:\n%s\n%s", name, len(got), len(want.packages), got, want.packages)
				}
				if slices.Equal(got, want.packages) {
					same++
				}
			}
			if requests != tt.requests || unmet != tt.unmet {
				t.Errorf("%d requests, %d cannot be met", requests, unmet)
			}
			t.Logf("%d of %d answers are dnf's, package for package", same, requests-unmet)
		})
	}
}

// checkClosed checks, by other means than the solver's, that every relation of
// a solution holds, and returns its packages.
func checkClosed(t *testing.T, c *Catalogue, name string, s *resolve.Solution) []string {
	t.Helper()
	var chosen []*Package
	var names []string
	for _, id := range s.IDs() {
		p, _, err := c.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		chosen, names = append(chosen, p), append(names, p.NEVRA())
	}
	slices.Sort(names)
	if fault := broken(c, chosen); fault != "" {
		t.Errorf("%s: %s", name, fault)
	}
	return names
}

// broken returns a relation that does not hold in a set of packages, or "".
func broken(c *Catalogue, chosen []*Package) string {
	for _, p := range chosen {
		for _, r := range p.Requires {
			if !met(c, chosen, r) {
				return p.NEVRA() + " lacks " + r.String()
			}
		}
		for _, r := range p.Conflicts {
			others := slices.DeleteFunc(slices.Clone(chosen), func(q *Package) bool { return p == q })
			if relation.IsRich(r.Name) && !met(c, []*Package{p}, r) {
				others = chosen // what it meets alone does not count
			}
			if met(c, others, r) {
				return p.NEVRA() + " conflicts with " + r.String()
			}
		}
		for _, q := range chosen {
			if p != q && q.obsoletes(p) {
				return q.NEVRA() + " obsoletes " + p.NEVRA()
			}
			if p != q && p.Name == q.Name && (p.Arch == q.Arch || p.Arch == noarch) {
				return p.NEVRA() + " beside " + q.NEVRA()
			}
		}
	}
	return ""
}

// met reports whether a set of packages meets a relation, by the meaning of
// the words and not by clauses.
func met(c *Catalogue, chosen []*Package, r relation.Relation) bool {
	if !relation.IsRich(r.Name) {
		return len(meeting(c, chosen, relation.Rich{Relation: r})) > 0
	}
	rich, err := relation.ParseRich(r.Name)
	return err == nil && metRich(c, chosen, rich)
}

func metRich(c *Catalogue, chosen []*Package, r relation.Rich) bool {
	is := func(i int) bool { return metRich(c, chosen, r.Parts[i]) }
	switch r.Verb {
	case relation.And:
		return !slices.ContainsFunc(r.Parts, func(p relation.Rich) bool { return !metRich(c, chosen, p) })
	case relation.Or:
		return slices.ContainsFunc(r.Parts, func(p relation.Rich) bool { return metRich(c, chosen, p) })
	case relation.If:
		return is(1) && is(0) || !is(1) && (len(r.Parts) < 3 || is(2))
	case relation.Unless:
		return !is(1) && is(0) || is(1) && len(r.Parts) == 3 && is(2)
	}
	return len(meeting(c, chosen, r)) > 0
}

// meeting returns the packages that meet a relation, or one of "with" and
// "without".
func meeting(c *Catalogue, chosen []*Package, r relation.Rich) []*Package {
	var found []*Package
	for _, p := range chosen {
		part := func(i int) bool { return slices.Contains(meeting(c, chosen, r.Parts[i]), p) }
		switch {
		case r.Verb == relation.With && part(0) && part(1), r.Verb == relation.Without && part(0) && !part(1),
			r.Verb == relation.Or && (part(0) || part(1)), r.Verb == "" && holds(c, p, r.Relation):
			found = append(found, p)
		}
	}
	return found
}

func holds(c *Catalogue, p *Package, r relation.Relation) bool {
	if slices.ContainsFunc(p.Provides, r.Matches) || slices.Contains(p.Files, r.Name) {
		return true
	}
	if !r.IsFile() {
		return false
	}
	ids, err := c.listed(r.Name)
	return err == nil && slices.ContainsFunc(ids, func(id resolve.ID) bool { return c.packages[id].Package == p })
}
