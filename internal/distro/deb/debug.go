package deb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
)

// debug returns the packages with the debug information of the set. Which of
// them are opened is known when it is known which files an image keeps.
func (r *resolution) debug(offers []*apt.Offer, set []*pkg) ([]distro.Package, error) {
	seen := map[digest.Digest]bool{}
	for _, p := range set {
		seen[p.Digest] = true // asked for by name as well
	}
	var all []*pkg
	for _, p := range set {
		found, err := apt.Debug(offers, p.relations)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			d, err := r.family.chosen(v, r.files)
			if err != nil {
				return nil, err
			}
			if !seen[d.Digest] {
				seen[d.Digest] = true
				d.Locked.Debug = p.sourceName()
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.Locked.String(), b.Locked.String()) })
	out := make([]distro.Package, len(all))
	for i, d := range all {
		out[i] = d
	}
	return out, nil
}

// DebugInfo returns the packages that may hold the debug information of files
// of others.
func (f *family) DebugInfo(_ context.Context, wanted []distro.Wanted, debug []distro.Package) (*distro.Debug, error) {
	out := &distro.Debug{Absent: map[string]string{}}
	for _, w := range wanted {
		p := w.Package.(*pkg) //nolint:forcetypeassert // see debs
		found := debugOf(p, debs(debug))
		if len(found) == 0 {
			out.Absent[p.Digest.String()] = fmt.Sprintf("no repository has %s %s %s; distributions have such packages in repositories of their own",
				apt.DebugName(p.Locked.Name), p.Locked.Version, p.Locked.Architecture)
		}
		for _, d := range found {
			if d.mayHold(w.BuildIDs) && !slices.Contains(out.Packages, distro.Package(d)) {
				out.Packages = append(out.Packages, d)
			}
		}
	}
	return out, nil
}

// debugOf returns the packages with the debug information of one: its own, or
// those for all that were built of its source.
func debugOf(p *pkg, debug []*pkg) []*pkg {
	var own, shared []*pkg
	for _, d := range debug {
		switch {
		case d.Locked.Architecture != p.Locked.Architecture:
		case d.Locked.Name == apt.DebugName(p.Locked.Name):
			own = append(own, d)
		case d.Locked.Debug == p.sourceName() && !apt.IsDebugName(d.Locked.Name):
			shared = append(shared, d)
		}
	}
	if len(own) > 0 {
		return own
	}
	return shared
}

// mayHold reports whether the package may have debug information by some of the
// build ids: its list of them is known where a repository offers it.
func (p *pkg) mayHold(ids []string) bool {
	known := strings.Fields(p.Field("Build-Ids"))
	return len(known) == 0 || slices.ContainsFunc(ids, func(id string) bool { return id == "" || slices.Contains(known, id) })
}
