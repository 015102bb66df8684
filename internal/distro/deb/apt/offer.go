package apt

import (
	"net/url"
	"slices"

	"smith/internal/distro/deb/control"
)

// Packages is one list of packages.
type Packages interface {
	// Named returns the packages of that name, by their place in the list.
	Named(name string) ([]int, error)
	// Providers returns those that provide the name.
	Providers(name string) ([]int, error)
	// Paragraph returns what the list says of a package.
	Paragraph(i int) (control.Paragraph, error)
	// Len returns the number of packages.
	Len() int
}

// An Offer is a list of packages with what preferences can tell it by.
type Offer struct {
	Packages
	// Release is what vouches for the list, nil for files of the user.
	Release *Release
	// Component is "main" and the like.
	Component string
	// Site is the host that the list came from, "" for none.
	Site string
}

// Offer returns the index as an offer.
func (x *Index) Offer() *Offer {
	o := &Offer{Packages: x, Release: x.Release, Component: x.Component}
	if address, err := url.Parse(x.Source.Mirrors[0]); err == nil {
		o.Site = address.Hostname()
	}
	return o
}

// Files are packages that the user has as files: one paragraph each.
type Files []control.Paragraph

var _ Packages = Files(nil)

// Named returns the files of packages of that name.
func (f Files) Named(name string) ([]int, error) {
	return f.find(func(p control.Paragraph) bool { return p.Get("Package") == name }), nil
}

// Providers returns the files of packages that provide the name. What a
// Provides holds that cannot be read provides nothing.
func (f Files) Providers(name string) ([]int, error) {
	return f.find(func(p control.Paragraph) bool {
		provides, err := control.ParseRelations(p.Get("Provides"), p.Get("Architecture"))
		if err != nil {
			return false
		}
		for _, a := range provides {
			if a[0].Name == name {
				return true
			}
		}
		return false
	}), nil
}

// Paragraph returns the control fields of a file.
func (f Files) Paragraph(i int) (control.Paragraph, error) { return f[i], nil }

// Len returns the number of files.
func (f Files) Len() int { return len(f) }

func (f Files) find(is func(control.Paragraph) bool) []int {
	var found []int
	for i, p := range f {
		if is(p) {
			found = append(found, i)
		}
	}
	return found
}

// Essential returns the names of the packages that every system has, sorted.
func Essential(offers []*Offer) ([]string, error) {
	var names []string
	for _, o := range offers {
		x, ok := o.Packages.(*Index)
		if !ok {
			continue
		}
		numbers, err := x.Essential()
		if err != nil {
			return nil, err
		}
		for _, i := range numbers {
			p, err := x.Paragraph(i)
			if err != nil {
				return nil, err
			}
			names = append(names, p.Get("Package"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
