package resolve

import (
	"cmp"
	"slices"
)

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
