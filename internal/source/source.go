// Package source is where files come from: an image, this machine, or the
// packages of a distribution. A source offers a tree; what of it is kept, and
// why, is not its concern. What a source of packages knows beyond its tree is
// the interface Packages.
package source

import (
	"context"
	"io"
	"path"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

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

// An Offer is every file that may be kept, and what comes with them. It is
// data: nothing changes it after it was made.
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
	// Platform is the one offered, with its variant where it has one.
	Platform ocispec.Platform
	// Packages is what is known of the packages that the files are of; nil for
	// sources without packages.
	Packages Packages
	// More reports whether Packages can offer more than this.
	More bool
	// Closer lets go of open files; nil where there is nothing to close.
	Closer io.Closer
}

// Ahead returns what hears of libraries that will be looked for next, so that
// what holds them can be fetched meanwhile; nil where that makes no difference.
func (o *Offer) Ahead() func(names []string) {
	if o.Packages == nil {
		return nil
	}
	return o.Packages.Ahead
}

// Close lets go of open files. The tree cannot be used any more.
func (o *Offer) Close() error {
	if o.Closer == nil {
		return nil
	}
	return o.Closer.Close()
}

// Debug is an offer of debug information.
type Debug struct {
	// Tree holds the files of the packages with debug information.
	Tree *tree.Tree
	// Inputs are these packages.
	Inputs []record.Input
	// Absent says, by the digest of a package, that no package on offer has
	// debug information of it, and which was looked for.
	Absent map[string]string
	// Closer lets go of open files.
	Closer io.Closer
}

// Described is what telling an image of its packages added.
type Described struct {
	// Reasons are why each path was added.
	Reasons map[string]record.Reason
	// Inputs are packages beyond those of the offer that files were taken of.
	Inputs []record.Input
}

// A Description says what an image is to tell scanners of its packages.
type Description struct {
	// Packages is what scanners read: the database of packages, and what
	// distribution they are of.
	Packages bool
	// Licenses is the packages' copyright files.
	Licenses bool
	// Below is what the layers below hold, or nil: it is not repeated.
	Below *tree.Tree
	// Excluded reports whether the spec leaves a path out; nil is never.
	Excluded func(path string) bool
}

// Insert puts a file into an image, unless it or a layer below has one at that
// path, or the spec excludes it, and notes the reason for it and for the
// directories that it brings.
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
