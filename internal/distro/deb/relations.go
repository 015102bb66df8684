package deb

import (
	"context"
	"fmt"
	"slices"

	"smith/internal/distro"
	"smith/internal/distro/deb/control"
	"smith/internal/source"
)

// List returns the packages of a set with their relations.
func (f *family) List(ctx context.Context, set []distro.Package, _ func(distro.Package) ([]string, error)) ([]source.Package, error) {
	chosen := debs(set)
	fields := make([]control.Paragraph, len(chosen))
	for i, p := range chosen {
		var err error
		if fields[i], err = p.fields(ctx); err != nil {
			return nil, err
		}
	}
	asked := f.asked(chosen)
	bearers, err := bearersOf(chosen, fields)
	if err != nil {
		return nil, err
	}
	list := make([]source.Package, len(chosen))
	for i, p := range chosen {
		id := p.ID()
		list[i] = source.Package{
			Package: id, Digest: p.Digest.String(),
			Source: p.sourceName(), Section: fields[i].Get("Section"), Essential: fields[i].Get("Essential") == "yes",
		}
		if place, ok := asked[p]; ok {
			list[i].Asked, list[i].Request, list[i].Where = true, place, f.Requests[place].Where
		}
		if list[i].Relations, err = relations(i, fields[i], id.Architecture, bearers); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return list, nil
}

// A bearer is a package that bears a name, as its own or by a Provides.
type bearer struct {
	index    int
	own      bool
	version  string // "" for a Provides without a version
	foreign  bool   // Multi-Arch lets it serve other architectures
	ofArch   string
	sharable bool // likewise for ":any"
}

// bearersOf returns who bears which name.
func bearersOf(chosen []*pkg, fields []control.Paragraph) (map[string][]bearer, error) {
	all := map[string][]bearer{}
	for i, p := range chosen {
		id, multi := p.ID(), fields[i].Get("Multi-Arch")
		b := bearer{index: i, own: true, version: id.Version, foreign: multi == "foreign", sharable: multi == "allowed", ofArch: id.Architecture}
		all[id.Name] = append(all[id.Name], b)
		provides, err := control.ParseRelations(fields[i].Get("Provides"), id.Architecture)
		if err != nil {
			return nil, err
		}
		for _, a := range provides {
			b.own, b.version = false, a[0].Version
			all[a[0].Name] = append(all[a[0].Name], b)
		}
	}
	return all, nil
}

// relations returns what a package calls for.
func relations(index int, fields control.Paragraph, architecture string, bearers map[string][]bearer) ([]source.Relation, error) {
	var all []source.Relation
	for _, kind := range source.RelationKinds() {
		wanted, err := control.ParseRelations(fields.Get(kind.String()), architecture)
		if err != nil {
			return nil, err
		}
		for _, alternatives := range wanted {
			r := source.Relation{Kind: kind, Text: alternatives.String()}
			for _, one := range alternatives {
				for _, b := range bearers[one.Name] {
					if b.index != index && b.satisfies(one, architecture) && !slices.Contains(r.By, b.index) {
						r.By = append(r.By, b.index)
					}
				}
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// satisfies reports whether the bearer is what a relation of a package for an
// architecture names (Debian Policy, 7.1 and 7.5; deb-control(5), Multi-Arch).
func (b bearer) satisfies(r control.Relation, architecture string) bool {
	// Packages for all architectures serve the native one; the resolver has seen
	// to it that this is the one in question.
	same := architecture == "all" || b.ofArch == "all" || b.ofArch == architecture
	switch r.Architecture {
	case "":
		if !same && !b.foreign {
			return false
		}
	case "any":
		if !same && !b.foreign && !b.sharable {
			return false
		}
	case "native":
	default:
		if b.ofArch != r.Architecture && b.ofArch != "all" {
			return false
		}
	}
	if b.own {
		return r.Allows(b.version)
	}
	return r.Operator == control.AnyVersion || b.version != "" && r.Allows(b.version)
}
