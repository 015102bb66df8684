package resolve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"smith/internal/distro/resolve"
)

// A universe is a catalogue written down as text, one package a line, best
// version first:
//
//	NAME VERSION [+PROVIDED[=VERSION]...] [KIND: RELATION[, RELATION...]; ...]
//
// KIND is one of needs, weak, fewest (needs, with equal options) and not. A
// relation is "a", "a=1", "a | b", or "a if b".
type universe struct {
	packages []resolve.Package
	provides [][]string
	lines    []string
	asked    map[resolve.ID]int
}

var _ resolve.Catalogue = (*universe)(nil)

func newUniverse(text string) *universe {
	u := &universe{asked: map[resolve.ID]int{}}
	for line := range strings.Lines(text) {
		head, relations, _ := strings.Cut(strings.TrimSpace(line), " :")
		words := strings.Fields(head)
		if len(words) < 2 {
			continue
		}
		u.packages = append(u.packages, resolve.Package{
			Name: words[0], Version: words[1], Architecture: "any", Slot: words[0],
		})
		u.provides = append(u.provides, words[2:])
		u.lines = append(u.lines, relations)
	}
	return u
}

func (u *universe) Package(id resolve.ID) (resolve.Package, error) {
	if id < 0 || int(id) >= len(u.packages) {
		return resolve.Package{}, fmt.Errorf("no package %d", id)
	}
	return u.packages[id], nil
}

func (u *universe) Requires(id resolve.ID) ([]resolve.Clause, error) {
	u.asked[id]++
	var clauses []resolve.Clause
	for kind, one := range u.relations(id) {
		if kind != "not" {
			clauses = append(clauses, u.clause(kind, one)...)
		}
	}
	return clauses, nil
}

func (u *universe) Conflicts(id resolve.ID) ([]resolve.Conflict, error) {
	var conflicts []resolve.Conflict
	for kind, one := range u.relations(id) {
		if kind == "not" {
			with, _ := u.find(one)
			conflicts = append(conflicts, resolve.Conflict{Text: "conflicts with " + one, With: with})
		}
	}
	return conflicts, nil
}

// relations goes through the relations of a package with their kinds.
func (u *universe) relations(id resolve.ID) func(yield func(kind, one string) bool) {
	return func(yield func(string, string) bool) {
		for part := range strings.SplitSeq(u.lines[id], ";") {
			kind, list, _ := strings.Cut(strings.TrimSpace(part), " ")
			for one := range strings.SplitSeq(list, ",") {
				if one = strings.TrimSpace(one); one != "" && !yield(kind, one) {
					return
				}
			}
		}
	}
}

// clause returns the clauses of one relation: several where a condition is
// fulfilled by several packages.
func (u *universe) clause(kind, text string) []resolve.Clause {
	main, condition, conditional := strings.Cut(text, " if ")
	c := resolve.Clause{Text: "needs " + text, Weak: kind == "weak"}
	for name := range strings.SplitSeq(main, "|") {
		options, misfits := u.find(strings.TrimSpace(name))
		c.Options = append(c.Options, options...)
		c.Misfits = append(c.Misfits, misfits...)
	}
	if kind == "fewest" {
		c.Equal = len(c.Options)
	}
	if !conditional {
		return []resolve.Clause{c}
	}
	var clauses []resolve.Clause
	calls, _ := u.find(condition)
	for _, id := range calls {
		c.Unless = []resolve.ID{id}
		clauses = append(clauses, c)
	}
	return clauses
}

// find returns the packages that are or provide "name" or "name=version", and
// those with another version.
func (u *universe) find(want string) (fits, misfits []resolve.ID) {
	name, version, versioned := strings.Cut(want, "=")
	for id, p := range u.packages {
		found := p.Name == name && (!versioned || p.Version == version) || slices.Contains(u.provides[id], "+"+want)
		if !versioned {
			found = found || slices.ContainsFunc(u.provides[id], func(s string) bool { return strings.HasPrefix(s, "+"+name+"=") })
		}
		switch {
		case found:
			fits = append(fits, resolve.ID(id))
		case p.Name == name:
			misfits = append(misfits, resolve.ID(id))
		}
	}
	return fits, misfits
}

func (u *universe) wanted(words ...string) []resolve.Clause {
	var clauses []resolve.Clause
	for _, w := range words {
		for _, c := range u.clause("needs", w) {
			c.Text = w
			clauses = append(clauses, c)
		}
	}
	return clauses
}

// solve returns the packages chosen, sorted, in one line.
func (u *universe) solve(t *testing.T, words ...string) (string, error) {
	t.Helper()
	return u.solveWith(t, resolve.Options{}, words...)
}

func (u *universe) solveWith(t *testing.T, options resolve.Options, words ...string) (string, error) {
	t.Helper()
	solution, err := resolve.Solve(t.Context(), u, u.wanted(words...), options)
	if err != nil {
		return "", err
	}
	var names []string
	for _, id := range solution.IDs() {
		names = append(names, u.packages[id].Name+u.packages[id].Version)
	}
	slices.Sort(names)
	return strings.Join(names, " "), nil
}
