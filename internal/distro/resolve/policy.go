package resolve

// A turn says when a relation that is not met is dealt with: all of an
// earlier turn come first. What is certain goes before what is a choice, so
// that a choice falls on what is there anyway.
type turn int

const (
	oneSlot   turn = iota // the packages that fulfil it differ in version only
	choice                // different packages fulfil it
	weakSlot              // weak, and versions only
	weak                  // weak, different packages
	turnCount int  = iota
)

// turnOf returns the turn of a clause with those options.
func (s *solver) turnOf(c Clause, options []variable) turn {
	t := oneSlot
	for _, v := range options {
		if slot := s.all[v].pkg.Slot; slot == "" && len(options) > 1 || slot != s.all[options[0]].pkg.Slot {
			t = choice
		}
	}
	if c.Weak {
		t += weakSlot
	}
	return t
}

// An agenda remembers how far along the trail the packages have no relation
// left to deal with.
type agenda struct {
	progress
	saved []progress // by level: before its decision
}

type progress struct {
	turns [turnCount]int
	weak  int // for undeclared
}

func (a *agenda) save() { a.saved = append(a.saved, a.progress) }

func (a *agenda) undo(level int) {
	if level < len(a.saved) {
		a.progress, a.saved = a.saved[level], a.saved[:level]
	}
}

// choose returns what to decide next, or false where all relations hold. It is
// the best option of the first relation, in the order in which the packages
// were chosen. Before the first weak one, all weak ones that are known by then
// are declared not dropped: a choice for one of them then heeds the others.
func (s *solver) choose() (literal, bool, error) {
	for t := range turn(turnCount) {
		if t == weakSlot {
			if r := s.undeclared(); r != nil {
				return r.dropped.no(), true, nil
			}
		}
		if r := s.unmet(t); r != nil {
			v, err := s.best(r)
			return v.yes(), true, err
		}
	}
	return 0, false, nil
}

// undeclared returns the first weak relation that is neither met nor dropped
// nor declared not to be.
func (s *solver) undeclared() *relation {
	return s.next(&s.agenda.weak, func(r *relation) bool {
		return r.clause.Weak && s.sat.value[r.dropped] == 0 && s.toMeet(r)
	})
}

// unmet returns the first relation of that turn that is not met but can be.
func (s *solver) unmet(t turn) *relation {
	return s.next(&s.agenda.turns[t], func(r *relation) bool { return r.turn == t && s.toMeet(r) })
}

// next returns the first relation that is as wanted. Those of packages on the
// trail before at are not, and at moves on with the trail.
func (s *solver) next(at *int, is func(*relation) bool) *relation {
	for _, list := range [][]*relation{s.wanted, s.conditional} {
		for _, r := range list {
			if is(r) {
				return r
			}
		}
	}
	for ; *at < len(s.sat.trail); *at++ {
		l := s.sat.trail[*at]
		if !l.positive() {
			continue
		}
		for _, r := range s.all[l.variable()].relations {
			if is(r) {
				return r
			}
		}
	}
	return nil
}

// toMeet reports whether the relation is called for, not met, and can be.
func (s *solver) toMeet(r *relation) bool {
	if r.owner != nobody && !s.chosen(r.owner) || r.clause.Weak && s.chosen(r.dropped) {
		return false
	}
	for _, v := range r.unless {
		if !s.chosen(v) {
			return false
		}
	}
	open := false
	for _, v := range r.options {
		if s.chosen(v) {
			return false
		}
		open = open || s.sat.value[v] == 0
	}
	return open
}

// best returns the option to choose: of the equal ones that are open the one
// that brings the fewest packages, or else the first that is open.
func (s *solver) best(r *relation) (variable, error) {
	best, least := nobody, 0
	for i, v := range r.options {
		if s.sat.value[v] != 0 {
			continue
		}
		if i >= r.clause.Equal {
			if best == nobody {
				best = v
			}
			break
		}
		n, err := s.weigh(v, least)
		if err != nil {
			return nobody, err
		}
		if best == nobody || n < least {
			best, least = v, n
		}
	}
	return best, nil
}

// maxWeight bounds how far weigh looks.
const maxWeight = 1000

// weigh returns how many packages come with v if for each of their relations
// the first option is taken. It stops at limit, where one is given.
func (s *solver) weigh(v variable, limit int) (int, error) {
	if limit == 0 {
		limit = maxWeight
	}
	counted := map[variable]bool{v: true}
	for todo := []variable{v}; len(todo) > 0 && len(counted) < limit; {
		v, todo = todo[len(todo)-1], todo[:len(todo)-1]
		clauses, err := s.requires(v)
		if err != nil {
			return 0, err
		}
		for _, c := range clauses {
			if c.Weak || len(c.Unless) > 0 {
				continue
			}
			next, err := s.needed(c, counted)
			if err != nil {
				return 0, err
			}
			if next != nobody {
				counted[next] = true
				todo = append(todo, next)
			}
		}
	}
	return len(counted), nil
}

// needed returns the first option of a clause that none of the chosen and
// counted packages fulfils.
func (s *solver) needed(c Clause, counted map[variable]bool) (variable, error) {
	options, err := s.variables(c.Options)
	if err != nil {
		return nobody, err
	}
	first := nobody
	for _, v := range options {
		if s.chosen(v) || counted[v] {
			return nobody, nil
		}
		if first == nobody && s.sat.value[v] == 0 {
			first = v
		}
	}
	return first, nil
}
