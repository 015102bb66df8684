package rpm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/packages"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/source"
)

// findDebug returns the packages with the debug information of the chosen
// ones, and those that the spec asks for beside them. Which of them are opened
// is known when it is known which files an image keeps. They are not resolved:
// what they need to be installed matters to no image.
func (s *Source) findDebug(catalogue *repodata.Catalogue, chosen []*pkg, byOffer map[*repodata.Repository]*repository, files *localFiles) ([]*pkg, error) {
	ids, err := s.wantDebug(catalogue, files)
	if err != nil {
		return nil, err
	}
	seen := map[digest.Digest]bool{}
	for _, p := range chosen {
		seen[p.digest] = true // asked for by name as well
		more, err := catalogue.Debug(p.about)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	var all []*pkg
	for _, id := range ids {
		about, from, err := catalogue.Find(id)
		if err != nil {
			return nil, err
		}
		if seen[about.Digest] {
			continue
		}
		seen[about.Digest] = true
		d := s.chosen(about, byOffer[from], files)
		d.locked.Debug = cmp.Or(about.SourceRPM, about.Name)
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.locked.String(), b.locked.String()) })
	return all, nil
}

// wantDebug returns the packages of debug information that the spec names.
func (s *Source) wantDebug(catalogue *repodata.Catalogue, files *localFiles) ([]resolve.ID, error) {
	var all []resolve.ID
	for i, r := range s.DebugRequests {
		clauses, err := wants(s.DebugRequests[i:i+1], catalogue, files)
		if err != nil {
			return nil, err
		}
		for _, c := range clauses {
			if len(c.Options) == 0 {
				return nil, fmt.Errorf("%s: no package on offer is %s", r.Where, c.Text)
			}
			all = append(all, c.Options[0])
		}
	}
	return all, nil
}

// debug offers the debug information of files that an image holds.
func (s *Source) debug(ctx context.Context, chosen *choice, wanted map[string][]string) (*source.Debug, error) {
	out := &source.Debug{Absent: map[string]string{}}
	opened := s.requestedDebug(chosen.debug)
	for _, p := range chosen.packages {
		if _, ok := wanted[p.digest.String()]; !ok {
			continue
		}
		about, err := p.description(ctx)
		if err != nil {
			return nil, err
		}
		names := repodata.DebugNames(about.Name, about.SourceRPM)
		i := -1
		for _, name := range names {
			if i = indexBuild(chosen.debug, name, about); i >= 0 {
				opened = append(opened, chosen.debug[i])
				break
			}
		}
		if i < 0 {
			out.Absent[p.digest.String()] = fmt.Sprintf("no repository has %s %s %s", strings.Join(names, " or "), p.locked.Version, p.locked.Architecture)
		}
	}
	opened, err := s.withShared(ctx, opened, chosen.debug)
	if err != nil {
		return nil, err
	}
	set := make([]packages.Package, len(opened))
	for i, p := range opened {
		set[i] = p
	}
	laid, err := packages.New(ctx, set, Rules())
	if err != nil {
		return nil, err
	}
	for _, p := range opened {
		out.Inputs = append(out.Inputs, p.input())
	}
	out.Tree, out.Close = laid.Tree(), laid.Close
	return out, nil
}

// indexBuild finds a package with debug information of one that was built of
// the same source for the same architecture.
func indexBuild(all []*pkg, name string, about *repodata.Package) int {
	return slices.IndexFunc(all, func(d *pkg) bool {
		return d.locked.Name == name && d.locked.Architecture == about.Arch && d.locked.Debug == cmp.Or(about.SourceRPM, d.locked.Name)
	})
}

// requestedDebug returns the packages that the spec names itself.
func (s *Source) requestedDebug(all []*pkg) []*pkg {
	about := make([]*repodata.Package, len(all))
	for i, d := range all {
		about[i] = &repodata.Package{Name: d.locked.Name, Arch: d.locked.Architecture, EVR: relation.ParseEVR(d.locked.Version)}
	}
	var asked []*pkg
	for _, r := range s.DebugRequests {
		if r.File {
			for _, d := range all {
				if d.isFile() && d.locked.URL == r.Text {
					asked = append(asked, d)
				}
			}
			continue
		}
		for _, i := range repodata.Called(r.Text, about) {
			asked = append(asked, all[i])
		}
	}
	return asked
}

// withShared adds the packages that hold what the debug information of several
// has in common, and sorts all.
func (s *Source) withShared(ctx context.Context, opened, all []*pkg) ([]*pkg, error) {
	for i := 0; i < len(opened); i++ {
		about, err := opened[i].description(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot open %s: %w", opened[i].ID(), err)
		}
		for _, name := range about.SharedDebug() {
			if at := indexBuild(all, name, about); at >= 0 && !slices.Contains(opened, all[at]) {
				opened = append(opened, all[at])
			}
		}
	}
	slices.SortFunc(opened, func(a, b *pkg) int { return strings.Compare(a.locked.String(), b.locked.String()) })
	return slices.Compact(opened), nil
}
