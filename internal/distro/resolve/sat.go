package resolve

import "slices"

// A variable is one package that the solver considers: chosen or not.
type variable int32

// A literal is a variable (2v) or its negation (2v+1).
type literal int32

func (v variable) yes() literal { return literal(v << 1) }
func (v variable) no() literal  { return literal(v<<1 | 1) }

func (l literal) not() literal       { return l ^ 1 }
func (l literal) variable() variable { return variable(l >> 1) }
func (l literal) positive() bool     { return l&1 == 0 }

// A rule is a disjunction of literals. The first two are watched: while
// neither is false the rule can wait.
type rule struct {
	literals []literal
	// from are the rules that a learned one follows from.
	from []*rule
	// cause says what the rule stands for. Learned ones have none.
	cause cause
}

// sat holds rules and an assignment, and does the two things that
// conflict-driven solvers do (Marques-Silva, Lynce, Malik: Conflict-Driven
// Clause Learning SAT Solvers): it propagates what follows, and learns a rule
// from each conflict. What to decide is left to the caller, and so is when to
// add rules: they may come at any time.
type sat struct {
	value   []int8 // by variable: 1 chosen, -1 not, 0 open
	level   []int  // by variable: the decision level that assigned it
	reason  []*rule
	seen    []bool    // by variable, for learn
	watches [][]*rule // by literal: rules to look at when it becomes false
	trail   []literal // what is true, in the order of assignment
	head    int       // trail before it is propagated
	starts  []int     // by level: the length of the trail before its decision
	// units are the rules of one literal that were added above level 0. Nothing
	// watches them, so each propagation begins with them.
	units []*rule
}

func (s *sat) newVariable() variable {
	s.value = append(s.value, 0)
	s.level = append(s.level, 0)
	s.reason = append(s.reason, nil)
	s.seen = append(s.seen, false)
	s.watches = append(s.watches, nil, nil)
	return variable(len(s.value) - 1)
}

// truth is 1 where the literal is true, -1 where it is false, 0 where open.
func (s *sat) truth(l literal) int8 {
	if l.positive() {
		return s.value[l.variable()]
	}
	return -s.value[l.variable()]
}

func (s *sat) assign(l literal, why *rule) {
	v := l.variable()
	s.value[v] = 1
	if !l.positive() {
		s.value[v] = -1
	}
	s.level[v], s.reason[v] = len(s.starts), why
	s.trail = append(s.trail, l)
}

// decide begins a level with the literal.
func (s *sat) decide(l literal) {
	s.starts = append(s.starts, len(s.trail))
	s.assign(l, nil)
}

// undo takes back all levels above the given one.
func (s *sat) undo(level int) {
	if level >= len(s.starts) {
		return
	}
	start := s.starts[level]
	for _, l := range s.trail[start:] {
		s.value[l.variable()] = 0
	}
	s.trail, s.starts, s.head = s.trail[:start], s.starts[:level], start
}

// add takes a rule in. It returns the rule if it is false under the present
// assignment.
//
// A rule that comes late may already follow from an earlier level than the
// present one. It then acts at the present level, and after an undo only when
// its watched literal is assigned: less is propagated, nothing is missed.
func (s *sat) add(r *rule) *rule {
	s.watchBest(r, 0)
	if len(r.literals) == 1 && len(s.starts) > 0 {
		s.units = append(s.units, r)
	}
	if len(r.literals) > 1 {
		s.watchBest(r, 1)
		s.watch(r.literals[0], r)
		s.watch(r.literals[1], r)
		if s.truth(r.literals[1]) >= 0 {
			return nil
		}
	}
	switch {
	case len(r.literals) == 0 || s.truth(r.literals[0]) < 0:
		return r
	case s.truth(r.literals[0]) == 0:
		s.assign(r.literals[0], r)
	}
	return nil
}

// watchBest moves to place i the literal that stays longest not false: true
// ones, then open ones, then those made false last.
func (s *sat) watchBest(r *rule, i int) {
	rank := func(l literal) int {
		switch s.truth(l) {
		case 1:
			return len(s.starts) + 2
		case 0:
			return len(s.starts) + 1
		default:
			return s.level[l.variable()]
		}
	}
	for j := i + 1; j < len(r.literals); j++ {
		if rank(r.literals[j]) > rank(r.literals[i]) {
			r.literals[i], r.literals[j] = r.literals[j], r.literals[i]
		}
	}
}

func (s *sat) watch(l literal, r *rule) {
	s.watches[l] = append(s.watches[l], r)
}

// propagate assigns what follows from the assignment until nothing more does,
// or a rule is false, which it returns. chosen is called for each variable
// that has become true; it may add rules and return one that is false.
func (s *sat) propagate(chosen func(variable) (*rule, error)) (*rule, error) {
	if conflict := s.assertUnits(); conflict != nil {
		return conflict, nil
	}
	for s.head < len(s.trail) {
		l := s.trail[s.head]
		s.head++
		if conflict := s.visit(l.not()); conflict != nil {
			return conflict, nil
		}
		if l.positive() && chosen != nil {
			if conflict, err := chosen(l.variable()); conflict != nil || err != nil {
				return conflict, err
			}
		}
	}
	return nil, nil
}

// assertUnits assigns the literals of the rules that have only one, which an
// undo takes back, and returns such a rule that is false. What is asserted on
// level 0 stays, so there the list ends.
func (s *sat) assertUnits() *rule {
	for _, r := range s.units {
		switch s.truth(r.literals[0]) {
		case -1:
			return r
		case 0:
			s.assign(r.literals[0], r)
		}
	}
	if len(s.starts) == 0 {
		s.units = nil
	}
	return nil
}

// top returns the highest level that a false rule rests on.
func (s *sat) top(r *rule) int {
	level := 0
	for _, l := range r.literals {
		level = max(level, s.level[l.variable()])
	}
	return level
}

// visit looks at the rules that watch a literal which has become false.
func (s *sat) visit(l literal) *rule {
	kept := s.watches[l][:0]
	for i, r := range s.watches[l] {
		if r.literals[0] == l {
			r.literals[0], r.literals[1] = r.literals[1], l
		}
		if s.truth(r.literals[0]) > 0 {
			kept = append(kept, r)
			continue
		}
		if s.moveWatch(r) {
			continue
		}
		kept = append(kept, r)
		if s.truth(r.literals[0]) < 0 {
			kept = append(kept, s.watches[l][i+1:]...)
			s.watches[l] = kept
			return r
		}
		s.assign(r.literals[0], r)
	}
	s.watches[l] = kept
	return nil
}

// moveWatch lets the rule watch another literal instead of its second.
func (s *sat) moveWatch(r *rule) bool {
	for i := 2; i < len(r.literals); i++ {
		if s.truth(r.literals[i]) >= 0 {
			r.literals[1], r.literals[i] = r.literals[i], r.literals[1]
			s.watch(r.literals[1], r)
			return true
		}
	}
	return false
}

// learn works out, from a rule that is false, a rule that would have
// prevented it: the first unique implication point of the present level and
// what it rests on. The rule's first literal is the one to assign after an
// undo to the level returned.
func (s *sat) learn(conflict *rule) (*rule, int) {
	learned := &rule{literals: []literal{0}}
	open, at := 0, len(s.trail)
	for why, skip := conflict, literal(-1); ; {
		learned.from = append(learned.from, why)
		for _, l := range why.literals {
			v := l.variable()
			if l == skip || s.seen[v] || s.level[v] == 0 {
				continue
			}
			s.seen[v] = true
			if s.level[v] == len(s.starts) {
				open++
			} else {
				learned.literals = append(learned.literals, l)
			}
		}
		at = s.lastSeen(at)
		skip = s.trail[at]
		s.seen[skip.variable()] = false
		if open--; open == 0 {
			learned.literals[0] = skip.not()
			break
		}
		why = s.reason[skip.variable()]
	}
	level := 0
	for _, l := range learned.literals[1:] {
		s.seen[l.variable()] = false
		level = max(level, s.level[l.variable()])
	}
	return learned, level
}

// lastSeen returns the last place on the trail before at whose variable is
// seen.
func (s *sat) lastSeen(at int) int {
	for {
		at--
		if s.seen[s.trail[at].variable()] {
			return at
		}
	}
}

// core returns the rules, none of them learned, that a conflict on level 0
// follows from.
func (s *sat) core(conflict *rule) []*rule {
	var found []*rule
	visited := map[*rule]bool{}
	for todo := []*rule{conflict}; len(todo) > 0; {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if r == nil || visited[r] {
			continue
		}
		visited[r] = true
		if r.from == nil {
			found = append(found, r)
		}
		todo = append(todo, r.from...)
		for _, l := range r.literals {
			if v := l.variable(); s.value[v] != 0 && s.level[v] == 0 {
				todo = append(todo, s.reason[v])
			}
		}
	}
	slices.Reverse(found)
	return found
}
