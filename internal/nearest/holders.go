package nearest

import (
	"slices"
	"strings"
)

// NewHolders returns a finder of the packages that hold exactly these paths, of
// which there may be many. A path matches with /usr before it and without.
func NewHolders(paths []string) *PathFinder {
	f := &PathFinder{exact: map[string]bool{}, found: map[string]*Held{}}
	for _, p := range paths {
		f.exact[withoutUsr(p)] = true
	}
	return f
}

// Holders returns the packages that hold each of the paths, without those that
// no package holds.
func (f *PathFinder) Holders(paths []string) map[string][]string {
	held := map[string][]string{}
	for name, h := range f.found {
		held[withoutUsr(name)] = append(held[withoutUsr(name)], h.Holders...)
	}
	all := map[string][]string{}
	for _, p := range paths {
		if by := held[withoutUsr(p)]; len(by) > 0 {
			all[p] = slices.Compact(slices.Sorted(slices.Values(by)))
		}
	}
	return all
}

func withoutUsr(name string) string {
	if rest, ok := strings.CutPrefix(name, "/usr/"); ok {
		return "/" + rest
	}
	return name
}
