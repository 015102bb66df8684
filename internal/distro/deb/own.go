package deb

import (
	"slices"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
	"smith/internal/distro/packages"
)

// own returns what the packages hold that were asked for, and those that were
// split off the same source: the configuration and data of nginx are in
// nginx-common.
func (s *Source) own(set *packages.Set, chosen []*pkg) ([]string, error) {
	asked := s.asked(chosen)
	sources := map[string]bool{}
	for _, p := range asked {
		sources[p.sourceName()] = true
	}
	var paths []string
	for _, p := range chosen {
		if !slices.Contains(asked, p) && !sources[p.sourceName()] {
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

// asked returns the chosen packages that the requests name, or that provide
// what they name.
func (s *Source) asked(chosen []*pkg) []*pkg {
	var asked []*pkg
	for _, r := range s.Requests {
		named := func(p *pkg) bool { return p.isFile() && p.locked.URL == r.Text }
		provided := func(*pkg) bool { return false }
		if !r.File {
			request, err := apt.ParseRequest(r.Text)
			if err != nil {
				continue // resolution has refused it
			}
			named = func(p *pkg) bool { return p.locked.Name == request.Name }
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
	relations, err := control.ParseRelations(p.Field("Provides"), p.locked.Architecture)
	return err == nil && slices.ContainsFunc(relations, func(a control.Alternatives) bool { return a[0].Name == name })
}

// sourceName is the name of the source package.
func (p *pkg) sourceName() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.relations == nil {
		return p.locked.Name
	}
	return apt.SourceOf(p.relations)
}
