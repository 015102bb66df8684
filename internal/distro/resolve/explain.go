package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Unsolvable says that no set of packages has all that is wanted, and why.
type Unsolvable struct {
	// Lines are the relations that cannot hold together, none of them
	// superfluous, from what is wanted down; each is indented below the one
	// that calls for it. The clashes between packages come last.
	Lines []string
}

// maxLines bounds the lines of a message.
const maxLines = 40

// Error returns the lines below a heading.
func (u *Unsolvable) Error() string {
	lines := u.Lines
	if more := len(lines) - maxLines; more > 0 {
		lines = append(slices.Clone(lines[:maxLines]), fmt.Sprintf("and %d more", more))
	}
	return "cannot choose packages:\n  " + strings.Join(lines, "\n  ")
}

// explain turns a conflict that no decision can avoid into its explanation.
func (s *solver) explain(conflict *rule) error {
	e := explainer{solver: s, of: map[variable][]*relation{}, told: map[*relation]bool{}}
	for _, r := range minimal(s.sat.core(conflict)) {
		if r.cause.relation == nil {
			e.clashes = append(e.clashes, r.cause)
			continue
		}
		owner := r.cause.relation.owner
		e.of[owner] = append(e.of[owner], r.cause.relation)
	}
	e.tell(e.of[nobody], 0)
	e.tellClashes()
	return &Unsolvable{Lines: e.lines}
}

// maxMinimal bounds the rules that minimal looks at, for it tries each.
const maxMinimal = 400

// minimal leaves out rules without which there is still no solution.
func minimal(rules []*rule) []*rule {
	if len(rules) > maxMinimal {
		return rules
	}
	for i := len(rules) - 1; i >= 0; i-- {
		if fewer := slices.Delete(slices.Clone(rules), i, i+1); contradictory(fewer) {
			rules = fewer
		}
	}
	return rules
}

// contradictory reports whether no assignment makes all rules true. It gives up
// with false after many conflicts.
func contradictory(rules []*rule) bool {
	var s sat
	var conflict *rule
	own := map[variable]variable{}
	for _, r := range rules {
		copied := &rule{literals: slices.Clone(r.literals)}
		for i, l := range copied.literals {
			v, known := own[l.variable()]
			if !known {
				v = s.newVariable()
				own[l.variable()] = v
			}
			copied.literals[i] = v.yes()
			if !l.positive() {
				copied.literals[i] = v.no()
			}
		}
		if r := s.add(copied); r != nil {
			conflict = r
		}
	}
	for range 1000 {
		if conflict == nil {
			conflict, _ = s.propagate(nil) // without a function there is no error
		}
		if conflict == nil {
			v := slices.Index(s.value, 0)
			if v < 0 {
				return false
			}
			s.decide(variable(v).no())
			continue
		}
		if len(s.starts) == 0 {
			return true
		}
		learned, level := s.learn(conflict)
		s.undo(level)
		conflict = s.add(learned)
	}
	return false
}

// An explainer writes down the rules of a contradiction.
type explainer struct {
	*solver
	of      map[variable][]*relation // by owner
	clashes []cause
	told    map[*relation]bool
	lines   []string
}

// tell writes relations of one kind of owner, each with the relations of its
// options below it.
func (e *explainer) tell(relations []*relation, depth int) {
	for i, r := range relations {
		if e.told[r] {
			continue
		}
		e.told[r] = true
		subject := ""
		if r.owner != nobody {
			subject = e.name(r.owner) + e.alike(r, relations[i+1:]) + " "
		}
		e.lines = append(e.lines, strings.Repeat("  ", depth)+subject+e.text(r))
		var next []*relation
		for _, v := range r.options {
			next = append(next, e.of[v]...)
		}
		e.tell(next, depth+1)
	}
}

// alike names the other versions of a package that have the same relation,
// and counts that relation as reported.
func (e *explainer) alike(r *relation, others []*relation) string {
	var versions []string
	for _, o := range others {
		if !e.told[o] && o.clause.Text == r.clause.Text && e.all[o.owner].pkg.Name == e.all[r.owner].pkg.Name {
			e.told[o] = true
			versions = append(versions, e.all[o.owner].pkg.Version)
		}
	}
	if versions == nil {
		return ""
	}
	return fmt.Sprintf(" (also %s)", strings.Join(versions, ", "))
}

// text returns what a relation says, and where it has no options, what is on
// offer instead.
func (e *explainer) text(r *relation) string {
	text := r.clause.Text
	if r.owner == nobody {
		text += " is wanted"
	}
	if len(r.options) > 0 {
		return text
	}
	if len(r.clause.Misfits) == 0 {
		return text + ": nothing on offer is or provides that"
	}
	var names []string
	for _, id := range r.clause.Misfits[:min(len(r.clause.Misfits), maxMisfits)] {
		p, err := e.catalogue.Package(id)
		if err != nil {
			continue // the explanation is worth more than one name in it
		}
		names = append(names, fmt.Sprintf("%s %s (%s)", p.Name, p.Version, p.Architecture))
	}
	text += ": on offer is " + strings.Join(names, ", ")
	if more := len(r.clause.Misfits) - maxMisfits; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// maxMisfits bounds how many packages a message offers instead.
const maxMisfits = 8

// tellClashes writes the pairs that exclude each other, those with several
// versions of one package on one line.
func (e *explainer) tellClashes() {
	slices.SortFunc(e.clashes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(e.all[a.one].id, e.all[b.one].id), cmp.Compare(e.all[a.two].id, e.all[b.two].id))
	})
	for i, c := range e.clashes {
		if c.text == "" {
			e.lines = append(e.lines, fmt.Sprintf("only one of %s and %s can be chosen", e.name(c.one), e.name(c.two)))
			continue
		}
		alike := func(o cause) bool {
			return o.one == c.one && o.text == c.text && e.all[o.two].pkg.Name == e.all[c.two].pkg.Name
		}
		if slices.ContainsFunc(e.clashes[:i], alike) {
			continue // reported with the first
		}
		line := fmt.Sprintf("%s %s (%s", e.name(c.one), c.text, e.name(c.two))
		for _, o := range e.clashes[i+1:] {
			if alike(o) {
				line += ", " + e.all[o.two].pkg.Version
			}
		}
		e.lines = append(e.lines, line+")")
	}
}

// name returns name and version of a package, and its architecture where
// another one of that name is considered too.
func (e *explainer) name(v variable) string {
	p := e.all[v].pkg
	for _, other := range e.all {
		if other.pkg.Name == p.Name && other.pkg.Architecture != p.Architecture {
			return fmt.Sprintf("%s:%s %s", p.Name, p.Architecture, p.Version)
		}
	}
	return p.Name + " " + p.Version
}
