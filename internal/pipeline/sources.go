package pipeline

import (
	"fmt"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/osrelease"
	"smith/internal/reference"
	"smith/internal/rootfs"
	"smith/internal/source"
	"smith/internal/source/host"
	"smith/internal/source/oci"
	"smith/internal/tree"
	"smith/record"
)

// sources are what the names in a spec mean. Nothing is open yet.
type sources struct {
	pkg, parent source.Source // nil where the spec names none
	overlay     *tree.Tree    // nil where there is no rootfs/
	platforms   []ocispec.Platform
}

// sources works out what the names in a spec mean.
func (b *Builder) sources(r Request) (*sources, error) {
	s := &sources{}
	var err error
	if s.pkg, err = b.packageSource(r); err != nil {
		return nil, err
	}
	if s.parent, err = b.parentSource(r); err != nil {
		return nil, fmt.Errorf("%s: parent: %w", r.place("parent", 0), err)
	}
	if s.platforms, err = platforms(r); err != nil || r.Dir == "" {
		return s, err
	}
	s.overlay, err = rootfs.Overlay(filepath.Join(r.Dir, "rootfs"))
	return s, err
}

// platforms returns the platforms to build: at least one, which may be zero.
func platforms(r Request) ([]ocispec.Platform, error) {
	all := r.Platforms
	if len(all) > 0 {
		return all, nil
	}
	for i, text := range r.Spec.Platforms {
		platform, err := ParsePlatform(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.place("platforms", i), err)
		}
		all = append(all, platform)
	}
	if len(all) == 0 {
		all = []ocispec.Platform{{}}
	}
	return all, nil
}

// context is what decides the meaning of a name in the spec.
func (r Request) context() reference.Context {
	c := reference.Context{Type: r.Spec.Type, Mock: r.Spec.Mock != nil, Stat: r.stat}
	if r.Lock != nil {
		c.Locked = string(r.Lock.Family())
	}
	if c.Locked == "" {
		c.Family = family()
	}
	return c
}

// packageSource returns the source of the spec's packages, nil where it names
// none.
func (b *Builder) packageSource(r Request) (source.Source, error) {
	names, err := b.names(r)
	switch {
	case err != nil || len(names) == 0:
		return nil, err
	case names[0].Family != "":
		return b.packages(r, names)
	}
	return b.files(r, names[0], record.KindImage), nil
}

// parentSource returns the source of the parent image, nil where the spec names
// none.
func (b *Builder) parentSource(r Request) (source.Source, error) {
	if r.Spec.Parent == "" {
		return nil, nil
	}
	parent, err := reference.ParseParent(r.Spec.Parent, r.context())
	if err != nil {
		return nil, err
	}
	if parent.Decided != "" {
		b.Events.Note(parent.String() + ": " + parent.Decided)
	}
	return b.files(r, parent, record.KindParent), nil
}

// files returns the source of files that are not in packages.
func (b *Builder) files(r Request, from reference.Reference, kind record.Kind) source.Source {
	switch from.Kind {
	case reference.Host:
		return host.New("/")
	case reference.Registry:
		return &oci.Source{Remote: from, Registry: b.Registry, Kind: kind, Store: b.Store, Events: b.Events}
	default:
		return &oci.Source{Path: r.path(from.Path), Tag: from.Tag, Kind: kind, Store: b.Store, Events: b.Events}
	}
}

func decided(r reference.Reference) string {
	if r.Decided != "" {
		return r.Decided
	}
	return "the spec's type says so"
}

// stat describes a file that the spec may name.
func (r Request) stat(name string) (os.FileInfo, error) { return os.Stat(r.path(name)) }

// family is the package family of this machine's distribution, "" where it has
// no os-release.
func family() string {
	values, err := osrelease.Machine("/")
	if err != nil {
		return "" // a machine without os-release has no family
	}
	return reference.Family(values)
}
