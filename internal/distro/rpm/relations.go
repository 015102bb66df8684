package rpm

import (
	"context"
	"fmt"
	"slices"

	"smith/internal/distro"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/source"
)

// List returns the packages of a set with their relations.
func (f *family) List(ctx context.Context, set []distro.Package, held func(distro.Package) ([]string, error)) ([]source.Package, error) {
	about, err := descriptions(ctx, rpms(set))
	if err != nil {
		return nil, err
	}
	asked := f.asked(rpms(set), about)
	capabilities, err := capabilitiesOf(set, about, held)
	if err != nil {
		return nil, err
	}
	list := make([]source.Package, len(about))
	for i, p := range set {
		id := p.ID()
		list[i] = source.Package{
			Package: id, Digest: p.Base().Digest.String(),
			Source: repodata.SourceName(about[i].SourceRPM),
		}
		if place, ok := asked[i]; ok {
			list[i].Asked, list[i].Request, list[i].Where = true, place, f.Requests[place].Where
		}
		if list[i].Relations, err = capabilities.relations(i, about[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return list, nil
}

// relations returns what a package calls for and does not provide itself.
func (c *capabilities) relations(index int, p *repodata.Package) ([]source.Relation, error) {
	var all []source.Relation
	for _, of := range []struct {
		kind source.RelationKind
		list []relation.Relation
	}{{source.Depends, p.Requires}, {source.Recommends, p.Recommends}} {
		for _, r := range of.list {
			by, err := c.satisfying(r)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(by, index) {
				all = append(all, source.Relation{Kind: of.kind, Text: r.String(), By: by})
			}
		}
	}
	return all, nil
}

// capabilities are what packages provide and hold, by name.
type capabilities struct {
	provided map[string][]capability
	held     map[string][]int
}

type capability struct {
	relation.Relation
	index int
}

func capabilitiesOf(set []distro.Package, about []*repodata.Package, held func(distro.Package) ([]string, error)) (*capabilities, error) {
	c := &capabilities{map[string][]capability{}, map[string][]int{}}
	for i, p := range about {
		c.provided[p.Name] = append(c.provided[p.Name], capability{relation.Relation{Name: p.Name, Op: relation.Equal, EVR: p.EVR}, i})
		for _, r := range p.Provides {
			c.provided[r.Name] = append(c.provided[r.Name], capability{r, i})
		}
		holds, err := held(set[i])
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Concat(p.Files, holds) {
			if !slices.Contains(c.held[name], i) {
				c.held[name] = append(c.held[name], i)
			}
		}
	}
	return c, nil
}

// satisfying returns the packages that satisfy a relation, which may be a rich
// one.
func (c *capabilities) satisfying(r relation.Relation) ([]int, error) {
	if !relation.IsRich(r.Name) {
		return c.matching(r), nil
	}
	rich, err := relation.ParseRich(r.Name)
	if err != nil {
		return nil, err
	}
	return c.rich(rich), nil
}

func (c *capabilities) matching(r relation.Relation) []int {
	var by []int
	for _, p := range c.provided[r.Name] {
		if r.Matches(p.Relation) && !slices.Contains(by, p.index) {
			by = append(by, p.index)
		}
	}
	if r.IsFile() {
		// The tree has a merged /usr; a relation may name what lies there by its
		// old path.
		for _, i := range slices.Concat(c.held[r.Name], c.held["/usr"+r.Name]) {
			if !slices.Contains(by, i) {
				by = append(by, i)
			}
		}
	}
	return by
}

// rich returns the packages that contribute to a rich relation; its depth is
// bounded by the parser.
func (c *capabilities) rich(r relation.Rich) []int {
	part := func(i int) []int {
		if i < len(r.Parts) {
			return c.rich(r.Parts[i])
		}
		return nil
	}
	switch r.Verb {
	case "":
		return c.matching(r.Relation)
	case relation.If:
		if len(part(1)) > 0 {
			return part(0)
		}
		return part(2)
	case relation.Unless:
		if len(part(1)) > 0 {
			return part(2)
		}
		return part(0)
	case relation.With, relation.Without:
		other := part(1)
		return slices.DeleteFunc(part(0), func(i int) bool { return slices.Contains(other, i) != (r.Verb == relation.With) })
	case relation.And, relation.Or:
	}
	var by []int
	for i := range r.Parts {
		for _, one := range part(i) {
			if !slices.Contains(by, one) {
				by = append(by, one)
			}
		}
	}
	return by
}
