package apt

import (
	"cmp"
	"strings"

	"smith/internal/distro/deb/control"
)

// debugSuffix ends the name of the package with the debug information of one
// other (debhelper's dh_strip(1)).
const debugSuffix = "-dbgsym"

// DebugName is the name of the package with the debug information of another.
func DebugName(name string) string { return name + debugSuffix }

// IsDebugName reports whether a package has the debug information of one other, by
// its name.
func IsDebugName(name string) bool { return strings.HasSuffix(name, debugSuffix) }

// Debug returns the packages with the debug information of a package, by what
// the first offer that has them says: NAME-dbgsym in the same version, or,
// where there is none, what was made for all packages of one source by hand,
// such as libc6-dbg. There may be none.
func Debug(offers []*Offer, p control.Paragraph) ([]*Version, error) {
	for _, o := range offers {
		numbers, err := o.Named(DebugName(p.Get("Package")))
		if err != nil {
			return nil, err
		}
		same := func(d control.Paragraph) bool { return d.Get("Version") == p.Get("Version") }
		if found, err := o.versions(numbers, p, same); len(found) > 0 || err != nil {
			return found, err
		}
	}
	source, version := sourceOf(p)
	for _, o := range offers {
		x, ok := o.Packages.(*Index)
		if !ok {
			continue
		}
		numbers, err := x.table.Find(debugging + source)
		if err != nil {
			return nil, err
		}
		same := func(d control.Paragraph) bool { _, of := sourceOf(d); return of == version }
		if found, err := o.versions(numbers, p, same); len(found) > 0 || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// versions returns the packages of an offer that are for a package's
// architecture and that is accepts.
func (o *Offer) versions(numbers []int, p control.Paragraph, is func(control.Paragraph) bool) ([]*Version, error) {
	var all []*Version
	for _, i := range numbers {
		d, err := o.Paragraph(i)
		if err != nil {
			return nil, err
		}
		if d.Get("Architecture") == p.Get("Architecture") && is(d) {
			all = append(all, &Version{
				Name: d.Get("Package"), Version: d.Get("Version"), Architecture: d.Get("Architecture"), Paragraph: d, Offers: []*Offer{o},
			})
		}
	}
	return all, nil
}

// SourceOf returns the name of a package's source package (Debian Policy,
// 5.6.1).
func SourceOf(p control.Paragraph) string {
	name, _ := sourceOf(p)
	return name
}

// sourceOf returns the name and the version of the source package: a package
// that was only built anew has another version than its source.
func sourceOf(p control.Paragraph) (name, version string) {
	name, version, _ = strings.Cut(p.Get("Source"), " ")
	version = strings.Trim(version, " ()")
	return cmp.Or(name, p.Get("Package")), cmp.Or(version, p.Get("Version"))
}
