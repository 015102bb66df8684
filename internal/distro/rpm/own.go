package rpm

import (
	"slices"

	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
)

// asked returns which of the chosen packages the requests name, or which provide
// what they name, with the place of the first such request.
func (f *family) asked(chosen []*pkg, about []*repodata.Package) map[int]int {
	asked := map[int]int{}
	add := func(i, place int) {
		if _, known := asked[i]; !known {
			asked[i] = place
		}
	}
	for place, request := range f.Requests {
		if request.Data {
			continue
		}
		r, _ := relation.Parse(request.Text)
		var found []int
		if request.File {
			for i, p := range chosen {
				if p.IsFile() && p.Locked.URL == request.Text {
					found = append(found, i)
				}
			}
		} else {
			found = repodata.Called(request.Text, about)
		}
		for _, i := range found {
			add(i, place)
		}
		if len(found) > 0 {
			continue
		}
		provides := func(p *repodata.Package) bool {
			return slices.ContainsFunc(p.Provides, r.Matches) || slices.Contains(p.Files, r.Name)
		}
		if i := slices.IndexFunc(about, provides); i >= 0 {
			add(i, place)
		}
	}
	return asked
}
