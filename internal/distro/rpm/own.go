package rpm

import (
	"context"
	"slices"

	"smith/internal/distro/packages"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
)

// own returns what the packages hold that were asked for, and those that were
// built from the same source: the configuration of httpd is in
// httpd-filesystem.
func (s *Source) own(ctx context.Context, set *packages.Set, chosen []*pkg) ([]string, error) {
	about := make([]*repodata.Package, len(chosen))
	for i, p := range chosen {
		var err error
		if about[i], err = p.description(ctx); err != nil {
			return nil, err
		}
	}
	asked := s.asked(chosen, about)
	sources := map[string]bool{}
	for _, i := range asked {
		sources[about[i].SourceRPM] = true
	}
	var paths []string
	for i, p := range chosen {
		if !slices.Contains(asked, i) && (about[i].SourceRPM == "" || !sources[about[i].SourceRPM]) {
			continue
		}
		held, err := set.Held(p)
		if err != nil {
			return nil, err
		}
		paths = append(paths, held...)
	}
	paths = slices.DeleteFunc(paths, func(name string) bool { return !packages.NeededToRun(name) })
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// asked returns which of the chosen packages the requests name, or which
// provide what they name.
func (s *Source) asked(chosen []*pkg, about []*repodata.Package) []int {
	var asked []int
	for _, request := range s.Requests {
		r, _ := relation.Parse(request.Text)
		var found []int
		if request.File {
			for i, p := range chosen {
				if p.isFile() && p.locked.URL == request.Text {
					found = append(found, i)
				}
			}
		} else {
			found = repodata.Called(request.Text, about)
		}
		if len(found) > 0 {
			asked = append(asked, found...)
			continue
		}
		provides := func(p *repodata.Package) bool {
			return slices.ContainsFunc(p.Provides, r.Matches) || slices.Contains(p.Files, r.Name)
		}
		if i := slices.IndexFunc(about, provides); i >= 0 {
			asked = append(asked, i)
		}
	}
	return asked
}
