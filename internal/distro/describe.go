package distro

import (
	"context"
	"fmt"
	"slices"

	"smith/internal/distro/packages"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// A description is what an image is told of the packages that it is made of.
type description struct {
	source.Description
	offered *offered
	image   *tree.Tree
	trees   []*tree.Tree // on offer
	reasons map[string]record.Reason
}

// Describe adds to an image what tells of its packages.
func (o *offered) Describe(ctx context.Context, image *tree.Tree, d source.Description) (*source.Described, error) {
	all := slices.Concat(o.choice.Packages, o.choice.Debug)
	if len(installed(image, all)) == 0 {
		return &source.Described{}, nil
	}
	w := &description{Description: d, offered: o, image: image, trees: []*tree.Tree{o.tree}, reasons: map[string]record.Reason{}}
	out := &source.Described{Reasons: w.reasons}
	if d.Packages {
		base, err := w.distribution(ctx)
		if err != nil {
			return nil, err
		}
		if base != nil {
			all = append(all, base)
			out.Inputs = append(out.Inputs, base.Base().input())
		}
	}
	if d.Licenses {
		for _, p := range installed(image, all) {
			if err := w.licenses(ctx, p.Package); err != nil {
				return nil, fmt.Errorf("cannot describe %s: %w", p.ID(), err)
			}
		}
	}
	if !d.Packages {
		return out, nil
	}
	return out, w.database(ctx, installed(image, all))
}

// installed returns the packages that an image holds files of.
func installed(image *tree.Tree, all []Package) []Installed {
	files := map[string][]*tree.Node{}
	_ = image.Walk(func(n *tree.Node) error { // the function returns no error
		if n.Origin != nil && n.Origin.Kind == record.KindPackage && n.Kind != tree.Dir {
			files[n.Origin.Digest] = append(files[n.Origin.Digest], n)
		}
		return nil
	})
	var used []Installed
	for _, p := range all {
		if held := files[p.Base().Digest.String()]; len(held) > 0 {
			used = append(used, Installed{p, held})
		}
	}
	return used
}

// distribution adds the files by which the distribution is known. Where the
// packages on offer lack them, it returns the package that has them.
func (d *description) distribution(ctx context.Context) (Package, error) {
	paths, holder := d.offered.source.family.Distribution()
	if holder == "" || d.trees[0].Exists(paths[0]) {
		return nil, d.takeDistribution(paths, d.trees[0])
	}
	whole, _, err := d.offered.source.choose(ctx, d.offered.platform, true)
	if err != nil {
		return nil, err
	}
	defer whole.close()
	i := slices.IndexFunc(whole.Packages, func(p Package) bool { return p.ID().Name == holder })
	if i < 0 {
		return nil, nil // a repository of single packages
	}
	base := whole.Packages[i]
	laid, err := packages.New(ctx, set([]Package{base}), d.offered.source.family.Rules())
	if err != nil {
		return nil, err
	}
	d.offered.mu.Lock()
	d.offered.extra, d.offered.added = append(d.offered.extra, laid), append(d.offered.added, base)
	d.offered.mu.Unlock()
	d.trees = append(d.trees, laid.Tree())
	return base, d.takeDistribution(paths, laid.Tree())
}

func (d *description) takeDistribution(paths []string, from *tree.Tree) error {
	reason := record.Reason{Rule: record.RulePackageDatabase, Detail: "tells which distribution the packages are of"}
	for _, name := range paths {
		at, err := from.Lookup(name)
		if err != nil {
			continue // not every distribution has all
		}
		if err := d.Insert(d.image, name, at.Node.Copy(), reason, d.reasons); err != nil {
			return err
		}
	}
	return nil
}

// licenses adds the license files of a package. A package may show another's,
// by a link of its directory.
func (d *description) licenses(ctx context.Context, p Package) error {
	names, err := d.offered.source.family.Licenses(ctx, p)
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, t := range d.trees {
			at, err := t.Resolve(name)
			if err != nil || at.Node.Kind != tree.File {
				continue // it is elsewhere, or the package manager makes it
			}
			n := at.Node.Copy()
			if n.Origin == nil || n.Origin.Digest != p.Base().Digest.String() {
				n.Origin = &record.Origin{Kind: record.KindSmith, Name: "copyright", Package: p.ID()}
			}
			if err := d.Insert(d.image, name, n, record.Reason{Rule: record.RuleLicense, Detail: "the license of " + p.ID().String()}, d.reasons); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// database adds the database of packages.
func (d *description) database(ctx context.Context, all []Installed) error {
	entries, err := d.offered.source.family.Database(ctx, DatabaseOf{Image: d.image, Offered: d.trees[0], Below: d.Below, Packages: all})
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := tree.NewFile(e.Data, 0o644)
		n.Origin = &record.Origin{Kind: record.KindSmith, Name: "package database"}
		to := d.Description
		if e.Extends {
			to.Below = nil
		}
		if err := to.Insert(d.image, e.Path, n, record.Reason{Rule: record.RulePackageDatabase, Detail: e.Detail}, d.reasons); err != nil {
			return err
		}
	}
	return nil
}
