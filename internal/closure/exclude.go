package closure

import (
	"path"
	"strings"

	"smith/internal/tree"
)

// excludes are globs of what is left out.
type excludes []exclude

type exclude struct {
	pattern string   // as the spec has it
	matches []string // the same, and as a real path without links, and all under it
}

// Excludes says whether patterns leave a path out of a tree, as Select does.
func Excludes(t *tree.Tree, patterns []string, name string) bool {
	_, out := newExcludes(t, patterns).match(name)
	return out
}

// newExcludes reads the patterns. One that goes through a link ("/lib/x*" where
// /lib leads to usr/lib) means the files that it leads to. The tree is not
// listed: an exclude is matched against the paths that something asks for.
func newExcludes(t *tree.Tree, patterns []string) excludes {
	var all excludes
	for _, pattern := range patterns {
		e := exclude{pattern: pattern}
		for _, p := range []string{tree.Clean(pattern), realPattern(t, tree.Clean(pattern))} {
			e.matches = append(e.matches, p, strings.TrimSuffix(p, "/**")+"/**")
		}
		all = append(all, e)
	}
	return all
}

// realPattern replaces the folders that a pattern begins with by where they are.
func realPattern(t *tree.Tree, pattern string) string {
	literal := pattern
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		literal = pattern[:i]
	}
	dir := literal[:strings.LastIndexByte(literal, '/')]
	at, err := t.Resolve(dir)
	if err != nil || dir == "" {
		return pattern
	}
	return path.Join(at.Path(), pattern[len(dir):])
}

// match returns the pattern that leaves out a real path.
func (x excludes) match(name string) (string, bool) {
	for _, e := range x {
		for _, p := range e.matches {
			if tree.Match(p, name) {
				return e.pattern, true
			}
		}
	}
	return "", false
}
