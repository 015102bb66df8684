package deb

import (
	"context"
	"slices"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/packages"
	"smith/internal/nearest"
	"smith/internal/source"
)

// A knowledge is what is known of the packages that were chosen.
type knowledge struct {
	source       *Source
	set          *packages.Set
	chosen       []*pkg
	architecture string
}

var _ source.Packages = (*knowledge)(nil)

// List returns the chosen packages with their relations.
func (k *knowledge) List(ctx context.Context) ([]source.Package, error) {
	fields := make([]control.Paragraph, len(k.chosen))
	for i, p := range k.chosen {
		var err error
		if fields[i], err = p.fields(ctx); err != nil {
			return nil, err
		}
	}
	asked := k.source.asked(k.chosen)
	bearers, err := k.bearers(fields)
	if err != nil {
		return nil, err
	}
	list := make([]source.Package, len(k.chosen))
	for i, p := range k.chosen {
		id := p.ID()
		list[i] = source.Package{
			Package: p.ID(), Digest: p.digest().String(),
			Source: p.sourceName(), Section: fields[i].Get("Section"), Essential: fields[i].Get("Essential") == "yes",
			Asked: slices.Contains(asked, p),
		}
		if list[i].Relations, err = relations(i, fields[i], id.Architecture, bearers); err != nil {
			return nil, err
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

// bearers returns who bears which name.
func (k *knowledge) bearers(fields []control.Paragraph) (map[string][]bearer, error) {
	all := map[string][]bearer{}
	for i, p := range k.chosen {
		id, multi := p.ID(), fields[i].Get("Multi-Arch")
		b := bearer{index: i, own: true, version: id.Version, foreign: multi == "foreign", sharable: multi == "allowed", ofArch: id.Architecture}
		if b.ofArch == "all" {
			b.ofArch = k.architecture
		}
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
	switch r.Architecture {
	case "":
		if architecture != "all" && b.ofArch != architecture && !b.foreign {
			return false
		}
	case "any":
		if architecture != "all" && b.ofArch != architecture && !b.foreign && !b.sharable {
			return false
		}
	case "native":
	default:
		if b.ofArch != r.Architecture {
			return false
		}
	}
	if b.own {
		return r.Allows(b.version)
	}
	return r.Operator == control.AnyVersion || b.version != "" && r.Allows(b.version)
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

// Files returns what the tree has of a package.
func (k *knowledge) Files(_ context.Context, p source.Package) ([]string, error) {
	for _, c := range k.chosen {
		if c.digest().String() == p.Digest {
			return k.set.Held(c)
		}
	}
	return nil, nil
}

// Holders returns which packages on offer hold paths.
func (k *knowledge) Holders(ctx context.Context, paths []string, fetch bool) (map[string][]string, error) {
	finder := nearest.NewHolders(paths)
	if err := k.source.like(ctx, k.set, k.chosen, k.architecture, []*nearest.PathFinder{finder}, fetch); err != nil {
		return nil, err
	}
	return finder.Holders(paths), nil
}
