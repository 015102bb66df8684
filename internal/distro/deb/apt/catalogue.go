package apt

import (
	"context"
	"errors"
	"fmt"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/resolve"
)

// A Catalogue is all that a machine of one architecture is offered, as
// clauses for the solver. The relations of a package are read when they are
// asked for. It is for one goroutine at a time.
type Catalogue struct {
	offers      []*Offer
	first       []resolve.ID // by offer: the ID of its first package
	preferences *Preferences
	native      string
	recommends  bool
	// wide offers all versions of a name and not just apt's candidate.
	wide bool

	groups   map[string]*group
	bearers  map[string][]*Version // see bearing
	versions map[resolve.ID]*Version
}

var _ resolve.Catalogue = (*Catalogue)(nil)

// NewCatalogue returns the catalogue of what is on offer. Of two offers of one
// version the first is taken. native is the architecture of the image; offers
// may hold others, which count where a request or a relation names them.
func NewCatalogue(offers []*Offer, preferences *Preferences, native string, recommends bool) *Catalogue {
	c := &Catalogue{
		offers: offers, preferences: preferences, native: native, recommends: recommends,
		groups: map[string]*group{}, bearers: map[string][]*Version{}, versions: map[resolve.ID]*Version{},
	}
	var next resolve.ID
	for _, o := range offers {
		c.first = append(c.first, next)
		next += resolve.ID(o.Len())
	}
	return c
}

// Resolve chooses the packages for requests: what apt would install where
// nothing is installed. Each name is taken in the version that apt prefers,
// its candidate, or the one requested. Only where no such set exists, other
// versions are considered too, the preferred ones first.
func (c *Catalogue) Resolve(ctx context.Context, requests []Request) (*resolve.Solution, error) {
	wanted, err := c.wanted(requests)
	if err != nil {
		return nil, err
	}
	solution, err := resolve.Solve(ctx, c, wanted, resolve.Options{})
	var unsolvable *resolve.Unsolvable
	if !errors.As(err, &unsolvable) {
		return solution, err
	}
	c.wide = true
	defer func() { c.wide = false }()
	if wanted, err = c.wanted(requests); err != nil {
		return nil, err
	}
	return resolve.Solve(ctx, c, wanted, resolve.Options{})
}

// Version returns a package of a solution.
func (c *Catalogue) Version(id resolve.ID) (*Version, error) { return c.version(id) }

// Package names a package for the solver.
func (c *Catalogue) Package(id resolve.ID) (resolve.Package, error) {
	v, err := c.version(id)
	if err != nil {
		return resolve.Package{}, err
	}
	return resolve.Package{
		Name: v.Name, Version: v.Version, Architecture: v.Architecture, Slot: v.Name + ":" + c.architecture(v),
	}, nil
}

// Requires returns the relations of a package that call for others.
func (c *Catalogue) Requires(id resolve.ID) ([]resolve.Clause, error) {
	v, err := c.version(id)
	if err != nil {
		return nil, err
	}
	var clauses []resolve.Clause
	for _, kind := range []struct {
		field, says string
		weak        bool
	}{
		{"Pre-Depends", "pre-depends on", false},
		{"Depends", "depends on", false},
		{"Recommends", "recommends", true},
	} {
		if kind.weak && !c.recommends {
			continue
		}
		relations, err := c.relations(v, kind.field)
		if err != nil {
			return nil, err
		}
		for _, a := range relations {
			clause, err := c.clause(c.architecture(v), a)
			if err != nil {
				return nil, err
			}
			clause.Text, clause.Weak = kind.says+" "+a.String(), kind.weak
			clauses = append(clauses, clause)
		}
	}
	return clauses, nil
}

func (c *Catalogue) relations(v *Version, field string) ([]control.Alternatives, error) {
	relations, err := control.ParseRelations(v.Paragraph.Get(field), c.architecture(v))
	if err != nil {
		return nil, fmt.Errorf("cannot read the relations of %s %s: %w", v.Name, v.Version, err)
	}
	return relations, nil
}

// clause turns the alternatives of a package for that architecture into a
// clause: first the candidates of each alternative, then what else there is.
func (c *Catalogue) clause(architecture string, alternatives control.Alternatives) (resolve.Clause, error) {
	var all fulfilment
	for _, r := range alternatives {
		f, err := c.fulfilling(r, architecture)
		if err != nil {
			return resolve.Clause{}, err
		}
		all.candidates = append(all.candidates, f.candidates...)
		all.others = append(all.others, f.others...)
		all.misfits = append(all.misfits, f.misfits...)
	}
	return all.clause(c.wide), nil
}

// Conflicts returns the relations of a package that exclude others.
func (c *Catalogue) Conflicts(id resolve.ID) ([]resolve.Conflict, error) {
	v, err := c.version(id)
	if err != nil {
		return nil, err
	}
	conflicts, err := c.otherArchitectures(v)
	if err != nil {
		return nil, err
	}
	for _, kind := range []struct{ field, says string }{{"Conflicts", "conflicts with"}, {"Breaks", "breaks"}} {
		relations, err := c.relations(v, kind.field)
		if err != nil {
			return nil, err
		}
		for _, a := range relations {
			for _, r := range a {
				with, err := c.excluded(v, r)
				if err != nil {
					return nil, err
				}
				if len(with) > 0 {
					conflicts = append(conflicts, resolve.Conflict{Text: kind.says + " " + r.String(), With: with})
				}
			}
		}
	}
	return conflicts, nil
}
