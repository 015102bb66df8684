package source

import (
	"context"

	"smith/internal/distro/accounts"
	"smith/internal/nearest"
	"smith/internal/tree"
	"smith/record"
)

// Packages is what a source of a distribution's packages knows beyond its tree.
// Its methods return values and change no offer. They are not safe for
// concurrent use.
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
	// Search shows finders the same, for a message about paths that do not exist.
	Search(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error
	// Ahead hears of the names of libraries that will be looked for next, so that
	// what holds them can be fetched meanwhile.
	Ahead(names []string)
	// More offers more, for an image that would lack something without: what
	// scripts of packages make, what every system of the distribution has. It is
	// asked where Offer.More says so.
	More(ctx context.Context) (*Offer, error)
	// Describe adds to an image, which holds what was chosen of the tree, what
	// tells scanners of its packages. What it opens is closed with the offer.
	Describe(ctx context.Context, image *tree.Tree, d Description) (*Described, error)
	// Scripts returns what the scripts of the packages that an image holds files
	// of would have done.
	Scripts(image *tree.Tree) []record.Script
	// Configure makes what the scripts of those packages would have made that an
	// image holds files of. It may be called again, when the image has more.
	Configure(image *tree.Tree) (*Configuration, error)
	// Debug offers the debug information of files that an image holds of the
	// packages: wanted are the build ids by the digest of the package, "" for a
	// file that has none.
	Debug(ctx context.Context, wanted map[string][]string) (*Debug, error)
	// Complete returns inputs with what is known only since their files were
	// read, such as the key that signed a package.
	Complete(inputs []record.Input) []record.Input
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
	// Request is the place of the first such request, counted from 0, and Where
	// is where the spec has it: "smith.yaml:2".
	Request int
	Where   string
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

// A Configuration is what the scripts of packages would have made.
type Configuration struct {
	// Tree is the offer's, with what they made.
	Tree *tree.Tree
	// Made are the paths that they made and that the image has a use for, each
	// with the script.
	Made map[string]*record.Origin
	// Accounts are what they do to users and groups, in their order, and Names
	// are the accounts that they take to be there.
	Accounts []accounts.Change
	Names    []string
	// Directories are those that packages hold, or scripts make, in which no
	// file lies, sorted.
	Directories []string
	// Files are the paths of the files that the packages hold, sorted.
	Files []string
}
