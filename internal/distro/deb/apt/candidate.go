package apt

import (
	"cmp"
	"fmt"
	"slices"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/resolve"
)

// A Version is one version of a package for one architecture, whoever offers
// it.
type Version struct {
	ID resolve.ID
	// Name, Version and Architecture are those of the fields.
	Name, Version, Architecture string
	// Paragraph is what the first of Offers says of it.
	Paragraph control.Paragraph
	Offers    []*Offer

	multiArch string
	priority  int
	provides  []control.Alternatives
}

// source returns the name of the source package.
func (v *Version) source() string {
	name, _ := sourceOf(v.Paragraph)
	return name
}

// importance is the place of the package among those that provide the same:
// Essential and Protected ones first, then by the Priority field.
func (v *Version) importance() int {
	switch {
	case v.Paragraph.Get("Essential") == "yes":
		return -2
	case v.Paragraph.Get("Protected") == "yes" || v.Paragraph.Get("Important") == "yes":
		return -1
	}
	if i := slices.Index([]string{"required", "important", "standard", "optional", "extra"}, v.Paragraph.Get("Priority")); i >= 0 {
		return i
	}
	return 5
}

// A group is all versions of a name, the newest first.
type group struct {
	versions []*Version
	// candidates are the preferred versions, by architecture; packages for
	// "all" count as native.
	candidates map[string]*Version
}

// group looks up a name.
func (c *Catalogue) group(name string) (*group, error) {
	if g, found := c.groups[name]; found {
		return g, nil
	}
	g := &group{candidates: map[string]*Version{}}
	known := map[[2]string]*Version{}
	for k, offer := range c.offers {
		named, err := offer.Named(name)
		if err != nil {
			return nil, err
		}
		for _, i := range named {
			v, err := c.read(k, i)
			if err != nil {
				return nil, err
			}
			key := [2]string{v.Version, v.Architecture}
			if known[key] == nil {
				known[key] = v
				g.versions = append(g.versions, v)
			} else {
				known[key].Offers = append(known[key].Offers, offer)
			}
			c.versions[v.ID] = known[key]
		}
	}
	c.prefer(g)
	c.groups[name] = g
	return g, nil
}

// prefer sorts the versions of a group and finds the candidates: the highest
// priority, and of these the newest.
func (c *Catalogue) prefer(g *group) {
	slices.SortStableFunc(g.versions, func(a, b *Version) int {
		return cmp.Or(control.CompareVersions(b.Version, a.Version), cmp.Compare(a.ID, b.ID))
	})
	for _, v := range g.versions {
		v.priority = c.preferences.priority(v, c.native)
		arch := c.architecture(v)
		if best := g.candidates[arch]; v.priority > 0 && (best == nil || v.priority > best.priority) {
			g.candidates[arch] = v
		}
	}
}

// read reads package i of offer k.
func (c *Catalogue) read(k, i int) (*Version, error) {
	p, err := c.offers[k].Paragraph(i)
	if err != nil {
		return nil, err
	}
	v := &Version{
		ID: c.first[k] + resolve.ID(i), Name: p.Get("Package"), Version: p.Get("Version"), Architecture: p.Get("Architecture"),
		Paragraph: p, Offers: []*Offer{c.offers[k]}, multiArch: p.Get("Multi-Arch"),
	}
	if v.provides, err = control.ParseRelations(p.Get("Provides"), v.Architecture); err != nil {
		return nil, fmt.Errorf("cannot read the relations of %s %s: %w", v.Name, v.Version, err)
	}
	return v, nil
}

// version returns the version with an ID, which may be any of the IDs that
// its offers give it.
func (c *Catalogue) version(id resolve.ID) (*Version, error) {
	if v, found := c.versions[id]; found {
		return v, nil
	}
	k := c.offerOf(id)
	if k < 0 || int(id-c.first[k]) >= c.offers[k].Len() {
		return nil, fmt.Errorf("no package has the number %d", id)
	}
	p, err := c.offers[k].Paragraph(int(id - c.first[k]))
	if err != nil {
		return nil, err
	}
	if _, err := c.group(p.Get("Package")); err != nil {
		return nil, err
	}
	v, found := c.versions[id]
	if !found {
		return nil, fmt.Errorf("the index does not list %s under its name", p.Get("Package"))
	}
	return v, nil
}

// offerOf returns the place of the offer that an ID belongs to.
func (c *Catalogue) offerOf(id resolve.ID) int {
	k, found := slices.BinarySearch(c.first, id)
	if found {
		for k+1 < len(c.first) && c.first[k+1] == id {
			k++ // skip offers of nothing
		}
		return k
	}
	return k - 1
}

// architecture returns the architecture that a package counts for.
func (c *Catalogue) architecture(v *Version) string {
	if v.Architecture == "all" {
		return c.native
	}
	return v.Architecture
}
