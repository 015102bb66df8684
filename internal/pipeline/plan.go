package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
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
)

// A plan is what the names in a spec turned out to mean.
type plan struct {
	Options
	pkg, parent source.Source // nil where the spec names none
	overlay     *tree.Tree    // nil where there is no rootfs/
	platforms   []ocispec.Platform
	opened      []func() error
}

func newPlan(o Options) (*plan, error) {
	p := &plan{Options: o, platforms: o.Platforms}
	if err := p.sources(); err != nil {
		return nil, err
	}
	if len(p.platforms) == 0 {
		for i, text := range o.Spec.Platforms {
			platform, err := ParsePlatform(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.place("platforms", i), err)
			}
			p.platforms = append(p.platforms, platform)
		}
	}
	if len(p.platforms) == 0 {
		p.platforms = []ocispec.Platform{{}}
	}
	if o.Dir == "" {
		return p, nil
	}
	var err error
	p.overlay, err = rootfs.Overlay(filepath.Join(o.Dir, "rootfs"))
	return p, err
}

// close lets go of the images that are open.
func (p *plan) close() error {
	var errs []error
	for _, done := range p.opened {
		errs = append(errs, done())
	}
	p.opened = nil
	return errors.Join(errs...)
}

// sources decides what package and parent mean.
func (p *plan) sources() error {
	s := p.Spec
	c := reference.Context{Type: s.Type, Mock: s.Mock != nil, Family: family(), Stat: p.stat}
	names, err := p.names(c)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		if p.pkg, err = p.packageSource(names); err != nil {
			return err
		}
	}
	if s.Parent == "" {
		return nil
	}
	r, err := reference.ParseParent(s.Parent, c)
	if err == nil {
		if r.Decided != "" {
			p.Events.Note(r.String() + ": " + r.Decided)
		}
		p.parent, err = p.source(r, "parent")
	}
	if err != nil {
		return fmt.Errorf("%s: parent: %w", p.place("parent", 0), err)
	}
	return nil
}

// packageSource returns the source that the spec's packages stand for.
func (p *plan) packageSource(names []reference.Reference) (source.Source, error) {
	if names[0].Family != "" {
		return p.packages(names)
	}
	return p.source(names[0], "image")
}

// source returns the source of files that are no packages.
func (p *plan) source(r reference.Reference, kind string) (source.Source, error) {
	switch r.Kind {
	case reference.Host:
		return host.New("/"), nil
	case reference.Registry:
		return &oci.Source{Remote: r, Registry: p.Registry, Kind: kind, Store: p.Store, Events: p.Events}, nil
	default:
		return &oci.Source{Path: p.path(r.Path), Tag: r.Tag, Kind: kind, Store: p.Store, Events: p.Events}, nil
	}
}

func decided(r reference.Reference) string {
	if r.Decided != "" {
		return r.Decided
	}
	return "the spec's type says so"
}

func (p *plan) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.Dir, name)
}

func (p *plan) stat(name string) (fs.FileInfo, error) { return os.Stat(p.path(name)) }

// family is the kind of packages that this machine's distribution has, "" where
// it has no os-release.
func family() string {
	values, err := osrelease.Machine("/")
	if err != nil {
		return "" // as of a machine that has none
	}
	return reference.Family(values)
}
