package repodata

import (
	"slices"
	"strings"

	"smith/internal/distro/resolve"
)

const debugSuffix = "-debuginfo"

// DebugNames are the names that a package may have which holds the debug
// information of another: one for each package, or, in older distributions,
// one for all that were built of one source.
func DebugNames(name, sourceRPM string) []string {
	names := []string{name + debugSuffix}
	if source := SourceName(sourceRPM); source != "" && source != name {
		names = append(names, source+debugSuffix)
	}
	return names
}

// SourceName is the name in the name of a source package's file:
// "bzip2-1.0.8-18.el9.src.rpm" is of bzip2.
func SourceName(sourceRPM string) string {
	name := sourceRPM
	for range 2 {
		i := strings.LastIndexByte(name, '-')
		if i <= 0 {
			return ""
		}
		name = name[:i]
	}
	return name
}

// SharedDebug are the names of further packages of debug information that one
// needs, or recommends since rpm 4.17: of packages that were built of one
// source, one holds what the debug information of all has in common.
func (p *Package) SharedDebug() []string {
	var names []string
	for _, r := range slices.Concat(p.Requires, p.Recommends) {
		if name, _, _ := strings.Cut(r.Name, "("); strings.HasSuffix(name, debugSuffix) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Debug returns the packages with the debug information of a package: built
// of the same source, for the same architecture; none where there are none on
// offer.
func (c *Catalogue) Debug(p *Package) ([]resolve.ID, error) {
	var all []resolve.ID
	for _, name := range DebugNames(p.Name, p.SourceRPM) {
		id, found, err := c.sameBuild(name, p)
		if err != nil {
			return nil, err
		}
		if found {
			all = append(all, id)
			break
		}
	}
	for i := 0; i < len(all); i++ {
		for _, name := range c.packages[all[i]].SharedDebug() {
			id, found, err := c.sameBuild(name, p)
			if err != nil {
				return nil, err
			}
			if found && !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all, nil
}

// sameBuild finds a package that was built along with another.
func (c *Catalogue) sameBuild(name string, p *Package) (resolve.ID, bool, error) {
	named, err := c.keyed(keyName + name)
	if err != nil {
		return resolve.None, false, err
	}
	for _, id := range named {
		d := c.packages[id]
		if d.Arch == p.Arch && d.SourceRPM == p.SourceRPM && (p.SourceRPM != "" || d.EVR == p.EVR) {
			return id, true, nil
		}
	}
	return resolve.None, false, nil
}
