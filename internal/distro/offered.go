package distro

import (
	"context"
	"errors"
	"fmt"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/packages"
	"smith/internal/nearest"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// offered is what is known of the packages of an offer.
type offered struct {
	source   *Source
	choice   *Choice
	set      *packages.Set
	platform ocispec.Platform
	depth    packages.Depth
	tree     *tree.Tree

	mu    sync.Mutex
	extra []*packages.Set // opened to describe an image
	added []Package       // that are in them
}

var _ source.Packages = (*offered)(nil)

// Close lets go of all that was opened.
func (o *offered) Close() error {
	errs := []error{o.set.Close(), o.choice.close()}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.extra {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// List returns the chosen packages with their relations.
func (o *offered) List(ctx context.Context) ([]source.Package, error) {
	return o.source.family.List(ctx, o.choice.Packages, func(p Package) ([]string, error) { return o.set.Held(p) })
}

// Files returns what the tree has of a package.
func (o *offered) Files(_ context.Context, p source.Package) ([]string, error) {
	found := byDigest(o.choice.Packages, p.Digest)
	if found == nil {
		return nil, fmt.Errorf("package %s is not in the set", p.Package)
	}
	return o.set.Held(found)
}

// Holders returns which packages on offer hold paths.
func (o *offered) Holders(ctx context.Context, paths []string, fetch bool) (map[string][]string, error) {
	finder := nearest.NewHolders(paths)
	if err := o.Search(ctx, []*nearest.PathFinder{finder}, fetch); err != nil {
		return nil, err
	}
	return finder.Holders(paths), nil
}

// Search shows finders what the packages of the set hold, and then what the
// lists of all repositories tell.
func (o *offered) Search(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error {
	for _, p := range o.choice.Packages {
		held, err := o.set.Held(p)
		if err != nil {
			return err
		}
		for _, f := range finders {
			for _, name := range held {
				f.See(name, func() string { return p.ID().Name })
			}
		}
	}
	if o.choice.Repositories == nil {
		return nil
	}
	return o.choice.Repositories.Search(ctx, finders, fetch)
}

// Ahead begins to open what holds libraries.
func (o *offered) Ahead(names []string) { o.set.Ahead(names) }

// More offers more of the same packages.
func (o *offered) More(ctx context.Context) (*source.Offer, error) {
	o.set.Settle() // or what it is at would be done twice
	return o.source.offer(ctx, o.platform, o.set.Deeper(o.depth))
}

// Scripts returns what the scripts of packages would have done.
func (o *offered) Scripts(image *tree.Tree) []record.Script { return o.set.Record(image) }

// Configure makes what the scripts of packages would have made.
func (o *offered) Configure(image *tree.Tree) (*source.Configuration, error) {
	c, err := o.set.Configure(image)
	if err != nil {
		return nil, err
	}
	made := source.Configuration(*c)
	return &made, nil
}

// Complete returns inputs with what is known since their files were read.
func (o *offered) Complete(inputs []record.Input) []record.Input {
	o.mu.Lock()
	added := o.added
	o.mu.Unlock()
	all := make([]record.Input, len(inputs))
	for i, in := range inputs {
		all[i] = in
		for _, list := range [][]Package{o.choice.Packages, o.choice.Debug, added} {
			if p := byDigest(list, in.Digest); p != nil {
				all[i] = p.Base().input()
			}
		}
	}
	return all
}

// Debug offers the debug information of files that an image holds; it has none
// where nobody asked for it.
func (o *offered) Debug(ctx context.Context, wanted map[string][]string) (*source.Debug, error) {
	var all []Wanted
	for _, p := range o.choice.Packages {
		if ids, ok := wanted[p.Base().Digest.String()]; ok {
			all = append(all, Wanted{p, ids})
		}
	}
	found, err := o.source.family.DebugInfo(ctx, all, o.choice.Debug)
	if err != nil {
		return nil, err
	}
	laid, err := packages.New(ctx, set(found.Packages), o.source.family.Rules())
	if err != nil {
		return nil, err
	}
	out := &source.Debug{Tree: laid.Tree(), Absent: found.Absent, Closer: laid}
	for _, p := range found.Packages {
		out.Inputs = append(out.Inputs, p.Base().input())
	}
	return out, nil
}
