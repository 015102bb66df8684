package repodata

import (
	"fmt"
	"slices"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// A disjunction holds if any of the one is chosen, or any of the other is not.
type disjunction struct{ any, not []resolve.ID }

// maxNormal bounds the clauses that one rich dependency becomes.
const maxNormal = 10_000

// normal returns a rich dependency, or its negation, as clauses that must all
// hold (conjunctive normal form). "a if b" is a or not b; "a unless b" is a and
// not b; with "else c", b or not it is c that counts. "with" and "without" are
// about the packages that fulfil both parts, or the one and not the other.
func (c *Catalogue) normal(r relation.Rich, negated bool) ([]disjunction, error) {
	part := func(i int, negated bool) func() ([]disjunction, error) {
		return func() ([]disjunction, error) { return c.normal(r.Parts[i], negated) }
	}
	switch r.Verb {
	case relation.And, relation.Or:
		var parts []func() ([]disjunction, error)
		for i := range r.Parts {
			parts = append(parts, part(i, negated))
		}
		if (r.Verb == relation.And) != negated {
			return all(parts...)
		}
		return either(parts...)
	case relation.If, relation.Unless:
		return c.condition(r, negated)
	}
	ids, err := c.matching(r)
	if err != nil {
		return nil, err
	}
	if !negated {
		return []disjunction{{any: ids}}, nil
	}
	var none []disjunction
	for _, id := range ids {
		none = append(none, disjunction{not: []resolve.ID{id}})
	}
	return none, nil
}

// condition returns "a if b", "a unless b", or one with "else", as clauses.
func (c *Catalogue) condition(r relation.Rich, negated bool) ([]disjunction, error) {
	main, test := r.Parts[0], r.Parts[1]
	normal := func(p relation.Rich, negated bool) func() ([]disjunction, error) {
		return func() ([]disjunction, error) { return c.normal(p, negated) }
	}
	// "a unless b" counts a where b is missing, "a if b" where it is.
	there := r.Verb == relation.If
	var parts []func() ([]disjunction, error)
	if len(r.Parts) == 3 {
		// (a or not b) and (c or b), and the other way round for unless;
		// the negation negates a and c only.
		parts = append(
			parts,
			func() ([]disjunction, error) { return either(normal(main, negated), normal(test, there)) },
			func() ([]disjunction, error) { return either(normal(r.Parts[2], negated), normal(test, !there)) },
		)
		return all(parts...)
	}
	// a or not b; a and not b; and their negations.
	parts = append(parts, normal(main, negated), normal(test, !negated))
	if there != negated {
		return either(parts...)
	}
	return all(parts...)
}

// all returns the clauses of several parts that must all hold.
func all(parts ...func() ([]disjunction, error)) ([]disjunction, error) {
	var joined []disjunction
	for _, part := range parts {
		clauses, err := part()
		if err != nil {
			return nil, err
		}
		if joined = append(joined, clauses...); len(joined) > maxNormal {
			return nil, errNormal()
		}
	}
	return joined, nil
}

// either returns the clauses of several parts of which one must hold: each
// clause of the one with each of the other.
func either(parts ...func() ([]disjunction, error)) ([]disjunction, error) {
	joined := []disjunction{{}}
	for _, part := range parts {
		clauses, err := part()
		if err != nil {
			return nil, err
		}
		if len(joined)*len(clauses) > maxNormal {
			return nil, errNormal()
		}
		var next []disjunction
		for _, a := range joined {
			for _, b := range clauses {
				next = append(next, disjunction{slices.Concat(a.any, b.any), slices.Concat(a.not, b.not)})
			}
		}
		joined = next
	}
	return joined, nil
}

func errNormal() error { return fmt.Errorf("it stands for more than %d clauses", maxNormal) }

// matching returns the packages that a relation, or one joined by "with",
// "without" and "or", is fulfilled by.
func (c *Catalogue) matching(r relation.Rich) ([]resolve.ID, error) {
	if r.Verb == "" {
		fits, _, err := c.providing(r.Relation)
		return fits, err
	}
	if r.Verb != relation.With && r.Verb != relation.Without && r.Verb != relation.Or {
		return nil, fmt.Errorf("%q cannot stand in %q", r.Verb, relation.With)
	}
	ids, err := c.matching(r.Parts[0])
	if err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	for _, part := range r.Parts[1:] {
		others, err := c.matching(part)
		if err != nil {
			return nil, err
		}
		if r.Verb == relation.Or {
			ids = append(ids, others...)
			continue
		}
		ids = slices.DeleteFunc(ids, func(id resolve.ID) bool { return slices.Contains(others, id) == (r.Verb == relation.Without) })
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
