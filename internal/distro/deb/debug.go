package deb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/packages"
	"smith/internal/source"
)

// debug returns the packages with the debug information of the set. Which of
// them are opened is known when it is known which files an image keeps.
func (r *resolution) debug(offers []*apt.Offer, set []*pkg) ([]*pkg, error) {
	seen := map[digest.Digest]bool{}
	for _, p := range set {
		seen[p.digest()] = true // asked for by name as well
	}
	var all []*pkg
	for _, p := range set {
		found, err := apt.Debug(offers, p.relations)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			d, err := r.source.chosen(v, r.files)
			if err != nil {
				return nil, err
			}
			if !seen[d.digest()] {
				seen[d.digest()] = true
				d.locked.Debug = p.sourceName()
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.locked.String(), b.locked.String()) })
	return all, nil
}

// offerDebug offers the debug information of files that an image holds.
func (c choice) offerDebug(ctx context.Context, wanted map[string][]string) (*source.Debug, error) {
	out := &source.Debug{Absent: map[string]string{}}
	var set []packages.Package
	for _, p := range c.packages {
		ids, ok := wanted[p.digest().String()]
		if !ok {
			continue
		}
		found := c.debugOf(p)
		if len(found) == 0 {
			out.Absent[p.digest().String()] = fmt.Sprintf("no repository has %s %s %s; distributions have such packages in repositories of their own",
				apt.DebugName(p.locked.Name), p.locked.Version, p.locked.Architecture)
		}
		for _, d := range found {
			if d.mayHold(ids) && !slices.Contains(set, packages.Package(d)) {
				set = append(set, d)
				out.Inputs = append(out.Inputs, d.input())
			}
		}
	}
	laid, err := packages.New(ctx, set, Rules())
	if err != nil {
		return nil, err
	}
	out.Tree, out.Close = laid.Tree(), laid.Close
	return out, nil
}

// debugOf returns the packages with the debug information of one: its own, or
// those for all that were built of its source.
func (c choice) debugOf(p *pkg) []*pkg {
	var own, shared []*pkg
	for _, d := range c.debug {
		switch {
		case d.locked.Architecture != p.locked.Architecture:
		case d.locked.Name == apt.DebugName(p.locked.Name):
			own = append(own, d)
		case d.locked.Debug == p.sourceName() && !apt.IsDebugName(d.locked.Name):
			shared = append(shared, d)
		}
	}
	if len(own) > 0 {
		return own
	}
	return shared
}

// mayHold says whether the package may have debug information by some of the
// build ids: its list of them is known where a repository offers it.
func (p *pkg) mayHold(ids []string) bool {
	known := strings.Fields(p.Field("Build-Ids"))
	return len(known) == 0 || slices.ContainsFunc(ids, func(id string) bool { return id == "" || slices.Contains(known, id) })
}
