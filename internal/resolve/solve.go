package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Options bound a search. The zero value is right for all but tests.
type Options struct {
	// Steps bounds the packages looked at, decisions and conflicts, together;
	// 0 means a bound that real requests stay far under.
	Steps int
}

const defaultSteps = 200_000

// A Solution is a set of packages in which all that is wanted and every
// relation holds. Its order is that in which the packages were called for.
type Solution struct{ Choices []Choice }

// A Choice is a chosen package and what called for it first.
type Choice struct {
	ID ID
	// By is the package whose relation Text called for it, or None where it
	// was wanted.
	By   ID
	Text string
}

// IDs returns the chosen packages, sorted.
func (s *Solution) IDs() []ID {
	ids := make([]ID, len(s.Choices))
	for i, c := range s.Choices {
		ids[i] = c.ID
	}
	slices.Sort(ids)
	return ids
}

// Solve chooses packages so that every clause of wanted holds, and every
// relation of what is chosen. Where there is a choice it goes by this, in this
// order:
//
//   - what holds anyway: an option that is called for by other relations too,
//     or that was chosen before;
//   - the first of Options that goes with what was chosen before; clauses all
//     of whose options share a slot are settled before those between different
//     packages, and weak clauses last;
//   - of the Options that are Equal, the one that brings the fewest packages.
//
// A package is chosen only if a clause calls for it. The order of wanted has
// no influence. Where nothing fits the error is an *Unsolvable.
func Solve(ctx context.Context, c Catalogue, wanted []Clause, options Options) (*Solution, error) {
	wanted = slices.Clone(wanted)
	slices.SortStableFunc(wanted, func(a, b Clause) int {
		return cmp.Or(cmp.Compare(a.Text, b.Text), slices.Compare(a.Options, b.Options))
	})
	s := &solver{
		catalogue: c, steps: cmp.Or(options.Steps, defaultSteps),
		known: map[ID]variable{}, slots: map[string][]variable{},
	}
	if err := s.search(ctx, wanted); err != nil {
		return nil, err
	}
	return s.sweep(), nil
}

// nobody is the variable of no package: the owner of what is wanted.
const nobody variable = -1

// A relation is a clause of a package (or of nobody) in terms of variables.
type relation struct {
	owner   variable
	clause  Clause
	options []variable
	unless  []variable
	// dropped is true where a weak relation is given up.
	dropped variable
	turn    turn
}

// A cause is what a rule stands for: a relation, or that two packages may not
// be chosen together, since one conflicts (text) or both have one slot ("").
type cause struct {
	relation *relation
	one, two variable
	text     string
}

type solver struct {
	sat       sat
	catalogue Catalogue
	steps     int

	known map[ID]variable
	slots map[string][]variable
	all   []considered // by variable

	wanted      []*relation
	conditional []*relation // those with Unless
	agenda      agenda
	mark        int
}

// considered is what is known of a package that may be chosen.
type considered struct {
	id        ID
	pkg       Package
	requires  []Clause // once asked for
	asked     bool
	loaded    bool        // its relations and conflicts are rules
	relations []*relation // once loaded, without the conditional ones
	mark      int         // see variables
}

// search assigns the variables until every relation holds in which the open
// ones count as not chosen.
func (s *solver) search(ctx context.Context, wanted []Clause) error {
	var conflict *rule
	for _, clause := range wanted {
		r, err := s.addRelation(nobody, clause)
		if err != nil {
			return err
		}
		conflict = cmp.Or(conflict, r)
	}
	for {
		if conflict == nil {
			var err error
			if conflict, err = s.sat.propagate(s.load); err != nil {
				return err
			}
		}
		if err := s.step(ctx); err != nil {
			return err
		}
		if conflict != nil {
			if len(s.sat.starts) == 0 {
				return s.explain(conflict)
			}
			conflict = s.backtrack(conflict)
			continue
		}
		l, more, err := s.choose()
		if err != nil || !more {
			return err
		}
		s.agenda.save()
		s.sat.decide(l)
	}
}

// step counts one step and tells when it is one too many.
func (s *solver) step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cannot choose packages: %w", err)
	}
	if s.steps--; s.steps < 0 {
		return fmt.Errorf("cannot choose packages: the search takes too many steps; name versions or alternatives in the request to narrow it")
	}
	return nil
}

// backtrack learns from a conflict and goes back to where it can be avoided.
// It returns the next conflict, if what was learned is one.
func (s *solver) backtrack(conflict *rule) *rule {
	learned, level := s.sat.learn(conflict)
	s.sat.undo(level)
	s.agenda.undo(level)
	return s.sat.add(learned)
}

// load makes rules of the relations of a package that was chosen for the first
// time.
func (s *solver) load(v variable) (*rule, error) {
	if s.all[v].loaded {
		return nil, nil
	}
	s.all[v].loaded = true
	var conflict *rule
	for _, mate := range s.slots[s.all[v].pkg.Slot] {
		if mate != v && !s.all[mate].loaded {
			conflict = cmp.Or(conflict, s.exclude(v, mate, ""))
		}
	}
	clauses, err := s.requires(v)
	if err != nil {
		return nil, err
	}
	for _, c := range clauses {
		r, err := s.addRelation(v, c)
		if err != nil {
			return nil, err
		}
		conflict = cmp.Or(conflict, r)
	}
	r, err := s.loadConflicts(v)
	return cmp.Or(conflict, r), err
}

// requires asks the catalogue, once.
func (s *solver) requires(v variable) ([]Clause, error) {
	if s.all[v].asked {
		return s.all[v].requires, nil
	}
	clauses, err := s.catalogue.Requires(s.all[v].id)
	if err != nil {
		return nil, err
	}
	s.steps--
	s.all[v].asked, s.all[v].requires = true, clauses
	return clauses, nil
}

func (s *solver) loadConflicts(v variable) (*rule, error) {
	conflicts, err := s.catalogue.Conflicts(s.all[v].id)
	if err != nil {
		return nil, err
	}
	var conflict *rule
	for _, c := range conflicts {
		with, err := s.variables(c.With)
		if err != nil {
			return nil, err
		}
		for _, w := range with {
			if w != v {
				conflict = cmp.Or(conflict, s.exclude(v, w, c.Text))
			}
		}
	}
	return conflict, nil
}

// exclude adds the rule that not both are chosen.
func (s *solver) exclude(one, two variable, text string) *rule {
	return s.sat.add(&rule{
		literals: []literal{one.no(), two.no()},
		cause:    cause{one: one, two: two, text: text},
	})
}

// addRelation adds a clause to the agenda and as a rule.
func (s *solver) addRelation(owner variable, c Clause) (*rule, error) {
	options, err := s.variables(c.Options)
	if err != nil {
		return nil, err
	}
	unless, err := s.variables(c.Unless)
	if err != nil {
		return nil, err
	}
	if owner != nobody && slices.Contains(options, owner) {
		return nil, nil
	}
	r := &relation{owner: owner, clause: c, options: options, unless: unless, turn: s.turnOf(c, options)}
	switch {
	case len(unless) > 0:
		s.conditional = append(s.conditional, r)
	case owner == nobody:
		s.wanted = append(s.wanted, r)
	default:
		s.all[owner].relations = append(s.all[owner].relations, r)
	}
	if c.Weak {
		r.dropped = s.sat.newVariable()
		s.all = append(s.all, considered{id: None, loaded: true})
	}
	return s.sat.add(&rule{literals: r.literals(), cause: cause{relation: r}}), nil
}

// literals returns the relation as a disjunction.
func (r *relation) literals() []literal {
	literals := make([]literal, 0, len(r.unless)+len(r.options)+2)
	if r.owner != nobody {
		literals = append(literals, r.owner.no())
	}
	for _, v := range r.unless {
		if v != r.owner {
			literals = append(literals, v.no())
		}
	}
	for _, v := range r.options {
		literals = append(literals, v.yes())
	}
	if r.clause.Weak {
		literals = append(literals, r.dropped.yes())
	}
	return literals
}

// variables returns the variables of packages, each once, and makes those
// that are new.
func (s *solver) variables(ids []ID) ([]variable, error) {
	variables := make([]variable, 0, len(ids))
	s.mark++
	for _, id := range ids {
		v, known := s.known[id]
		if !known {
			var err error
			if v, err = s.meet(id); err != nil {
				return nil, err
			}
		}
		if s.all[v].mark != s.mark {
			s.all[v].mark = s.mark
			variables = append(variables, v)
		}
	}
	return variables, nil
}

// meet makes the variable of a package.
func (s *solver) meet(id ID) (variable, error) {
	p, err := s.catalogue.Package(id)
	if err != nil {
		return nobody, err
	}
	v := s.sat.newVariable()
	s.known[id] = v
	s.all = append(s.all, considered{id: id, pkg: p})
	if p.Slot == "" {
		return v, nil
	}
	for _, mate := range s.slots[p.Slot] {
		if s.all[mate].loaded {
			s.exclude(mate, v, "") // never false, for v is open
		}
	}
	s.slots[p.Slot] = append(s.slots[p.Slot], v)
	return v, nil
}

func (s *solver) chosen(v variable) bool { return s.sat.value[v] > 0 }
