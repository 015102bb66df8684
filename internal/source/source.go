// Package source is where files come from: an image, this machine, and later
// the packages of a distribution. A source offers a tree; what of it is kept,
// and why, is not its concern.
package source

import (
	"context"
	"path"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/nearest"
	"smith/internal/oci/image"
	"smith/internal/tree"
	"smith/record"
)

// A Source offers the files of one platform.
type Source interface {
	// Open returns what the source offers for a platform. The caller closes
	// the Offer when the tree is no longer used.
	Open(ctx context.Context, platform ocispec.Platform) (*Offer, error)
}

// A Listed source may know from lists what its packages hold, and sees when it
// opens them whether the lists were right.
type Listed interface {
	Source
	// Doubt says which list was seen to be wrong, "" where none was: then what
	// was chosen from the offers may not be what the packages would have given.
	// From then on the source opens packages instead of asking lists.
	Doubt() string
}

// An Offer is every file that may be kept, and what comes with them.
type Offer struct {
	// Tree holds the files on offer. Its nodes carry their origin.
	Tree *tree.Tree
	// Image is the image that the files come from, or nil: its config gives
	// defaults to the new one, its layers may be built upon.
	Image *image.Image
	// Created is the newest date that the input carries, or zero.
	Created time.Time
	// Inputs is what the record keeps of where the files came from.
	Inputs []record.Input
	// Complete adds to an input what is known only when its files were read,
	// such as the key that signed a package; nil where there is nothing to add.
	Complete func(*record.Input)
	// Platform is the one offered, with its variant where it has one.
	Platform ocispec.Platform
	// Own returns the paths that the packages which were asked for hold
	// themselves, without what running them does not need: what an image is
	// made of whose spec names no files. nil for sources without packages.
	Own func() ([]string, error)
	// More offers more, for an image that would lack something without: what
	// scripts of packages make, what every system of the distribution has. nil
	// where there is no more.
	More func(ctx context.Context) (*Offer, error)
	// Ahead hears of the names of libraries that will be looked for next, so that
	// the source can fetch what holds them; nil where that makes no difference.
	Ahead func(names []string)
	// Describe adds to an image, which holds what was chosen of the tree, what
	// tells of its packages, and returns why, by path; nil for sources without
	// packages. Inputs may get longer by it.
	Describe func(ctx context.Context, image *tree.Tree, d Description) (map[string]record.Reason, error)
	// Debug offers the debug information of files that an image holds of the
	// packages: wanted are the build ids by the digest of the package, "" for a
	// file that has none. It is nil for sources without
	// packages, where Tree is all there is, and where nobody asked for it.
	Debug func(ctx context.Context, wanted map[string][]string) (*Debug, error)
	// Scripts returns what the scripts of the packages that an image holds
	// files of would have done; nil for sources without packages.
	Scripts func(image *tree.Tree) []record.Script
	// Like shows finders what packages hold, those on offer and, as far as their
	// lists can be had with little effort, all of the repositories: for a
	// message about paths that are not there. With fetch lists may be fetched
	// for it. nil for sources without packages.
	Like func(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error
	// Packages is what is known of the packages that were chosen; nil for sources
	// without packages.
	Packages Packages
	// Close lets go of open files; nil where there is nothing to close.
	Close func() error
}

// Debug is an offer of debug information.
type Debug struct {
	// Tree holds the files of the packages with debug information.
	Tree *tree.Tree
	// Inputs are these packages.
	Inputs []record.Input
	// Absent tells, by the digest of a package, that no package on offer has
	// debug information of it, and which was looked for.
	Absent map[string]string
	// Close lets go of open files.
	Close func() error
}

// A Description says what an image is to tell of its packages.
type Description struct {
	// Packages is what scanners read: the database of packages, and what
	// distribution they are of.
	Packages bool
	// Licenses is the packages' copyright files.
	Licenses bool
	// Below is what the layers below hold, or nil: it is not repeated.
	Below *tree.Tree
	// Excluded says whether the spec leaves a path out; nil is never.
	Excluded func(path string) bool
}

// Insert puts a file into an image, unless one is there or below, or is
// unwanted, and notes the reason for it and for the folders that it brings.
func (d Description) Insert(image *tree.Tree, name string, n *tree.Node, reason record.Reason, reasons map[string]record.Reason) error {
	if d.Excluded != nil && d.Excluded(name) {
		return nil
	}
	for _, t := range []*tree.Tree{image, d.Below} {
		if t == nil {
			continue
		}
		if _, err := t.Lookup(name); err == nil {
			return nil
		}
	}
	for missing := path.Dir(name); missing != "/"; missing = path.Dir(missing) {
		if at, err := image.Resolve(missing); err == nil {
			name = path.Join(at.Path(), strings.TrimPrefix(name, missing))
			break
		}
		reasons[missing] = reason
	}
	reasons[name] = reason
	return image.Insert(name, n)
}
