package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Options adapt a search to the family of the packages.
type Options struct {
	// Minimize leaves out an option that brings another option of the same
	// relation along, as libsolv does when it minimizes its answer. apt keeps
	// the first alternative.
	Minimize bool
	// Steps bounds the packages looked at, decisions and conflicts, together;
	// 0 means a bound that real requests stay far below.
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
//     packages;
//   - of the Options that are Equal, the one that brings the fewest packages;
//   - with Minimize, an option that another one brings along anyway.
//
// Weak clauses come last and change nothing of what is needed without them.
// Of those that cannot all hold, the ones of packages chosen earlier do.
//
// A package is chosen only if a clause calls for it. The order of wanted has
// no influence. Where nothing fits the error is an *Unsolvable.
func Solve(ctx context.Context, c Catalogue, wanted []Clause, options Options) (*Solution, error) {
	wanted = slices.Clone(wanted)
	slices.SortStableFunc(wanted, func(a, b Clause) int {
		return cmp.Or(cmp.Compare(a.Text, b.Text), slices.Compare(a.Options, b.Options))
	})
	s := &solver{
		catalogue: c, steps: cmp.Or(options.Steps, defaultSteps), minimize: options.Minimize,
		known: map[ID]variable{}, slots: map[string][]variable{},
	}
	if err := s.search(ctx, wanted); err != nil {
		return nil, err
	}
	return s.sweep(), nil
}

// nobody is the variable of no package: the owner of what is wanted.
const nobody variable = -1

// A solver has one variable for each package that it has met, and one for each
// weak relation.
type solver struct {
	sat       sat
	catalogue Catalogue
	steps     int
	minimize  bool

	known map[ID]variable
	slots map[string][]variable
	all   []considered // by variable

	wanted      []*relation
	conditional []*relation // those with Unless
	agenda      agenda
	mark        int
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
			s.undo(s.sat.top(conflict))
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
	s.undo(level)
	return s.sat.add(learned)
}

func (s *solver) undo(level int) {
	s.sat.undo(level)
	s.agenda.undo(level)
}

func (s *solver) chosen(v variable) bool { return s.sat.value[v] > 0 }
