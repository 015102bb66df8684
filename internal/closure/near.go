package closure

import (
	"maps"
	"path"
	"slices"

	"smith/internal/nearest"
	"smith/internal/tree"
)

// Near returns paths of a tree that a user may mean by one that does not exist.
func Near(t *tree.Tree, pattern string) []string {
	if !tree.IsLiteral(pattern) {
		return nil
	}
	dir, name := path.Split(tree.Clean(pattern))
	names := neighbours(t, dir, name)
	for _, other := range []string{"/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"} {
		if at := other + "/" + name; len(names) == 0 && t.Exists(at) {
			names = append(names, at)
		}
	}
	return names
}

// maxNeighbours bounds how many names of a folder are compared.
const maxNeighbours = 10000

// neighbours returns up to three entries of a folder whose names are nearest.
func neighbours(t *tree.Tree, dir, name string) []string {
	at, err := t.Resolve(dir)
	if err != nil {
		return nil
	}
	others, err := at.Node.Names()
	if err != nil || len(others) > maxNeighbours {
		return nil
	}
	var paths []string
	for _, near := range nearest.Words(name, slices.Values(slices.Sorted(maps.Keys(others))), 3) {
		paths = append(paths, path.Join(dir, near))
	}
	return paths
}
