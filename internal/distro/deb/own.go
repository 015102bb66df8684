package deb

import (
	"slices"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
)

// asked returns the chosen packages that the requests name, or that provide
// what they name.
func (f *family) asked(chosen []*pkg) []*pkg {
	var asked []*pkg
	for _, r := range f.Requests {
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
			if i := slices.IndexFunc(chosen, is); i >= 0 {
				asked = append(asked, chosen[i])
				break
			}
		}
	}
	return asked
}

func (p *pkg) provides(name string) bool {
	relations, err := control.ParseRelations(p.Field("Provides"), p.Locked.Architecture)
	return err == nil && slices.ContainsFunc(relations, func(a control.Alternatives) bool { return a[0].Name == name })
}
