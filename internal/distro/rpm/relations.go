package rpm

import (
	"context"
	"slices"

	"smith/internal/distro/packages"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/nearest"
	"smith/internal/source"
)

// A knowledge is what is known of the packages that were chosen.
type knowledge struct {
	source *Source
	set    *packages.Set
	chosen *choice
}

var _ source.Packages = (*knowledge)(nil)

// List returns the chosen packages with their relations.
func (k *knowledge) List(ctx context.Context) ([]source.Package, error) {
	about := make([]*repodata.Package, len(k.chosen.packages))
	for i, p := range k.chosen.packages {
		var err error
		if about[i], err = p.description(ctx); err != nil {
			return nil, err
		}
	}
	asked := k.source.asked(k.chosen.packages, about)
	capabilities, err := k.capabilities(about)
	if err != nil {
		return nil, err
	}
	list := make([]source.Package, len(about))
	for i, p := range k.chosen.packages {
		list[i] = source.Package{
			Package: p.ID(), Digest: p.digest.String(),
			Source: repodata.SourceName(about[i].SourceRPM), Asked: slices.Contains(asked, i),
		}
		if list[i].Relations, err = capabilities.relations(i, about[i]); err != nil {
			return nil, err
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

func (k *knowledge) capabilities(about []*repodata.Package) (*capabilities, error) {
	c := &capabilities{map[string][]capability{}, map[string][]int{}}
	for i, p := range about {
		c.provided[p.Name] = append(c.provided[p.Name], capability{relation.Relation{Name: p.Name, Op: relation.Equal, EVR: p.EVR}, i})
		for _, r := range p.Provides {
			c.provided[r.Name] = append(c.provided[r.Name], capability{r, i})
		}
		held, err := k.set.Held(k.chosen.packages[i])
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Concat(p.Files, held) {
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

// Files returns what the tree has of a package.
func (k *knowledge) Files(_ context.Context, p source.Package) ([]string, error) {
	for _, c := range k.chosen.packages {
		if c.digest.String() == p.Digest {
			return k.set.Held(c)
		}
	}
	return nil, nil
}

// Holders returns which packages on offer hold paths.
func (k *knowledge) Holders(ctx context.Context, paths []string, fetch bool) (map[string][]string, error) {
	finder := nearest.NewHolders(paths)
	if err := k.chosen.like(ctx, k.set, []*nearest.PathFinder{finder}, fetch); err != nil {
		return nil, err
	}
	return finder.Holders(paths), nil
}
