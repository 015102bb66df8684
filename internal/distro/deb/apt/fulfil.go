package apt

import (
	"cmp"
	"slices"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/resolve"
)

// fulfilment is what has, or provides, the name in a relation.
type fulfilment struct {
	candidates []resolve.ID // in apt's order of preference
	others     []resolve.ID // fulfil it too, but apt prefers another version
	misfits    []resolve.ID // have the name, but not the version or architecture
}

// fulfilling finds what fulfils a relation of a package for that architecture.
func (c *Catalogue) fulfilling(r control.Relation, architecture string) (fulfilment, error) {
	versions, err := c.bearing(r.Name)
	if err != nil {
		return fulfilment{}, err
	}
	return c.sort(versions, r.Name, func(v *Version) bool {
		return c.suits(v, r.Architecture, architecture) && allows(v, r)
	}), nil
}

// sort divides versions that bear a name. Those of priority 0 or less fulfil
// nothing unless a request made them the candidate.
func (c *Catalogue) sort(versions []*Version, name string, fits func(*Version) bool) fulfilment {
	var f fulfilment
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, func(a, b *Version) int { return c.comparePreference(a, b, name) })
	for _, v := range versions {
		switch {
		case !fits(v):
			f.misfits = append(f.misfits, v.ID)
		case c.Preferred(v):
			f.candidates = append(f.candidates, v.ID)
		case v.priority > 0:
			f.others = append(f.others, v.ID)
		}
	}
	return f
}

// clause returns the fulfilment as a clause. Others than the candidates count
// only if it is wide.
func (f fulfilment) clause(wide bool) resolve.Clause {
	if wide {
		return resolve.Clause{Options: append(f.candidates, f.others...), Misfits: f.misfits}
	}
	return resolve.Clause{Options: f.candidates, Misfits: append(f.others, f.misfits...)}
}

// bearing returns the versions that are called so or provide the name. It is
// asked for some names thousands of times.
func (c *Catalogue) bearing(name string) ([]*Version, error) {
	if versions, found := c.bearers[name]; found {
		return versions, nil
	}
	g, err := c.group(name)
	if err != nil {
		return nil, err
	}
	versions := slices.Clone(g.versions)
	known := map[*Version]bool{}
	for _, v := range versions {
		known[v] = true
	}
	for k, offer := range c.offers {
		providers, err := offer.Providers(name)
		if err != nil {
			return nil, err
		}
		for _, i := range providers {
			v, err := c.version(c.first[k] + resolve.ID(i))
			if err != nil {
				return nil, err
			}
			if !known[v] {
				known[v] = true
				versions = append(versions, v)
			}
		}
	}
	c.bearers[name] = versions
	return versions, nil
}

// comparePreference orders those that fulfil a relation as apt does: the
// package of that name, essential and more important ones, native ones. apt
// leaves the rest to the order in which it met them; here it is the name, then
// the newest version.
func (c *Catalogue) comparePreference(a, b *Version, name string) int {
	first := func(yes bool) int {
		if yes {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(first(a.Name == name), first(b.Name == name)),
		cmp.Compare(min(a.importance(), 0), min(b.importance(), 0)),
		cmp.Compare(first(c.architecture(a) == c.native), first(c.architecture(b) == c.native)),
		cmp.Compare(a.importance(), b.importance()),
		cmp.Compare(b.priority, a.priority),
		cmp.Compare(a.Name, b.Name),
		control.CompareVersions(b.Version, a.Version),
		cmp.Compare(a.ID, b.ID),
	)
}

// Preferred reports whether the version is apt's candidate for its name and
// architecture, or the one that a request names.
func (c *Catalogue) Preferred(v *Version) bool {
	return c.groups[v.Name].candidates[c.architecture(v)] == v
}

// allows reports whether the version is what a relation names: by its own name
// and version, or by those of a Provides. One without a version fulfils no
// relation with one (Debian Policy, 7.5).
func allows(v *Version, r control.Relation) bool {
	if v.Name == r.Name && r.Allows(v.Version) {
		return true
	}
	return v.provided(r)
}

func (v *Version) provided(r control.Relation) bool {
	for _, a := range v.provides {
		for _, p := range a {
			if p.Name == r.Name && (r.Operator == control.AnyVersion || p.Operator == control.ExactlyEqual && r.Allows(p.Version)) {
				return true
			}
		}
	}
	return false
}

// suits reports whether a package may fulfil a relation with that qualifier of
// a package for that architecture, by Multi-Arch (deb-control(5)). A native
// package never calls for a foreign one unless it names the architecture.
// ":any" on a package that is not "allowed" is read as if it were not there,
// as apt does on a machine of one architecture.
func (c *Catalogue) suits(v *Version, qualifier, architecture string) bool {
	own := c.architecture(v)
	switch qualifier {
	case "", "any", "native":
		if qualifier == "native" {
			architecture = c.native
		}
		foreign := v.multiArch == "foreign" || qualifier == "any" && v.multiArch == "allowed"
		return own == architecture || foreign && own == c.native
	default:
		return own == qualifier
	}
}

// excluded returns the versions that a relation of Conflicts or Breaks names,
// of any architecture if it names none. A package may conflict with what it
// provides itself: the others are meant (Debian Policy, 7.4).
func (c *Catalogue) excluded(v *Version, r control.Relation) ([]resolve.ID, error) {
	versions, err := c.bearing(r.Name)
	if err != nil {
		return nil, err
	}
	var with []resolve.ID
	for _, other := range versions {
		qualified := r.Architecture != "" && r.Architecture != "any" && r.Architecture != c.architecture(other)
		if other.Name != v.Name && !qualified && allows(other, r) {
			with = append(with, other.ID)
		}
	}
	return with, nil
}

// otherArchitectures returns what Multi-Arch excludes: the same package for
// another architecture, unless both are "same" and of one version.
func (c *Catalogue) otherArchitectures(v *Version) ([]resolve.Conflict, error) {
	g, err := c.group(v.Name)
	if err != nil {
		return nil, err
	}
	var with []resolve.ID
	for _, other := range g.versions {
		together := v.multiArch == "same" && other.multiArch == "same" && v.Version == other.Version
		if c.architecture(other) != c.architecture(v) && !together {
			with = append(with, other.ID)
		}
	}
	if with == nil {
		return nil, nil
	}
	return []resolve.Conflict{{Text: "cannot stand beside itself for another architecture", With: with}}, nil
}
