package rpm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"smith/internal/distro"
	"smith/internal/distro/packages"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/rpmfile"
	"smith/record"
)

// A pkg is a package of the set.
type pkg struct {
	*distro.Item
	family *family
	// repository is where it is from; nil for a file of the user's, and where
	// the lock names it.
	repository *repository
	// about is what the repository says of it; nil where the lock names it.
	about *repodata.Package
	// noModule says that it is in no module stream that is on, by the metadata.
	noModule bool
}

var _ distro.Package = (*pkg)(nil)

// Paths are those that the repository's full lists have, where they are open.
func (p *pkg) Paths(context.Context) ([]string, bool, error) {
	if p.repository == nil || p.repository.lists == nil {
		return nil, false, nil
	}
	return p.repository.lists.Paths(p.Digest)
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
		Entries: f.Entries(p.Origin()),
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
	if f, err := rpmfile.Open(p.family.Store, p.Digest); !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	r, err := p.Read(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return rpmfile.Read(ctx, p.family.Store, r)
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

// descriptions are those of all packages.
func descriptions(ctx context.Context, all []*pkg) ([]*repodata.Package, error) {
	about := make([]*repodata.Package, len(all))
	for i, p := range all {
		var err error
		if about[i], err = p.description(ctx); err != nil {
			return nil, fmt.Errorf("cannot open %s: %w", p.ID(), err)
		}
	}
	return about, nil
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
	if p.repository == nil {
		return nil
	}
	// dnf refuses these too ("fail-safe"): without the metadata of its module
	// nothing says which packages of other streams it must not be mixed with.
	if label := f.Header.String(rpmfile.TagModularityLabel); label != "" && p.noModule && !p.repository.ModuleHotfixes {
		return fmt.Errorf("it belongs to the module %s, of which %s has no metadata: use a repository with module metadata, or set module_hotfixes", label, p.repository.Where)
	}
	if !p.repository.GPGCheck {
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
	p.SetKey(key)
	return nil
}

// evr is the version that a header tells.
func evr(h *rpmfile.Header) relation.EVR {
	return relation.EVR{
		Epoch: uint32(h.Number(rpmfile.TagEpoch)), Version: h.String(rpmfile.TagVersion), Release: h.String(rpmfile.TagRelease),
	}
}

// rpms returns the packages of a set as this family has them.
func rpms(set []distro.Package) []*pkg {
	all := make([]*pkg, len(set))
	for i, p := range set {
		all[i] = p.(*pkg) //nolint:forcetypeassert // a source hands its family's packages back
	}
	return all
}

// general returns packages as every family has them.
func general(all []*pkg) []distro.Package {
	set := make([]distro.Package, len(all))
	for i, p := range all {
		set[i] = p
	}
	return set
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

// secondary reports whether packages of an architecture stand beside those of
// the machine's own.
func secondary(architecture string) bool {
	switch architecture {
	case "i686", "i586", "i486", "i386", "s390":
		return true
	}
	return false
}
