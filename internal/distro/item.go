package distro

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"sync"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/distro/packages"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/record"
)

// A Package is one of a set.
type Package interface {
	packages.Package
	// Base returns what packages of all families have.
	Base() *Item
}

// An Item is what packages of all families have. A family's type embeds it.
type Item struct {
	// Locked is what a lock holds of the package.
	Locked lock.Package
	// Digest is that of its file.
	Digest digest.Digest
	// Addresses are where the repositories say that the file is; empty for a file
	// of the user's.
	Addresses []string

	source *Source
	format record.Format
	mu     sync.Mutex
	key    string
}

// Item returns the common part of a package that a repository, or the user,
// offers.
func (s *Source) Item(locked lock.Package, d digest.Digest, addresses []string) *Item {
	return &Item{Locked: locked, Digest: d, Addresses: addresses, source: s, format: s.family.Format()}
}

// Base returns the item.
func (i *Item) Base() *Item { return i }

// ID names the package.
func (i *Item) ID() record.Package {
	return record.Package{Name: i.Locked.Name, Version: i.Locked.Version, Architecture: i.Locked.Architecture, Format: i.format}
}

// Origin is that of the package's files.
func (i *Item) Origin() *record.Origin {
	return &record.Origin{Kind: record.KindPackage, Package: i.ID(), Digest: i.Digest.String()}
}

// Size is that of the file.
func (i *Item) Size() int64 { return i.Locked.Size }

// IsFile reports whether the package is a file of the user's.
func (i *Item) IsFile() bool {
	u, err := url.Parse(i.Locked.URL)
	return err != nil || len(u.Scheme) < 2 // C:\x.deb has the scheme "c"
}

// SetKey notes the fingerprint of the key that signed the package, which is
// known when it is opened.
func (i *Item) SetKey(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = key
}

// locked returns what a lock holds of the package, with what opening it told.
func (i *Item) locked() lock.Package {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := i.Locked
	p.Key = cmp.Or(i.key, p.Key)
	return p
}

// input is what the record keeps of the package.
func (i *Item) input() record.Input {
	p := i.locked()
	in := record.Input{
		Kind: record.KindPackage, Package: i.ID(), Digest: i.Digest.String(), URL: p.URL, Repository: p.Repository, Key: p.Key,
	}
	switch {
	case i.IsFile():
		in.URL, in.Note = "", "the file "+path.Base(filepath.ToSlash(p.URL))
	case in.Key == "":
		in.Note = cmp.Or(p.Vouched, "no key vouches for it")
	}
	return in
}

// Fetch brings the file to the cache: from the mirrors, else from the archives.
func (i *Item) Fetch(ctx context.Context) (*store.Entry, error) {
	s := i.source
	f := fetch.File{Name: i.Locked.Name + " " + i.Locked.Version, Digest: i.Digest, Size: i.Locked.Size, Addresses: i.Addresses}
	if i.IsFile() {
		f.Addresses = []string{lock.FileAddress(s.Dir, i.Locked.URL)}
	}
	f.Addresses = append(f.Addresses, lock.Addresses(s.Archives, s.Dir, i.Locked)...)
	e, err := s.client.Get(ctx, f)
	if errors.Is(err, fs.ErrNotExist) && s.Locked != nil && !i.IsFile() {
		return nil, fmt.Errorf("%w; %s", err, s.advise(ctx, i.Locked))
	}
	return e, err
}

// advise says what to do where a locked package is found nowhere.
func (s *Source) advise(ctx context.Context, p lock.Package) string {
	const advice = "smith lock --update %s takes %s; or name a place that keeps old packages with archives"
	version := ""
	if !s.Network.Offline {
		if newest, err := s.family.Newest(ctx, p); err == nil {
			version = newest
		}
	}
	if version == "" {
		return fmt.Sprintf(advice, p.Name, "what the repositories have now")
	}
	return fmt.Sprintf("%s %s is on offer now: "+advice, p.Name, version, p.Name, "it")
}

// Read fetches the file and returns a reader of it that shows its progress. The
// caller closes it.
func (i *Item) Read(ctx context.Context) (io.ReadCloser, error) {
	e, err := i.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	step := i.source.Events.Step(event.Open, i.Locked.Name+" "+i.Locked.Version, e.Size())
	return entryReader{event.Reader(io.NewSectionReader(e, 0, e.Size()), step), e, step}, nil
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
