package repodata

import (
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// Requires returns what must hold where a package is chosen: its own
// requirements, rich conflicts, and with Options.Recommends what it recommends
// and what supplements it.
func (c *Catalogue) Requires(id resolve.ID) ([]resolve.Clause, error) {
	p, err := c.find(id)
	if err != nil {
		return nil, err
	}
	hints, err := c.hints(p)
	if err != nil {
		return nil, err
	}
	var all []resolve.Clause
	beside, _, err := c.inferior(p)
	if err != nil {
		return nil, err
	}
	if len(beside) > 0 {
		all = append(all, besideFitter(p, beside))
	}
	add := func(kind string, list []relation.Relation, weak bool) error {
		for _, r := range list {
			clauses, err := c.clauses(kind, r, hints)
			if err != nil {
				return fmt.Errorf("%s: %w", p.NEVRA(), err)
			}
			for i := range clauses {
				clauses[i].Weak = weak
			}
			all = append(all, clauses...)
		}
		return nil
	}
	if err := add("requires", p.Requires, false); err != nil {
		return nil, err
	}
	rich := slices.DeleteFunc(slices.Clone(p.Conflicts), func(r relation.Relation) bool { return !relation.IsRich(r.Name) })
	required := len(all)
	if err := add("conflicts with", rich, false); err != nil {
		return nil, err
	}
	// A package does not conflict with itself, not even in a rich relation.
	all = append(all[:required], slices.DeleteFunc(all[required:], func(clause resolve.Clause) bool {
		return len(clause.Options) == 0 && !slices.ContainsFunc(clause.Unless, func(other resolve.ID) bool { return other != id })
	})...)
	if c.options.Recommends {
		if err := add("recommends", p.Recommends, true); err != nil {
			return nil, err
		}
		weak, err := c.supplements(id, p)
		if err != nil {
			return nil, err
		}
		all = append(all, weak...)
	}
	return slices.DeleteFunc(all, func(clause resolve.Clause) bool { return slices.Contains(clause.Options, id) }), nil
}

// hints returns the packages that a package favors.
func (c *Catalogue) hints(p *offered) (map[resolve.ID]hint, error) {
	hints := map[resolve.ID]hint{}
	add := func(list []relation.Relation, h hint) error {
		for _, r := range list {
			if relation.IsRich(r.Name) || r.IsFile() {
				continue
			}
			fits, _, err := c.providing(r)
			if err != nil {
				return err
			}
			for _, id := range fits {
				hints[id] = h
			}
		}
		return nil
	}
	if err := add(p.Suggests, suggested); err != nil {
		return nil, err
	}
	return hints, add(p.Recommends, recommended)
}

// clauses returns the clauses of one relation, several of a rich one.
func (c *Catalogue) clauses(kind string, r relation.Relation, hints map[resolve.ID]hint) ([]resolve.Clause, error) {
	text := strings.TrimSpace(kind + " " + r.String())
	if !relation.IsRich(r.Name) {
		fits, misfits, err := c.providing(r)
		if err != nil {
			return nil, err
		}
		clause := resolve.Clause{Text: text, Misfits: misfits}
		clause.Options, clause.Equal, err = c.order(fits, hints)
		return []resolve.Clause{clause}, err
	}
	rich, err := relation.ParseRich(r.Name)
	if err != nil {
		return nil, err
	}
	normal, err := c.normal(rich, kind == "conflicts with")
	if err != nil {
		return nil, fmt.Errorf("rich dependency %.200s: %w", r.Name, err)
	}
	var all []resolve.Clause
	for _, n := range normal {
		clause := resolve.Clause{Text: text, Unless: n.not}
		if clause.Options, clause.Equal, err = c.order(n.any, hints); err != nil {
			return nil, err
		}
		all = append(all, clause)
	}
	return all, nil
}

// supplements returns weak clauses for the packages that say that they go with
// this one.
func (c *Catalogue) supplements(id resolve.ID, p *offered) ([]resolve.Clause, error) {
	provided := append([]relation.Relation{{Name: p.Name, Op: relation.Equal, EVR: p.EVR}}, p.Provides...)
	seen := map[resolve.ID]bool{id: true}
	var all []resolve.Clause
	for _, r := range provided {
		found, err := c.keyed(keySupplement + r.Name)
		if err != nil {
			return nil, err
		}
		for _, other := range found {
			if seen[other] {
				continue
			}
			seen[other] = true
			clauses, err := c.supplement(p, other)
			if err != nil {
				return nil, err
			}
			all = append(all, clauses...)
		}
	}
	return all, nil
}

// supplement returns the clauses by which other comes along with p: what it
// supplements does not hold, or it is chosen.
func (c *Catalogue) supplement(p *offered, other resolve.ID) ([]resolve.Clause, error) {
	q, err := c.find(other)
	if err != nil {
		return nil, err
	}
	if _, never, err := c.inferior(q); never || err != nil {
		return nil, err
	}
	var all []resolve.Clause
	for _, r := range q.Supplements {
		clause := resolve.Clause{Text: "is supplemented by " + q.Name, Options: []resolve.ID{other}, Weak: true}
		if !relation.IsRich(r.Name) {
			if p.Fulfils(r) {
				all = append(all, clause)
			}
			continue
		}
		rich, err := relation.ParseRich(r.Name)
		if err != nil {
			return nil, err
		}
		normal, err := c.normal(rich, true)
		if err != nil {
			return nil, err
		}
		for _, n := range normal {
			clause.Unless, clause.Options = n.not, append([]resolve.ID{other}, n.any...)
			all = append(all, clause)
		}
	}
	return all, nil
}

// Conflicts returns what may not stand beside a package: what it conflicts
// with, and what it obsoletes.
func (c *Catalogue) Conflicts(id resolve.ID) ([]resolve.Conflict, error) {
	p, err := c.find(id)
	if err != nil {
		return nil, err
	}
	all, err := c.sameName(p)
	if err != nil {
		return nil, err
	}
	for _, r := range p.Conflicts {
		if relation.IsRich(r.Name) {
			continue // Requires has it
		}
		with, _, err := c.providing(r)
		if err != nil {
			return nil, err
		}
		if len(with) > 0 {
			all = append(all, resolve.Conflict{Text: "conflicts with " + r.String(), With: with})
		}
	}
	for _, r := range p.Obsoletes {
		named, err := c.called(r.Name)
		if err != nil {
			return nil, err
		}
		conflict := resolve.Conflict{Text: "obsoletes " + r.String()}
		for _, other := range named {
			o, err := c.find(other)
			if err != nil {
				return nil, err
			}
			if p.obsoletes(o.Package) {
				conflict.With = append(conflict.With, other)
			}
		}
		if len(conflict.With) > 0 {
			all = append(all, conflict)
		}
	}
	return all, nil
}
