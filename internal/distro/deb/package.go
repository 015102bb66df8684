package deb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
	"smith/internal/distro/deb/debfile"
	"smith/internal/distro/packages"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/record"
)

// A pkg is a package of the set.
type pkg struct {
	source *Source
	locked lock.Package
	// addresses are where the repositories say that it is; empty where the
	// lock alone knows.
	addresses []string
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

var _ fielded = (*pkg)(nil)

// ID names the package.
func (p *pkg) ID() record.Package {
	return record.Package{Name: p.locked.Name, Version: p.locked.Version, Architecture: p.locked.Architecture, Format: record.FormatDeb}
}

func (p *pkg) digest() digest.Digest {
	return digest.NewDigestFromEncoded(digest.SHA256, p.locked.SHA256)
}

// Size is that of the file.
func (p *pkg) Size() int64 { return p.locked.Size }

// input is what the record keeps of the package.
func (p *pkg) input() record.Input {
	in := record.Input{
		Kind: record.KindPackage, Package: p.ID(), Digest: p.digest().String(), URL: p.locked.URL,
		Repository: p.locked.Repository, Key: p.locked.Key,
	}
	if p.isFile() {
		in.URL, in.Note = "", "the file "+path.Base(filepath.ToSlash(p.locked.URL))
	} else if p.locked.Key == "" {
		in.Note = "no key vouches for it"
	}
	return in
}

// isFile says whether the package is a file of the user's.
func (p *pkg) isFile() bool {
	u, err := url.Parse(p.locked.URL)
	return err != nil || len(u.Scheme) < 2 // C:\x.deb has the scheme "c"
}

// Paths are known where the archive's lists were asked: see Source.list.
func (p *pkg) Paths(context.Context) ([]string, bool, error) {
	return p.paths, p.paths != nil && !p.sure, nil
}

// Open fetches the package where the cache lacks it and returns its files.
func (p *pkg) Open(ctx context.Context) (*packages.Contents, error) {
	f, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if got := f.Control.Get("Package") + " " + f.Control.Get("Version") + " " + f.Control.Get("Architecture"); got != p.locked.String() {
		f.Close()
		return nil, fmt.Errorf("the file is %s", got)
	}
	p.mu.Lock()
	if p.relations == nil {
		p.relations = f.Control
	}
	p.mu.Unlock()
	entries, err := f.Entries(&record.Origin{Kind: record.KindPackage, Package: p.ID(), Digest: p.digest().String()})
	if err != nil {
		f.Close()
		return nil, err
	}
	p.compare(entries)
	return &packages.Contents{Entries: entries, Scripts: f.Scripts(), Close: f.Close}, nil
}

func (p *pkg) open(ctx context.Context) (*debfile.File, error) {
	return debfile.Open(ctx, p.source.Store, p.digest(), func(ctx context.Context) (io.ReadCloser, error) {
		e, err := p.fetch(ctx)
		if err != nil {
			return nil, err
		}
		step := p.source.Events.Step(event.Open, p.locked.Name+" "+p.locked.Version, e.Size())
		return entryReader{event.Reader(io.NewSectionReader(e, 0, e.Size()), step), e, step}, nil
	})
}

// An entryReader reads a cache entry from its beginning.
type entryReader struct {
	io.Reader
	entry *store.Entry
	step  event.Step
}

// Close ends the step and lets go of the entry.
func (r entryReader) Close() error {
	r.step.Done()
	return r.entry.Close()
}

// fetch brings the .deb: from the mirrors, else from the archives.
func (p *pkg) fetch(ctx context.Context) (*store.Entry, error) {
	f := fetch.File{Name: p.locked.Name + " " + p.locked.Version, Digest: p.digest(), Size: p.locked.Size}
	switch {
	case p.isFile():
		f.Addresses = []string{lock.FileAddress(p.source.Dir, p.locked.URL)}
	case len(p.addresses) > 0:
		f.Addresses = p.addresses
	default:
		f.Addresses = p.source.machine.mirrored(p.locked.URL)
	}
	f.Addresses = append(f.Addresses, lock.Addresses(p.source.Archives, p.source.Dir, p.locked)...)
	e, err := p.source.machine.fetch.Get(ctx, f)
	if errors.Is(err, fs.ErrNotExist) && p.source.Locked != nil && !p.isFile() {
		return nil, fmt.Errorf("%w; %s", err, p.source.onOffer(ctx, p.locked))
	}
	return e, err
}

// mirrored returns an address that a lock has, and behind it those of the same
// file at the other mirrors of its repository.
func (m *machine) mirrored(address string) []string {
	all := []string{address}
	for _, s := range m.sources {
		for _, mirror := range s.Mirrors {
			name, here := strings.CutPrefix(address, mirror)
			if !here {
				continue
			}
			for _, other := range s.Mirrors {
				if at := other + name; !slices.Contains(all, at) {
					all = append(all, at)
				}
			}
		}
	}
	return all
}

// Field returns a control field of the package, "" where it is not known
// before the package is opened.
func (p *pkg) Field(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.relations.Get(name)
}
