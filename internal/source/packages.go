package source

import (
	"context"

	"smith/record"
)

// Packages is what a source of a distribution's packages knows beyond its tree.
// Its methods return values and change nothing; they are safe for concurrent
// use.
type Packages interface {
	// List returns the packages that were chosen, sorted by name, with their
	// relations. Packages of a lock are opened for it, since a lock has none.
	List(ctx context.Context) ([]Package, error)
	// Files returns the paths at which the tree has what a package of the list
	// holds, sorted, without directories. The package is opened where no list
	// of its contents is known.
	Files(ctx context.Context, p Package) ([]string, error)
	// Holders returns the names of the packages, on offer in the repositories,
	// that hold each of these paths, by path. With fetch, lists of contents of
	// moderate size are fetched for it; without, those in the cache are asked. A
	// lock asks no repository.
	Holders(ctx context.Context, paths []string, fetch bool) (map[string][]string, error)
}

// A Package is one of the packages that a source chose.
type Package struct {
	record.Package
	// Digest is that of the package's file: the Digest of the origin of all its
	// files.
	Digest string
	// Source is the name of the source package that it was built from.
	Source string
	// Section is Debian's ("libs", "perl"), "" where the format has none.
	Section string
	// Essential reports whether every system of the distribution has the package.
	Essential bool
	// Asked reports whether a request names the package, or something that only
	// it provides.
	Asked bool
	// Relations are those that call for other packages, in the package's order.
	Relations []Relation
}

// A RelationKind says how strongly a package calls for another.
type RelationKind int

// Kinds of relations. RPM's Requires is Depends.
const (
	PreDepends RelationKind = iota
	Depends
	Recommends
)

// RelationKinds returns all kinds.
func RelationKinds() []RelationKind { return []RelationKind{PreDepends, Depends, Recommends} }

// String returns the kind as Debian names it.
func (k RelationKind) String() string {
	switch k {
	case PreDepends:
		return "Pre-Depends"
	case Depends:
		return "Depends"
	case Recommends:
		return "Recommends"
	}
	return "unknown relation"
}

// A Relation is one thing that a package calls for.
type Relation struct {
	Kind RelationKind
	// Text is the relation as the package has it: "libc6 (>= 2.34) | musl",
	// "libssl.so.3()(64bit)".
	Text string
	// By are the packages that satisfy it, as indexes into the list; none where
	// nothing of the set does. A package never satisfies its own relations.
	By []int
}
