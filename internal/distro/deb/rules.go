package deb

import (
	"slices"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/packages"
)

// A fielded package is one whose control fields are known before it is opened,
// from the repository's list.
type fielded interface {
	packages.Package
	// Field returns a field of the package's control paragraph, or "".
	Field(name string) string
}

// Rules are dpkg's for paths that several packages hold: a package takes over
// the files of those that it replaces (Debian Policy, 7.6.1), and instances of
// one package for several architectures share what is the same in all
// (Multi-Arch: same).
func Rules() packages.Rules { return packages.Rules{Replaces: replaces, Shares: shares} }

func replaces(upper, lower packages.Package) bool {
	p, known := upper.(fielded)
	if !known {
		return false
	}
	text := p.Field("Replaces")
	if text == "" {
		return false
	}
	id := lower.ID()
	relations, err := control.ParseRelations(text, upper.ID().Architecture)
	return err == nil && slices.ContainsFunc(relations, func(a control.Alternatives) bool {
		// Replaces knows no alternatives, and virtual packages have no files.
		return slices.ContainsFunc(a, func(r control.Relation) bool {
			return r.Name == id.Name && (r.Architecture == "" || r.Architecture == "any" || r.Architecture == id.Architecture) && r.Allows(id.Version)
		})
	})
}

func shares(a, b packages.Package) bool {
	return a.ID().Name == b.ID().Name && sameForAll(a) && sameForAll(b)
}

func sameForAll(p packages.Package) bool {
	f, known := p.(fielded)
	return known && f.Field("Multi-Arch") == "same"
}
