package closure

import (
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// nearMisses returns what a pattern that matches nothing may have meant, as
// the end of a sentence, or "".
func (s *selector) nearMisses(pattern string) string {
	if strings.ContainsAny(pattern, `*?[{\`) {
		return ""
	}
	dir, name := path.Split(tree.Clean(pattern))
	names := s.neighbours(dir, name)
	for _, other := range []string{"/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"} {
		if at := other + "/" + name; len(names) == 0 && s.view.Exists(at) {
			names = append(names, at)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// maxNeighbours bounds how many names of a folder are compared.
const maxNeighbours = 10000

// neighbours returns up to three entries of a folder whose names are nearest.
func (s *selector) neighbours(dir, name string) []string {
	at, err := s.view.Resolve(dir)
	if err != nil {
		return nil
	}
	others, err := at.Node.Names()
	if err != nil || len(others) > maxNeighbours {
		return nil
	}
	type near struct {
		path     string
		distance int
	}
	var found []near
	for _, other := range slices.Sorted(maps.Keys(others)) {
		d := distance(name, other)
		if len(name) > 2 && strings.HasPrefix(other, name) {
			d = min(d, 1)
		}
		if d <= 1+len(name)/4 {
			found = append(found, near{path.Join(dir, other), d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var names []string
	for _, n := range found[:min(3, len(found))] {
		names = append(names, n.path)
	}
	return names
}

// distance is the number of letters to insert, drop or change to turn a into b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
