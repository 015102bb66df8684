package rpm

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
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/rpmfile"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/record"
)

// A pkg is a package of the set.
type pkg struct {
	source *Source
	locked lock.Package
	digest digest.Digest // of the file
	nevra  string
	// repository is where it is from; nil for a file of the user's, and where
	// the lock names it.
	repository *repository
	addresses  []string
	// about is what the repository says of it; nil where the lock names it.
	about *repodata.Package

	mu  sync.Mutex
	key string // that signed it; "" before it is opened
}

var _ packages.Package = (*pkg)(nil)

// ID names the package.
func (p *pkg) ID() record.Package {
	return record.Package{Name: p.locked.Name, Version: p.locked.Version, Architecture: p.locked.Architecture, Format: record.FormatRPM}
}

// Size is that of the file.
func (p *pkg) Size() int64 { return p.locked.Size }

// input is what the record keeps of the package.
func (p *pkg) input() record.Input {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := record.Input{
		Kind: record.KindPackage, Package: p.ID(), Digest: p.digest.String(), URL: p.locked.URL,
		Repository: p.locked.Repository, Key: cmp.Or(p.key, p.locked.Key),
	}
	switch {
	case p.isFile():
		in.URL, in.Note = "", "the file "+path.Base(filepath.ToSlash(p.locked.URL))
	case in.Key == "":
		in.Note = p.locked.Vouched
	}
	return in
}

// isFile says whether the package is a file of the user's.
func (p *pkg) isFile() bool {
	u, err := url.Parse(p.locked.URL)
	return err != nil || len(u.Scheme) < 2 // C:\x.rpm has the scheme "c"
}

// Paths are those that the repository's full lists have, where they are open.
func (p *pkg) Paths(context.Context) ([]string, bool, error) {
	if p.repository == nil || p.repository.lists == nil {
		return nil, false, nil
	}
	return p.repository.lists.Paths(p.digest)
}

// Open fetches the package where the cache lacks it, verifies it, and returns
// its files.
func (p *pkg) Open(ctx context.Context) (*packages.Contents, error) {
	f, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.verify(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &packages.Contents{
		Entries: f.Entries(&record.Origin{Kind: record.KindPackage, Package: p.ID(), Digest: p.digest.String()}),
		Colors:  colors(f), Scripts: f.Scripts(), Close: f.Close,
	}, nil
}

// colors are those of the package's files.
func colors(f *rpmfile.Package) map[string]uint8 {
	all := map[string]uint8{}
	for _, file := range f.Files {
		if file.Color != 0 {
			all[file.Path] = file.Color
		}
	}
	return all
}

func (p *pkg) open(ctx context.Context) (*rpmfile.Package, error) {
	if f, err := rpmfile.Open(p.source.Store, p.digest); !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	e, err := p.fetch(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	step := p.source.Events.Step(event.Open, p.nevra, e.Size())
	defer step.Done()
	return rpmfile.Read(ctx, p.source.Store, event.Reader(io.NewSectionReader(e, 0, e.Size()), step))
}

// description is what a repository says of the package, or would say.
func (p *pkg) description(ctx context.Context) (*repodata.Package, error) {
	if p.about != nil {
		return p.about, nil
	}
	f, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	return describe(f), f.Close()
}

// fetch brings the .rpm: from the mirrors, else from the archives.
func (p *pkg) fetch(ctx context.Context) (*store.Entry, error) {
	f := fetch.File{Name: p.nevra, Digest: p.digest, Size: p.locked.Size, Addresses: p.addresses}
	switch {
	case p.isFile():
		f.Addresses = []string{lock.FileAddress(p.source.Dir, p.locked.URL)}
	case len(p.addresses) == 0:
		f.Addresses = []string{p.locked.URL}
	}
	f.Addresses = append(f.Addresses, lock.Addresses(p.source.Archives, p.source.Dir, p.locked)...)
	return p.source.fetch.Get(ctx, f)
}

// verify checks that the file is the package that was chosen, and that a key
// of its repository signed it. A file of the user's and one that the lock has
// by its digest need no signature.
func (p *pkg) verify(f *rpmfile.Package) error {
	got := record.Package{
		Name: f.Header.String(rpmfile.TagName), Version: evr(f.Header).String(), Architecture: f.Header.String(rpmfile.TagArch), Format: record.FormatRPM,
	}
	if got != p.ID() {
		return fmt.Errorf("the file is %s", got)
	}
	if p.repository == nil || !p.repository.GPGCheck {
		return nil
	}
	key, err := f.Verify(p.repository.keys)
	if errors.Is(err, rpmfile.ErrUnsigned) {
		return fmt.Errorf("%w, and %s wants that (gpgcheck)", err, p.repository.Where)
	}
	if errors.Is(err, rpmfile.ErrUnknownKey) {
		return fmt.Errorf("%w: name the file that holds it with gpgkey (%s)", err, p.repository.Where)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.key = key
	p.mu.Unlock()
	return nil
}

// evr is the version that a header tells.
func evr(h *rpmfile.Header) relation.EVR {
	return relation.EVR{
		Epoch: uint32(h.Number(rpmfile.TagEpoch)), Version: h.String(rpmfile.TagVersion), Release: h.String(rpmfile.TagRelease),
	}
}

// Rules are rpm's for paths that several packages hold: any may hold one file
// if it is the same in all, and of programs for 32 and 64 bits the latter stand
// (the colors of files, and %_prefer_color). Of other files of two
// architectures the main one's stands, where rpm would refuse.
func Rules() packages.Rules {
	return packages.Rules{
		Prefers: rpmfile.Color64,
		Replaces: func(upper, lower packages.Package) bool {
			return secondary(lower.ID().Architecture) && !secondary(upper.ID().Architecture)
		},
		Shares: func(packages.Package, packages.Package) bool { return true },
	}
}

// secondary says whether packages of an architecture stand beside those of the
// machine's own.
func secondary(architecture string) bool {
	switch architecture {
	case "i686", "i586", "i486", "i386", "s390":
		return true
	}
	return false
}
