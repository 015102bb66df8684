package rpm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
)

// findDebug returns the packages with the debug information of the chosen
// ones, and those that the spec asks for beside them. Which of them are opened
// is known when it is known which files an image keeps. They are not resolved:
// what they need to be installed matters to no image.
func (f *family) findDebug(catalogue *repodata.Catalogue, chosen []*pkg, byOffer map[*repodata.Repository]*repository, files *localFiles) ([]*pkg, error) {
	ids, err := f.wantDebug(catalogue, files)
	if err != nil {
		return nil, err
	}
	seen := map[digest.Digest]bool{}
	for _, p := range chosen {
		seen[p.Digest] = true // asked for by name as well
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
		d := f.chosen(about, byOffer[from], files)
		d.Locked.Debug = cmp.Or(about.SourceRPM, about.Name)
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.Locked.String(), b.Locked.String()) })
	return all, nil
}

// wantDebug returns the packages of debug information that the spec names.
func (f *family) wantDebug(catalogue *repodata.Catalogue, files *localFiles) ([]resolve.ID, error) {
	var all []resolve.ID
	for i, r := range f.options.DebugRequests {
		clauses, err := wants(f.options.DebugRequests[i:i+1], catalogue, files)
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

// DebugInfo returns the packages with the debug information of others, and
// those that the spec names.
func (f *family) DebugInfo(ctx context.Context, wanted []distro.Wanted, debug []distro.Package) (*distro.Debug, error) {
	out := &distro.Debug{Absent: map[string]string{}}
	all := rpms(debug)
	opened := f.requestedDebug(all)
	for _, w := range wanted {
		p := w.Package.(*pkg) //nolint:forcetypeassert // see rpms
		about, err := p.description(ctx)
		if err != nil {
			return nil, err
		}
		names := repodata.DebugNames(about.Name, about.SourceRPM)
		i := -1
		for _, name := range names {
			if i = indexBuild(all, name, about); i >= 0 {
				opened = append(opened, all[i])
				break
			}
		}
		if i < 0 {
			out.Absent[p.Digest.String()] = fmt.Sprintf("no repository has %s %s %s", strings.Join(names, " or "), p.Locked.Version, p.Locked.Architecture)
		}
	}
	opened, err := f.withShared(ctx, opened, all)
	if err != nil {
		return nil, err
	}
	out.Packages = general(opened)
	return out, nil
}

// indexBuild finds a package with debug information of one that was built of
// the same source for the same architecture.
func indexBuild(all []*pkg, name string, about *repodata.Package) int {
	return slices.IndexFunc(all, func(d *pkg) bool {
		return d.Locked.Name == name && d.Locked.Architecture == about.Arch && d.Locked.Debug == cmp.Or(about.SourceRPM, d.Locked.Name)
	})
}

// requestedDebug returns the packages that the spec names itself.
func (f *family) requestedDebug(all []*pkg) []*pkg {
	about := make([]*repodata.Package, len(all))
	for i, d := range all {
		about[i] = &repodata.Package{Name: d.Locked.Name, Arch: d.Locked.Architecture, EVR: relation.ParseEVR(d.Locked.Version)}
	}
	var asked []*pkg
	for _, r := range f.options.DebugRequests {
		if r.File {
			for _, d := range all {
				if d.IsFile() && d.Locked.URL == r.Text {
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
func (f *family) withShared(ctx context.Context, opened, all []*pkg) ([]*pkg, error) {
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
	slices.SortFunc(opened, func(a, b *pkg) int { return strings.Compare(a.Locked.String(), b.Locked.String()) })
	return slices.Compact(opened), nil
}
