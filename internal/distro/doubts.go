package distro

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"smith/internal/distro/packages"
	"smith/internal/tree"
)

// doubts are what was seen of lists that do not match their packages.
type doubts struct {
	mu    sync.Mutex
	fresh string // not reported yet
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

// Doubt says which package is not as its repository's list has it: the list is
// out of date. That is seen of packages that are opened, as those are that the
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

// Compare looks whether an opened package holds what its list tells, nil where
// there is none. Directories need not be listed.
func (i *Item) Compare(list []string, entries []tree.Entry) {
	if list == nil {
		return
	}
	listed := map[string]bool{}
	for _, name := range list {
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
		i.source.doubts.add(fmt.Sprintf("the repository's list of contents does not match %s: %s", i.ID(), differs))
	}
}
