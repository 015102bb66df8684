package apt

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/resolve"
)

// An archive is suites as text. "# SUITE [FLAG...]" begins one; then follow
// packages of amd64, one a line: "NAME VERSION", and after " : " fields, set
// apart by ";": "Depends: a | b; Multi-Arch: same".
type archive string

func (a archive) offers(t *testing.T) []*Offer {
	t.Helper()
	var offers []*Offer
	var packages Files
	finish := func() {
		if len(offers) > 0 {
			offers[len(offers)-1].Packages = packages
			packages = nil
		}
	}
	for line := range strings.Lines(string(a)) {
		head, fields, _ := strings.Cut(strings.TrimSpace(line), " : ")
		words := strings.Fields(head)
		switch {
		case len(words) < 2:
			continue
		case words[0] == "#":
			finish()
			offers = append(offers, &Offer{Component: "main", Site: "deb.example.org", Release: &Release{
				Suite: words[1], Codename: words[1] + "-code", Origin: "Example", Label: "Packages", Version: "12.5",
				NotAutomatic:         slices.Contains(words, "NotAutomatic"),
				ButAutomaticUpgrades: slices.Contains(words, "ButAutomaticUpgrades"),
			}})
			continue
		}
		p := control.Paragraph{{Name: "Package", Value: words[0]}, {Name: "Version", Value: words[1]}}
		for field := range strings.SplitSeq(fields, ";") {
			if name, value, found := strings.Cut(field, ":"); found {
				p = append(p, control.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
			}
		}
		if _, found := p.Find("Architecture"); !found {
			p = append(p, control.Field{Name: "Architecture", Value: "amd64"})
		}
		packages = append(packages, p)
	}
	finish()
	return offers
}

// resolveWords returns the packages chosen as "name=version", with the
// architecture where it is neither amd64 nor all, sorted, in one line.
func resolveWords(t testing.TB, c *Catalogue, words ...string) (string, error) {
	t.Helper()
	var requests []Request
	for _, w := range words {
		r, err := ParseRequest(w)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, r)
	}
	solution, err := c.Resolve(t.Context(), requests)
	if err != nil {
		return "", err
	}
	var names []string
	for _, id := range solution.IDs() {
		v, err := c.Version(id)
		if err != nil {
			t.Fatal(err)
		}
		name := v.Name
		if v.Architecture != c.native && v.Architecture != "all" {
			name += ":" + v.Architecture
		}
		names = append(names, name+"="+v.Version)
	}
	slices.Sort(names)
	return strings.Join(names, " "), nil
}

func TestResolve(t *testing.T) {
	for _, test := range []struct {
		name, preferences string
		archive           archive
		words, want       string
	}{
		{
			"depends and pre-depends", "", `
# stable
a 1 : Depends: b (>= 1), c; Pre-Depends: d
b 1
c 1 : Architecture: all
d 1
e 1 : Essential: yes`,
			"a", "a=1 b=1 c=1 d=1",
		},
		{
			"the newest of several suites", "", `
# stable
a 1 : Depends: b
b 2
# updates
a 1.1 : Depends: b
b 1`,
			"a", "a=1.1 b=2",
		},
		{
			"a suite that is not automatic", "", `
# stable
a 1
# experimental NotAutomatic
a 2`,
			"a", "a=1",
		},
		{
			"only in a suite that is not automatic", "", `
# stable
b 1
# experimental NotAutomatic
a 2 : Depends: b
b 2`,
			"a", "a=2 b=1",
		},
		{
			"backports come before experimental", "", `
# experimental NotAutomatic
a 3
# backports NotAutomatic ButAutomaticUpgrades
a 2`,
			"a", "a=2",
		},
		{
			"a request by suite, and what it needs from there", "", `
# stable
a 1 : Depends: liba (= 1)
liba 1
b 1
# backports NotAutomatic ButAutomaticUpgrades
a 2 : Depends: liba (= 2), b
liba 2
b 2`,
			"a/backports", "a=2 b=1 liba=2",
		},
		{
			"a request by codename", "", "# stable\na 1\n# backports NotAutomatic\na 2",
			"a/backports-code", "a=2",
		},
		{
			"a request by version, which others then get too", "", `
# stable
a 1
a 2
b 1 : Depends: a`,
			"b a=1", "a=1 b=1",
		},
		{
			"an older version asked for, and what goes with it", "", `
# stable
a 2 : Depends: liba (= 2)
liba 2
# old
a 1 : Depends: liba (= 1)
liba 1`,
			"a=1", "a=1 liba=1",
		},
		{
			"an alternative whose candidate is too old", "", `
# stable
a 1 : Depends: b (>= 2) | c
b 1
c 1
# experimental NotAutomatic
b 2`,
			"a", "a=1 c=1",
		},
		{
			"another version than the candidate where nothing else fits", "", `
# stable
a 1 : Depends: b (>= 2)
b 1
# experimental NotAutomatic
b 2`,
			"a", "a=1 b=2",
		},
		{
			"a virtual package: the more important provider", "", `
# stable
a 1 : Depends: awk
gawk 1 : Provides: awk; Priority: optional
mawk 1 : Provides: awk; Priority: required`,
			"a", "a=1 mawk=1",
		},
		{
			"a virtual package: the real one first", "", `
# stable
a 1 : Depends: awk
awk 1 : Priority: optional
mawk 1 : Provides: awk; Priority: required`,
			"a", "a=1 awk=1",
		},
		{
			"a virtual package: an alternative before it", "", `
# stable
a 1 : Depends: exim | mta
exim 1 : Provides: mta; Priority: optional
postfix 1 : Provides: mta; Priority: important`,
			"a", "a=1 exim=1",
		},
		{
			"a versioned provide", "", `
# stable
a 1 : Depends: abi (= 3)
b 1 : Provides: abi
c 1 : Provides: abi (= 2)
d 1 : Provides: abi (= 3), abi (= 2)`,
			"a", "a=1 d=1",
		},
		{
			"the one provider of what is asked for", "", `
# stable
b 1 : Provides: a`,
			"a", "b=1",
		},
		{
			"conflicts and breaks", "", `
# stable
a 1 : Depends: b | c | d
b 1 : Conflicts: e
c 1
d 1
e 1 : Breaks: c (<< 2)`,
			"a e", "a=1 d=1 e=1",
		},
		{
			"a conflict with what it provides itself", "", `
# stable
a 1 : Provides: v; Conflicts: v; Replaces: v
b 1 : Depends: c | d
c 1 : Provides: v
d 1`,
			"a b", "a=1 b=1 d=1",
		},
		{
			"a versioned conflict leaves unversioned provides alone", "", `
# stable
a 1 : Conflicts: v (<< 2)
b 1 : Provides: v`,
			"a b", "a=1 b=1",
		},
		{
			":any and Multi-Arch allowed", "", `
# stable
a 1 : Depends: python:any (>= 3), perl:any
python 3 : Multi-Arch: allowed
perl 1`,
			"a", "a=1 perl=1 python=3",
		},
		{
			"a foreign architecture", "", `
# stable
a 1 : Architecture: i386; Depends: lib, tool, data
lib 1 : Multi-Arch: same
lib 1 : Architecture: i386; Multi-Arch: same
tool 1 : Multi-Arch: foreign
tool 1 : Architecture: i386; Multi-Arch: foreign
data 1 : Architecture: all; Multi-Arch: foreign
b 1 : Depends: lib`,
			"a:i386 b", "a:i386=1 b=1 data=1 lib:i386=1 lib=1 tool=1",
		},
		{
			"no foreign architecture unless asked for", "", `
# stable
a 1 : Depends: tool | b
tool 1 : Architecture: i386; Multi-Arch: foreign
b 1`,
			"a", "a=1 b=1",
		},
		{
			"a relation that names an architecture", "", `
# stable
a 1 : Depends: b:i386
b 1 : Architecture: i386
b 2`,
			"a", "a=1 b:i386=1",
		},
		{
			"pins", `
Explanation: not that one
Package: b
Pin: version 2*
Pin-Priority: -1

Package: a c*
Pin: release n=testing-code, o=Example
Pin-Priority: 900
`, `
# stable
a 1
b 1
cc 1
# testing
a 2
b 2
cc 2
b 1.5`,
			"a b cc", "a=2 b=1.5 cc=2",
		},
		{
			"the same version from two suites has the higher priority", "Package: *\nPin: release a=stable\nPin-Priority: 600\n", `
# testing
a 2
# stable
a 1
# archive
a 2`,
			"a", "a=1",
		},
		{
			"a host never believed", "Package: *\nPin: origin *.example.org\nPin-Priority: never\n\nPackage: b\nPin: version *\nPin-Priority: 900\n", `
# stable
a 1 : Depends: b | c
b 1
c 1`,
			"a", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &Preferences{}
			if err := p.Read(strings.NewReader(test.preferences)); err != nil {
				t.Fatal(err)
			}
			c := NewCatalogue(test.archive.offers(t), p, "amd64", false)
			got, err := resolveWords(t, c, strings.Fields(test.words)...)
			if (err != nil) != (test.want == "") {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecommends(t *testing.T) {
	a := archive(`
# stable
a 1 : Recommends: b, c | d, gone
b 1 : Recommends: e
c 1 : Conflicts: a
d 1
e 1`)
	for recommends, want := range map[bool]string{false: "a=1", true: "a=1 b=1 d=1 e=1"} {
		got, err := resolveWords(t, NewCatalogue(a.offers(t), &Preferences{}, "amd64", recommends), "a")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestUnsolvable(t *testing.T) {
	a := archive(`
# stable
a 1 : Depends: b (>= 2)
b 1
c 1 : Pre-Depends: d
d 1 : Breaks: a (<< 2)
e 1 : Depends: a | f
f 1 : Depends: gone
g 1 : Provides: v
h 1 : Provides: v
i 1 : Architecture: i386`)
	for words, want := range map[string]string{
		"nothing": `no package on offer is called nothing or provides that`,
		"b=2": `cannot choose packages:
  b=2 is wanted: on offer is b 1 (amd64)`,
		"b/testing": `cannot choose packages:
  b/testing is wanted: on offer is b 1 (amd64)`,
		"i": `cannot choose packages:
  i is wanted: on offer is i 1 (i386)`,
		"e": `cannot choose packages:
  e is wanted
    e 1 depends on a | f
      a 1 depends on b (>= 2): on offer is b 1 (amd64)
      f 1 depends on gone: nothing on offer is or provides that`,
		"v": `v is a virtual package; ask for one of those that provide it: g, h`,
	} {
		_, err := resolveWords(t, NewCatalogue(a.offers(t), &Preferences{}, "amd64", false), words)
		if err == nil {
			t.Errorf("%s is there", words)
		} else if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s: %s", words, diff)
		}
	}
}

// A file of the user stands before what a repository offers, also of the same
// version.
func TestFiles(t *testing.T) {
	offers := archive("# stable\na 1\nb 1 : Depends: a\na 3").offers(t)
	files := &Offer{Packages: Files{{{Name: "Package", Value: "a"}, {Name: "Version", Value: "1"}, {Name: "Architecture", Value: "amd64"}}}}
	c := NewCatalogue(append([]*Offer{files}, offers...), &Preferences{}, "amd64", false)
	solution, err := c.Resolve(t.Context(), []Request{{Name: "a", Version: "1"}, {Name: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range solution.IDs() {
		v, err := c.Version(id)
		if err != nil {
			t.Fatal(err)
		}
		if v.Name == "a" && (v.Version != "1" || v.Offers[0] != files) {
			t.Errorf("a is %s of %v", v.Version, v.Offers[0])
		}
	}
}

func TestBadRelations(t *testing.T) {
	for fields, want := range map[string]string{
		"Depends: b (":   `cannot read the relations of a 1: bad relation "b (": no closing parenthesis`,
		"Conflicts: (b)": `cannot read the relations of a 1: bad relation "(b)": no name of a package`,
		"Provides: b:":   `cannot read the relations of a 1: bad relation "b:": no architecture after the colon`,
	} {
		_, err := resolveWords(t, NewCatalogue(archive("# stable\na 1 : "+fields).offers(t), &Preferences{}, "amd64", false), "a")
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", fields, err)
		}
	}
}

func TestRequests(t *testing.T) {
	for word, want := range map[string]Request{
		"a":                         {Name: "a"},
		"libstdc++6":                {Name: "libstdc++6"},
		"curl=7.88.1-10+deb12u8":    {Name: "curl", Version: "7.88.1-10+deb12u8"},
		"a:i386=1:2":                {Name: "a", Architecture: "i386", Version: "1:2"},
		"openssl:amd64":             {Name: "openssl", Architecture: "amd64"},
		"jq/bookworm-backports":     {Name: "jq", Suite: "bookworm-backports"},
		"jq:arm64/bookworm/updates": {Name: "jq", Architecture: "arm64", Suite: "bookworm/updates"},
	} {
		got, err := ParseRequest(word)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got.String() != word {
			t.Errorf("%s is written as %s", word, got)
		}
	}
	for _, word := range []string{"", "=1", "a=", "a:", "a/", "a b", ":amd64", "./a.deb", "a*"} {
		if r, err := ParseRequest(word); err == nil {
			t.Errorf("%q is taken: %+v", word, r)
		}
	}
}

func TestMissingNumber(t *testing.T) {
	c := NewCatalogue(archive("# stable\na 1").offers(t), &Preferences{}, "amd64", false)
	for _, id := range []resolve.ID{-1, 1, 99} {
		if _, err := c.Package(id); err == nil || err.Error() != fmt.Sprintf("no package has the number %d", id) {
			t.Errorf("%d: %v", id, err)
		}
	}
}

// What is read is written back the same.
func FuzzParseRequest(f *testing.F) {
	f.Add("a:i386=1:2")
	f.Add("jq:arm64/bookworm/updates")
	f.Fuzz(func(t *testing.T, word string) {
		if r, err := ParseRequest(word); err == nil && r.String() != word {
			t.Errorf("%q is written as %q", word, r)
		}
	})
}
