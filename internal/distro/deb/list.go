package deb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/packages"
	"smith/internal/tree"
)

// list asks the archive's lists what the packages hold, so that only those are
// fetched of which a file is wanted. Where the lists are larger than all the
// packages together, these are opened instead: which it is follows from the
// repository alone. Lists that cannot be had are done without; the image is the
// same. A list may be of yesterday's packages: see Doubt.
func (s *Source) list(ctx context.Context, set []*pkg) error {
	if s.doubts.isWrong() {
		return nil
	}
	var asked []apt.Held
	var size int64
	for _, p := range set {
		size += p.locked.Size
		if p.index != nil {
			asked = append(asked, p.held())
		}
	}
	listing, known, err := s.machine.opener.Listing(asked)
	if err != nil || listing.Size >= size {
		return err
	}
	paths, err := listing.Paths(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.Events.Note(fmt.Sprintf("all packages are opened: %v", err))
		return nil
	}
	listed := map[apt.Held]bool{}
	for _, h := range known {
		listed[h] = true
	}
	for _, p := range set {
		if p.index != nil && listed[p.held()] {
			p.paths = paths[p.locked.Name+" "+p.locked.Architecture]
		}
	}
	for _, p := range s.asked(set) {
		p.sure = true
	}
	return nil
}

func (p *pkg) held() apt.Held {
	return apt.Held{Name: p.locked.Name, Architecture: p.locked.Architecture, Index: p.index}
}

// doubts are what was seen of lists that do not fit their packages.
type doubts struct {
	mu    sync.Mutex
	fresh string // not told yet
	wrong bool
	sets  []*packages.Set // that may still be opening packages
}

// watch has Doubt wait for what a set opens.
func (d *doubts) watch(set *packages.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sets = append(d.sets, set)
}

func (d *doubts) isWrong() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wrong
}

func (d *doubts) add(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fresh == "" {
		d.fresh = text
	}
	d.wrong = true
}

// Doubt says which package is not as its archive's list has it: the list is of
// another time. That is seen of packages that are opened, as those are that the
// requests name. What a list lacks of another package is not seen, unless
// nothing works without it: then all packages are opened anyway.
func (s *Source) Doubt() string {
	s.doubts.mu.Lock()
	sets := slices.Clone(s.doubts.sets)
	s.doubts.mu.Unlock()
	for _, set := range sets {
		set.Settle() // what is found does not depend on how fast that is
	}
	s.doubts.mu.Lock()
	defer s.doubts.mu.Unlock()
	text := s.doubts.fresh
	s.doubts.fresh = ""
	return text
}

// compare looks whether an opened package holds what its list tells. Folders
// need not be listed.
func (p *pkg) compare(entries []tree.Entry) {
	if p.paths == nil {
		return
	}
	listed := map[string]bool{}
	for _, name := range p.paths {
		listed[tree.Clean(name)] = true
	}
	differs := ""
	for _, e := range entries {
		name := tree.Clean(e.Path)
		if !listed[name] && (e.Node == nil || e.Node.Kind != tree.Dir) {
			differs = "the package holds " + name + ", which is not listed"
		}
		delete(listed, name)
	}
	if missing := slices.Sorted(maps.Keys(listed)); len(missing) > 0 {
		differs = "it does not hold " + missing[0]
	}
	if differs != "" {
		p.source.doubts.add(fmt.Sprintf("the repository's list of contents does not fit %s: %s", p.ID(), differs))
	}
}
