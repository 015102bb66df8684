// Package packages makes one tree of a resolved set of packages, as if all were
// installed, without installing any: a package is opened when a path that it
// holds is looked up, and not before. It knows which package's file stands
// where several hold a path, and lays everything out with a merged /usr. It
// does not know where packages come from, nor their formats.
package packages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// A Package is one of a resolved set. Its methods may be called from several
// goroutines at once.
type Package interface {
	ID() record.Package
	// Size is that of its file in bytes. The largest are opened first, so that
	// none is left to be waited for.
	Size() int64
	// Paths returns the absolute paths of what the package holds, as the
	// archive's own lists tell them; directories may be absent. known is false
	// where there is no list of this very version: then the package is opened.
	Paths(ctx context.Context) (paths []string, known bool, err error)
	// Open fetches the package where that is needed and returns what it holds.
	Open(ctx context.Context) (*Contents, error)
}

// Contents is what a package holds.
type Contents struct {
	// Entries are its files and directories in the package's order. Each hard link
	// comes after what it is another name of.
	Entries []tree.Entry
	// Colors are what kinds of programs files are that several packages may
	// hold, by the paths of the entries; 0 is not a program.
	Colors map[string]uint8
	// Scripts are those that would run when it is installed, in their order.
	Scripts []scriptlet.Script
	// Close lets go of open files; nil where there is nothing to close.
	Close func() error
}

// Rules say what becomes of a path that several packages hold.
type Rules struct {
	// Replaces says that a file of upper takes the place of one of lower.
	Replaces func(upper, lower Package) bool
	// Shares says that two packages may hold a path if it is the same file.
	Shares func(a, b Package) bool
	// Prefers is the color of programs that stand where another package has one
	// of another color, whatever Replaces says; 0 where colors mean nothing.
	Prefers uint8
}

// A Set is a resolved set of packages as one tree.
type Set struct {
	rules   Rules
	members []*member
	links   aliases
	root    *folder
	made    map[string]*record.Origin // what smith made in the tree for scripts, by path
	ahead   ahead
	stop    context.CancelFunc
}

// A member is a package of the set.
type member struct {
	Package
	paths []string // as the list has them
	open  func() error

	mu       sync.Mutex
	contents *Contents             // nil until it is opened
	nodes    map[string]*tree.Node // by where they lie; nil until they are looked for
	colors   map[string]uint8      // likewise
}

// maxOpening is how many packages are opened at once: more than there are
// cores, since some wait for the network.
const maxOpening = 8

// New returns the tree of a set. ctx ends the fetching for as long as the tree
// is used. Packages whose paths are not known are opened at once, side by side.
// The caller calls Close.
func New(ctx context.Context, set []Package, rules Rules) (*Set, error) {
	s := &Set{rules: rules, links: mergedUsr()}
	ctx, s.stop = context.WithCancel(ctx)
	for _, p := range set {
		m := &member{Package: p}
		m.open = sync.OnceValue(func() error { return s.read(ctx, m) })
		s.members = append(s.members, m)
	}
	err := s.list(ctx)
	if err == nil {
		err = s.build()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// list gets to know what all packages hold.
func (s *Set) list(ctx context.Context) error {
	var unknown []*member
	for _, m := range s.members {
		paths, known, err := m.Paths(ctx)
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", m.ID(), err)
		}
		if m.paths = paths; !known {
			unknown = append(unknown, m)
		}
	}
	return openAll(unknown)
}

// openAll opens packages side by side.
func openAll(members []*member) error {
	var g errgroup.Group
	g.SetLimit(maxOpening)
	largest := func(a, b *member) int { return cmp.Compare(b.Size(), a.Size()) }
	for _, m := range slices.SortedStableFunc(slices.Values(members), largest) {
		g.Go(m.open)
	}
	return g.Wait()
}

// read opens a package.
func (s *Set) read(ctx context.Context, m *member) error {
	contents, err := m.Open(ctx)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", m.ID(), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contents = contents
	return nil
}

// opened returns what an opened package holds, else nil.
func (m *member) opened() *Contents {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.contents
}

// Tree returns the tree. Folders belong to no package: they have mode 0755 and
// no origin, and those that no file lies in are not there.
func (s *Set) Tree() *tree.Tree { return tree.NewAt(s.root.node()) }

// Opened returns the packages that were opened so far, in the set's order.
func (s *Set) Opened() []Package {
	var opened []Package
	for _, m := range s.members {
		if m.opened() != nil {
			opened = append(opened, m.Package)
		}
	}
	return opened
}

// Close lets go of the packages that were opened. The tree cannot be used any
// more.
func (s *Set) Close() error {
	s.stop()
	s.Settle()
	var errs []error
	for _, m := range s.members {
		if c := m.opened(); c != nil && c.Close != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
