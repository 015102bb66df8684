package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/resolve"
)

var solvable = []struct{ name, universe, wanted, want string }{
	{"nothing", "a 1", "", ""},
	{"the best version", "a 2\na 1", "a", "a2"},
	{"a version", "a 2\na 1", "a=1", "a1"},
	{"a chain", "a 1 : needs b\nb 1 : needs c\nc 1\nd 1", "a", "a1 b1 c1"},
	{
		"what nothing provides is not forgotten by going back",
		"x 1 : needs v, w\nz1 1 +v : not a\nz2 1 +v\np1 1 +w : needs a, none\np2 1 +w : needs a\na 1", "x", "a1 p21 x1 z21",
	},
	{"a cycle", "a 1 : needs b\nb 1 : needs a", "a", "a1 b1"},
	{"itself", "a 1 +v : needs v, a", "a", "a1"},
	{"an older version because the best lacks something", "a 2 : needs gone\na 1", "a", "a1"},
	{"an older version because of another's relation", "a 2\na 1\nb 1 : needs a=1", "a b", "a1 b1"},
	{
		"an older version because of a conflict further down",
		"a 2 : needs x\na 1\nx 1 : needs y\ny 1 : not b\nb 1", "a b", "a1 b1",
	},
	{"a virtual package", "a 1 : needs v\nb 1 +v\nc 1 +v", "a", "a1 b1"},
	{"a versioned provide", "a 1 : needs v=2\nb 1 +v=1\nc 1 +v=2", "a", "a1 c1"},
	{"the first alternative", "a 1 : needs b | c\nc 1\nb 1", "a", "a1 b1"},
	{"the second alternative, for the first is not there", "a 1 : needs b | c\nc 1", "a", "a1 c1"},
	{"the second alternative, for it is wanted", "a 1 : needs b | c\nb 1\nc 1", "a c", "a1 c1"},
	{"the second alternative, for it is needed later", "a 1 : needs b | c, d\nb 1\nc 1\nd 1 : needs c", "a", "a1 c1 d1"},
	{"the second alternative, for a choice made later needs it", "a 1 : needs b | c, d | e\nb 1\nc 1\nd 1 : needs c\ne 1", "a", "a1 c1 d1"},
	{"the second alternative, for the first clashes", "a 1 : needs b | c, d\nb 1 : not d\nc 1\nd 1", "a", "a1 c1 d1"},
	{
		"alternatives tried one after the other",
		"a 1 : needs b | c | d\nb 1 : needs x\nc 1 : needs y\nd 1\nx 1 : not a\ny 1 : needs gone", "a", "a1 d1",
	},
	{
		"going back over several choices",
		"a 1 : needs b | c, d | e, f | g\nb 1\nc 1\nd 1\ne 1\nf 1 : not b\ng 1 : not b", "a", "a1 c1 d1 f1",
	},
	{"a conflict with oneself through a provide", "a 1 +v : not v", "a", "a1"},
	{"a conflict that only the other states", "a 1 : needs b | c\nb 1\nc 1\nd 1 : not b", "a d", "a1 c1 d1"},
	{"a conflict with one version", "a 2\na 1\nb 1 : not a=2", "a b", "a1 b1"},
	{"weak, met", "a 1 : weak b\nb 1 : needs c\nc 1", "a", "a1 b1 c1"},
	{"weak, not there", "a 1 : weak b", "a", "a1"},
	{"weak, cannot be met", "a 1 : weak b, c\nb 1 : needs x\nx 1 : not a\nc 1", "a", "a1 c1"},
	{"weak, an alternative that can be met", "a 1 : weak b | c\nb 1 : needs gone\nc 1", "a", "a1 c1"},
	{"weak gives way to what is needed", "a 1 : weak b; needs c\nb 1 : not c, d\nc 1 : needs d | e\nd 1\ne 1", "a", "a1 c1 d1"},
	{"weak gives way to what comes weakly but earlier", "a 1 : weak b, c\nb 1\nc 1 : not b", "a", "a1 b1"},
	{"weak, chosen so that all of them can be met", "a 1 : weak b | c, d\nb 1 : needs x\nc 1\nd 1 : needs y\nx 1\ny 1 : not x", "a", "a1 c1 d1 y1"},
	{"weak does not decide what is needed", "a 1 : needs b | c; weak d\nb 1\nc 1\nd 1 : not b", "a", "a1 b1"},
	{"weak brings what is needed", "a 1 : needs b | c; weak d\nb 1\nc 1\nd 1 : needs c", "a", "a1 c1 d1"},
	{"weak of what is weak", "a 1 : weak b\nb 1 : weak c\nc 1", "a", "a1 b1 c1"},
	{"a condition that is met", "a 1 : needs c if b\nb 1\nc 1", "a b", "a1 b1 c1"},
	{"a condition that is not met", "a 1 : needs c if b\nb 1\nc 1", "a", "a1"},
	{"a condition that comes true last", "a 1 : needs c if b; weak b\nb 1\nc 1", "a", "a1 b1 c1"},
	{"a condition avoided", "a 1 : needs gone if b, b | d\nb 1\nd 1", "a", "a1 d1"},
	{"equal options: the fewest packages", "a 1 : fewest b | c\nb 1 : needs d\nc 1\nd 1", "a", "a1 c1"},
	{"equal options: what is there counts nothing", "a 1 : fewest b | c, d, e\nb 1 : needs d, e\nc 1 : needs f\nd 1\ne 1\nf 1", "a", "a1 b1 d1 e1"},
	{"equal options: the first of two as small", "a 1 : fewest b | c\nb 1\nc 1", "a", "a1 b1"},
}

// What Minimize changes.
func TestMinimize(t *testing.T) {
	for _, test := range []struct{ name, universe, want, minimized string }{
		{"an alternative that another one needs", "a 1 : needs b | c\nb 1 : needs d\nd 1 : needs c\nc 1", "a1 b1 c1 d1", "a1 c1"},
		{"an alternative that calls for another one on a condition", "a 1 : needs b | c; needs c if b\nb 1\nc 1", "a1 b1 c1", "a1 c1"},
		{"alternatives that need each other", "a 1 : needs b | c\nb 1 : needs c\nc 1 : needs b", "a1 b1 c1", "a1 b1 c1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for minimize, want := range map[bool]string{false: test.want, true: test.minimized} {
				got, err := newUniverse(test.universe).solveWith(t, resolve.Options{Minimize: minimize}, "a")
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("minimize %v: got %s, want %s", minimize, got, want)
				}
			}
		})
	}
}

func TestSolve(t *testing.T) {
	for _, test := range solvable {
		t.Run(test.name, func(t *testing.T) {
			got, err := newUniverse(test.universe).solve(t, strings.Fields(test.wanted)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnsolvable(t *testing.T) {
	for _, test := range []struct{ name, universe, wanted, want string }{
		{"no such package", "a 1", "b", `
  b is wanted: nothing on offer is or provides that`},
		{"no such version", "a 2\na 1", "a=3", `
  a=3 is wanted: on offer is a 2 (any), a 1 (any)`},
		{"a chain that ends nowhere", "a 1 : needs b, x\nb 1 : needs c=2\nc 1\nx 1", "a x", `
  a is wanted
    a 1 needs b
      b 1 needs c=2: on offer is c 1 (any)`},
		{"two versions of one package", "a 1 : needs c=1\nb 1 : needs c=2\nc 1\nc 2", "b a", `
  a is wanted
    a 1 needs c=1
  b is wanted
    b 1 needs c=2
  only one of c 1 and c 2 can be chosen`},
		{"a conflict far down", "a 1 : needs b\nb 1 : needs c\nc 1 : not v\nd 1 : needs e\ne 1 +v", "a d", `
  a is wanted
    a 1 needs b
      b 1 needs c
  d is wanted
    d 1 needs e
  c 1 conflicts with v (e 1)`},
		{"every version fails the same way", "a 3 : needs b\na 2 : needs b\na 1 : needs b", "a", `
  a is wanted
    a 3 (also 2, 1) needs b: nothing on offer is or provides that`},
		{"a conflict with every version", "a 1 : not b\nb 3\nb 2\nb 1", "a b", `
  a is wanted
  b is wanted
  a 1 conflicts with b (b 3, 2, 1)`},
		{"many versions, and none of them wanted", "a 1\na 2\na 3\na 4\na 5\na 6\na 7\na 8\na 9\na 10", "a=11", `
  a=11 is wanted: on offer is a 1 (any), a 2 (any), a 3 (any), a 4 (any), a 5 (any), a 6 (any), a 7 (any), a 8 (any) and 2 more`},
		{"every alternative fails in its own way", "a 1 : needs b | c\nb 1 : needs gone\nc 1 : not a", "a", `
  a is wanted
    a 1 needs b | c
      b 1 needs gone: nothing on offer is or provides that
  c 1 conflicts with a (a 1)`},
		{"choices that do not matter stay out", "a 1 : needs b | c, d | e, x\nb 1\nc 1\nd 1\ne 1\nx 1 : needs y\ny 1 : not a", "a", `
  a is wanted
    a 1 needs x
      x 1 needs y
  y 1 conflicts with a (a 1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := newUniverse(test.universe).solve(t, strings.Fields(test.wanted)...)
			var unsolvable *resolve.Unsolvable
			if !errors.As(err, &unsolvable) {
				t.Fatalf("got %s, %v", got, err)
			}
			if diff := cmp.Diff("cannot choose packages:"+test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The reasons lead from each package back to what was wanted.
func TestChoices(t *testing.T) {
	u := newUniverse("a 1 : needs b, c; weak d\nb 1 : needs c\nc 1\nd 1")
	solution, err := resolve.Solve(t.Context(), u, u.wanted("a", "c"), resolve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []resolve.Choice{
		{ID: 0, By: resolve.None, Text: "a"},
		{ID: 2, By: resolve.None, Text: "c"},
		{ID: 1, By: 0, Text: "needs b"},
		{ID: 3, By: 0, Text: "needs d"},
	}
	if diff := cmp.Diff(want, solution.Choices); diff != "" {
		t.Error(diff)
	}
}

// The solver asks once for what it may choose and never for the rest.
func TestLazy(t *testing.T) {
	u := newUniverse("a 1 : needs b | c\nb 1\nc 1 : needs d\nd 1\ne 2 : needs a\ne 1")
	if _, err := u.solve(t, "a"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[resolve.ID]int{0: 1, 1: 1}, u.asked); diff != "" {
		t.Error(diff)
	}
}

// Twelve packages for eleven places: every solver of this kind needs
// exponential time to see that.
func TestBounds(t *testing.T) {
	var text, places strings.Builder
	for place := range 11 {
		fmt.Fprintf(&places, "| place%d ", place)
	}
	words := []string{}
	for pigeon := range 12 {
		words = append(words, fmt.Sprint("pigeon", pigeon))
		fmt.Fprintf(&text, "pigeon%d 1 : needs %s\n", pigeon, strings.ReplaceAll(places.String()[2:], "place", fmt.Sprintf("pigeon%d-in-place", pigeon)))
		for place := range 11 {
			fmt.Fprintf(&text, "pigeon%d-in-place%d 1 +place%d : not place%d\n", pigeon, place, place, place)
		}
	}
	u := newUniverse(text.String())
	_, err := resolve.Solve(t.Context(), u, u.wanted(words...), resolve.Options{Steps: 3000})
	if err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resolve.Solve(ctx, u, u.wanted(words...), resolve.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// An error of the catalogue ends the search.
func TestCatalogueErrors(t *testing.T) {
	wanted := []resolve.Clause{{Text: "a", Options: []resolve.ID{7}}}
	if _, err := resolve.Solve(t.Context(), newUniverse("a 1"), wanted, resolve.Options{}); err == nil || err.Error() != "no package 7" {
		t.Errorf("got %v", err)
	}
}

// Small random universes are solved by trying every set of packages. The
// solver must find a solution where there is one, a closed one without
// superfluous packages, and the same whatever the order of the request.
func TestAgainstBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	solved := 0
	for range 700 {
		text := randomUniverse(random)
		u := newUniverse(text)
		words := []string{"a", "b"}
		if random.IntN(2) == 0 {
			words = append(words, "c")
		}
		got, err := u.solve(t, words...)
		var unsolvable *resolve.Unsolvable
		if err != nil && !errors.As(err, &unsolvable) {
			t.Fatal(err)
		}
		if exists := u.bruteForce(words); exists != (err == nil) {
			t.Fatalf("a solution exists: %v, and the solver says %q, %v\n%s", exists, got, err, text)
		}
		if err == nil {
			solved++
			u.check(t, text, words)
		}
		slices.Reverse(words)
		if again, _ := u.solve(t, words...); again != got {
			t.Fatalf("%v: %q, and in another order %q\n%s", words, again, got, text)
		}
	}
	if solved < 140 || solved > 630 {
		t.Errorf("%d of 700 can be solved: the universes are no good", solved)
	}
}

// randomUniverse writes up to 12 packages with random relations.
func randomUniverse(random *rand.Rand) string {
	names := []string{"a", "b", "c", "d", "e", "f"}
	relation := func() string {
		word := func() string {
			w := names[random.IntN(len(names))]
			switch random.IntN(6) {
			case 0:
				return w + "=1"
			case 1:
				return w + "=2"
			case 2:
				return "v"
			case 3:
				if random.IntN(3) == 0 {
					return "gone"
				}
			}
			return w
		}
		switch random.IntN(5) {
		case 0, 1:
			return "needs " + word() + " | " + word()
		case 2:
			return []string{"weak ", "fewest "}[random.IntN(2)] + word() + " | " + word()
		case 3:
			return "not " + word()
		default:
			return "needs " + word() + []string{"", " if " + word()}[random.IntN(2)]
		}
	}
	var text strings.Builder
	for _, name := range names {
		for version := 2; version > 0; version-- {
			if random.IntN(4) == 0 {
				continue
			}
			fmt.Fprintf(&text, "%s %d", name, version)
			if random.IntN(5) == 0 {
				text.WriteString(" +v")
			}
			text.WriteString(" :")
			for range random.IntN(4) {
				text.WriteString(" " + relation() + ";")
			}
			text.WriteString("\n")
		}
	}
	return text.String()
}

func (u *universe) bruteForce(words []string) bool {
	for set := range 1 << len(u.packages) {
		if u.holds(words, set) {
			return true
		}
	}
	return false
}

// check reports whether the solver's own answer holds, and no package of it can
// be left out alone.
func (u *universe) check(t *testing.T, text string, words []string) {
	t.Helper()
	solution, err := resolve.Solve(t.Context(), u, u.wanted(words...), resolve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set := 0
	for _, id := range solution.IDs() {
		set |= 1 << id
	}
	if !u.holds(words, set) {
		t.Fatalf("%v: the answer %b does not hold\n%s", words, set, text)
	}
	for _, c := range solution.Choices {
		if c.By != resolve.None && set&(1<<c.By) == 0 {
			t.Fatalf("%v: package %d was called for by %d, which is not chosen\n%s", words, c.ID, c.By, text)
		}
	}
}

// holds reports whether everything holds in a set of packages.
func (u *universe) holds(words []string, set int) bool {
	has := func(ids []resolve.ID) bool {
		return slices.ContainsFunc(ids, func(id resolve.ID) bool { return set&(1<<id) != 0 })
	}
	all := func(ids []resolve.ID) bool {
		return !slices.ContainsFunc(ids, func(id resolve.ID) bool { return set&(1<<id) == 0 })
	}
	clauses := u.wanted(words...)
	slots := map[string]bool{}
	for id := range u.packages {
		if set&(1<<id) == 0 {
			continue
		}
		if slots[u.packages[id].Slot] {
			return false
		}
		slots[u.packages[id].Slot] = true
		requires, _ := u.Requires(resolve.ID(id))
		clauses = append(clauses, requires...)
		conflicts, _ := u.Conflicts(resolve.ID(id))
		for _, c := range conflicts {
			if has(slices.DeleteFunc(c.With, func(w resolve.ID) bool { return w == resolve.ID(id) })) {
				return false
			}
		}
	}
	for _, c := range clauses {
		if !c.Weak && all(c.Unless) && !has(c.Options) {
			return false
		}
	}
	return true
}
