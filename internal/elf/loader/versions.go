package loader

import "slices"

// checkVersions finds the symbol versions that objects need and that the
// library loaded under the name does not define, as glibc's
// _dl_check_map_versions does (elf/dl-version.c). A library that defines none
// at all satisfies every need; musl's linker checks nothing.
func (g *glibc) checkVersions() []VersionError {
	var all []VersionError
	for _, o := range g.maps {
		for _, need := range o.file.VersionNeeds {
			all = append(all, g.checkNeed(o, need.Library, func(defined []string) []VersionError {
				var errs []VersionError
				for _, v := range need.Versions {
					if !slices.Contains(defined, v.Name) {
						errs = append(errs, VersionError{Version: v.Name, NeededBy: o.Path, Weak: v.Weak})
					}
				}
				return errs
			})...)
		}
	}
	return all
}

// checkNeed checks what one object needs of one library. A library that was
// not found is reported as missing; one that nothing has asked for by this name
// makes glibc abort: "Assertion 'needed != NULL' failed".
func (g *glibc) checkNeed(o *object, library string, undefined func([]string) []VersionError) []VersionError {
	if slices.ContainsFunc(g.missing, func(m Missing) bool { return m.Name == library }) {
		return nil
	}
	i := slices.IndexFunc(g.maps, func(m *object) bool { return m.goesBy(library) })
	if i < 0 {
		return []VersionError{{Library: library, NeededBy: o.Path, Absent: true}}
	}
	if g.maps[i].file.VersionDefs == nil {
		return nil
	}
	errs := undefined(g.maps[i].file.VersionDefs)
	for j := range errs {
		errs[j].Library = g.maps[i].Path
	}
	return errs
}
