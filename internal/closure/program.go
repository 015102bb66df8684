package closure

import "smith/internal/tree"

// Program returns the path of the program that a runtime would start for a
// name in an image's environment and working folder, or "" where the tree does not hold it.
func Program(t *tree.Tree, env []string, dir, name string) string {
	at, _ := findProgram(t, env, dir, name)
	if at == "" || !t.Exists(at) {
		return ""
	}
	return at
}
