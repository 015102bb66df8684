package pipeline

import (
	"context"
	"errors"
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/nearest"
	"smith/internal/source"
	"smith/internal/tree"
)

// A Holder is a package that holds a path.
type Holder struct {
	// Path is where the package has it, symlinks such as /bin resolved.
	Path string
	// Package is its name, "" where the files are not in packages.
	Package string
	// Offered reports whether the package is one of those that an image of the
	// request is made from.
	Offered bool
}

// Holders finds what on offer holds some paths: absolute ones, or sonames. What
// the packages of the request hold is found for all of them; of what they do
// not hold, the first twenty are looked for in the lists of the repositories.
func (b *Builder) Holders(ctx context.Context, r Request, platform ocispec.Platform, paths []string) (_ map[string][]Holder, err error) {
	from, err := b.sources(r)
	if err != nil || from.pkg == nil {
		return nil, err
	}
	var open closers
	defer func() { err = errors.Join(err, open.close()) }()
	pkg, err := b.offer(ctx, &open, r, from.pkg, platform, packageNames(r))
	if err != nil {
		return nil, err
	}
	holders := map[string][]Holder{}
	var finders []*nearest.PathFinder
	var wanted []string
	for _, name := range paths {
		if h, ok := offeredHolder(pkg, name); ok {
			holders[name] = append(holders[name], h)
			continue
		}
		if len(finders) < mostSought && sought(name) {
			finders, wanted = append(finders, nearest.NewPathFinder(name)), append(wanted, name)
		}
	}
	if pkg.Packages == nil || len(finders) == 0 {
		return holders, nil
	}
	if err := pkg.Packages.Search(ctx, finders, true); err != nil {
		return holders, err
	}
	for i, f := range finders {
		for _, found := range f.Found() {
			if !sameFile(wanted[i], found.Path) {
				continue
			}
			for _, name := range found.Holders {
				holders[wanted[i]] = append(holders[wanted[i]], Holder{Path: found.Path, Package: name})
			}
		}
	}
	return holders, nil
}

// offeredHolder looks for a path in what a source offers.
func offeredHolder(pkg *source.Offer, name string) (Holder, bool) {
	if pkg.Tree == nil || !path.IsAbs(name) {
		return Holder{}, false
	}
	at, err := pkg.Tree.Resolve(name)
	if err != nil || at.Node.Kind == tree.Dir {
		return Holder{}, false
	}
	h := Holder{Path: at.Path(), Offered: true}
	if at.Node.Origin != nil {
		h.Package = at.Node.Origin.Package.Name
	}
	return h, true
}

// sameFile reports whether a path is what was looked for, where /bin is
// /usr/bin; a name without a directory may be in any.
func sameFile(wanted, found string) bool {
	if !path.IsAbs(wanted) {
		return path.Base(found) == wanted
	}
	return strings.TrimPrefix(wanted, "/usr") == strings.TrimPrefix(found, "/usr")
}
