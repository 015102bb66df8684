package loader

import "slices"

// checkVersions finds the symbol versions that objects need and that the
// library loaded under the name does not define. A library that defines none
// at all satisfies every need, as it does for glibc's linker; musl's checks
// nothing.
func (g *glibc) checkVersions() []VersionError {
	var all []VersionError
	for _, o := range g.maps {
		for _, need := range o.file.VersionNeeds {
			i := slices.IndexFunc(g.maps, func(m *object) bool { return m.answers(need.Library) })
			if i < 0 || g.maps[i].file.VersionDefs == nil {
				continue
			}
			for _, v := range need.Versions {
				if !slices.Contains(g.maps[i].file.VersionDefs, v.Name) {
					all = append(all, VersionError{v.Name, g.maps[i].Path, o.Path, v.Weak})
				}
			}
		}
	}
	return all
}
