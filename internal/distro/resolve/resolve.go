// Package resolve chooses packages: given what is wanted and a catalogue of
// what is on offer, the set in which every relation holds and the policy is
// kept. It knows packages by number and relations as clauses over them. What a
// version, an alternative, a virtual package or an architecture is, the
// family's catalogue knows, and turns into clauses.
package resolve

// An ID is a package on offer: one version for one architecture. A catalogue
// numbers its packages from 0 on, the same way in each run. Equal inputs give
// equal answers because nothing here depends on anything but these numbers.
type ID int32

// None is the ID of no package.
const None ID = -1

// A Package is how messages name an ID, and which others it excludes.
type Package struct {
	Name, Version, Architecture string
	// Slot is a place that one package can have: of all with one Slot at most
	// one is chosen ("libc6:amd64", all versions of it). "" excludes nothing.
	Slot string
}

// A Clause is one relation that must hold. It holds if any of Options is
// chosen, or if any of Unless is not. With neither it cannot hold.
type Clause struct {
	// Text is the relation as the package states it, with its kind:
	// "depends on libc6 (>= 2.36)". A message puts the package before it.
	Text string
	// Options are the packages that fulfil the relation, the best first.
	Options []ID
	// Unless are the packages that call for the relation, where all of them
	// are chosen. Rich dependencies of RPM need it: "A if B".
	Unless []ID
	// Misfits have a name that the relation asks for but not the version or
	// the architecture. Only explanations use them.
	Misfits []ID
	// Weak clauses ("recommends") are kept where they can be met and dropped
	// where not.
	Weak bool
	// Equal is how many of the first Options stand for each other: of these
	// the one that brings the fewest packages is taken, and of those that
	// bring as few the first.
	Equal int
}

// A Conflict says that a package may not be chosen beside any of With. A
// package does not conflict with itself, even if With has it.
type Conflict struct {
	// Text is the relation as the package states it, with its kind:
	// "conflicts with mail-transport-agent".
	Text string
	With []ID
}

// A Catalogue is what is on offer. Solve asks only for packages that it
// considers choosing, some hundred of the tens of thousands, and for each of
// them once; so relations are best turned into clauses when they are asked
// for.
type Catalogue interface {
	Package(id ID) (Package, error)
	// Requires returns what must hold where the package is chosen.
	Requires(id ID) ([]Clause, error)
	// Conflicts returns what may not stand beside it.
	Conflicts(id ID) ([]Conflict, error)
}
