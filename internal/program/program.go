// Package program finds the programs of an image as the kernel, execvp(3) and
// env(1) do: in PATH, and after "#!".
package program

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// DefaultPath is where programs are searched when an image sets no PATH, and
// what smith writes into the config of such an image.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// SearchPath returns the PATH of an environment, DefaultPath where it has none.
func SearchPath(env []string) string { return cmp.Or(Getenv(env, "PATH"), DefaultPath) }

// Getenv returns the last value of a variable in an environment, or "".
func Getenv(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// Find returns the path of a program as execvp(3) finds it: a name with a slash
// counts from the working directory, another is searched in the directories of
// PATH. Where those do not have it, the path is "". searched are the
// directories that were looked in.
func Find(t *tree.Tree, env []string, dir, name string) (at string, searched []string) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = dir + "/" + name
		}
		return tree.Clean(name), nil
	}
	for dir := range strings.SplitSeq(SearchPath(env), ":") {
		dir = tree.Clean(dir)
		searched = append(searched, dir)
		if found, err := t.Resolve(dir + "/" + name); err == nil && found.Node.Executable() {
			return path.Join(dir, name), searched
		}
	}
	return "", searched
}

// Existing returns the path of the program that a runtime starts for a name in
// an image's environment and working directory, "" where the tree lacks it.
func Existing(t *tree.Tree, env []string, dir, name string) string {
	at, _ := Find(t, env, dir, name)
	if at == "" || !t.Exists(at) {
		return ""
	}
	return at
}
