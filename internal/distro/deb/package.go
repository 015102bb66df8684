package deb

import (
	"context"
	"fmt"
	"sync"

	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
	"smith/internal/distro/deb/debfile"
	"smith/internal/distro/packages"
)

// A pkg is a package of the set.
type pkg struct {
	*distro.Item
	family *family
	// index is the list of packages that offers it, open while the set is
	// chosen, and paths what the archive's lists say that it holds; nil where
	// they are not asked. What the list tells of one that a request names is
	// made sure of.
	index *apt.Index
	paths []string
	sure  bool

	mu sync.Mutex
	// relations are its fields: those of the list of packages, or, where the
	// lock named it, those of the opened package.
	relations control.Paragraph
}

var (
	_ fielded        = (*pkg)(nil)
	_ distro.Package = (*pkg)(nil)
)

// Paths are known where the archive's lists were asked: see family.list.
func (p *pkg) Paths(context.Context) ([]string, bool, error) {
	return p.paths, p.paths != nil && !p.sure, nil
}

// Open fetches the package where the cache lacks it and returns its files.
func (p *pkg) Open(ctx context.Context) (*packages.Contents, error) {
	f, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if got := f.Control.Get("Package") + " " + f.Control.Get("Version") + " " + f.Control.Get("Architecture"); got != p.ID().String() {
		f.Close()
		return nil, fmt.Errorf("the file is %s", got)
	}
	p.mu.Lock()
	if p.relations == nil {
		p.relations = f.Control
	}
	p.mu.Unlock()
	entries, err := f.Entries(p.Origin())
	if err != nil {
		f.Close()
		return nil, err
	}
	p.Compare(p.paths, entries)
	return &packages.Contents{Entries: entries, Scripts: f.Scripts(), Close: f.Close}, nil
}

func (p *pkg) open(ctx context.Context) (*debfile.File, error) {
	return debfile.Open(ctx, p.family.Store, p.Digest, p.Read)
}

// fields returns the package's control fields: those of the repository's list,
// or else those of the package itself.
func (p *pkg) fields(ctx context.Context) (control.Paragraph, error) {
	p.mu.Lock()
	known := p.relations
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	f, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.relations = f.Control
	p.mu.Unlock()
	return f.Control, f.Close()
}

// Field returns a control field of the package, "" where it is not known
// before the package is opened.
func (p *pkg) Field(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.relations.Get(name)
}

// sourceName is the name of the source package.
func (p *pkg) sourceName() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.relations == nil {
		return p.Locked.Name
	}
	return apt.SourceOf(p.relations)
}

// debs returns the packages of a set as this family has them.
func debs(set []distro.Package) []*pkg {
	all := make([]*pkg, len(set))
	for i, p := range set {
		all[i] = p.(*pkg) //nolint:forcetypeassert // a source hands its family's packages back
	}
	return all
}
