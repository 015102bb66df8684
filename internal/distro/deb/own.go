package deb

import (
	"slices"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
)

// asked returns which of the chosen packages the requests name, or which provide
// what they name, with the place of the first such request.
func (f *family) asked(chosen []*pkg) map[*pkg]int {
	asked := map[*pkg]int{}
	for place, r := range f.Requests {
		if r.Data {
			continue
		}
		named := func(p *pkg) bool { return p.IsFile() && p.Locked.URL == r.Text }
		provided := func(*pkg) bool { return false }
		if !r.File {
			request, err := apt.ParseRequest(r.Text)
			if err != nil {
				continue // resolution has refused it
			}
			named = func(p *pkg) bool { return p.Locked.Name == request.Name }
			provided = func(p *pkg) bool { return p.provides(request.Name) }
		}
		for _, is := range []func(*pkg) bool{named, provided} {
			i := slices.IndexFunc(chosen, is)
			if i < 0 {
				continue
			}
			if _, known := asked[chosen[i]]; !known {
				asked[chosen[i]] = place
			}
			break
		}
	}
	return asked
}

func (p *pkg) provides(name string) bool {
	relations, err := control.ParseRelations(p.Field("Provides"), p.Locked.Architecture)
	return err == nil && slices.ContainsFunc(relations, func(a control.Alternatives) bool { return a[0].Name == name })
}
