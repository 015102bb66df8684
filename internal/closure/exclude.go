package closure

import (
	"path"
	"strings"

	"smith/internal/tree"
)

// excludes are globs of what is left out.
type excludes []exclude

type exclude struct {
	pattern string         // as the spec has it
	matches []tree.Matcher // the same, and as a real path without links, and all under it
	used    bool           // it has left something out
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
			e.matches = append(e.matches, tree.NewMatcher(p), tree.NewMatcher(strings.TrimSuffix(p, "/**")+"/**"))
		}
		all = append(all, e)
	}
	return all
}

// realPattern replaces the folders that a pattern begins with by where they are.
func realPattern(t *tree.Tree, pattern string) string {
	literal := pattern
	if i := strings.IndexAny(pattern, tree.GlobChars); i >= 0 {
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
	for i, e := range x {
		for _, p := range e.matches {
			if p.Match(name) {
				x[i].used = true
				return e.pattern, true
			}
		}
	}
	return "", false
}

// warnUnused warns of patterns that match no file at all. One with "**" is not
// looked for: that may take a walk over a whole machine.
func (s *selector) warnUnused() error {
	for _, e := range s.excludes {
		if e.used || strings.Contains(e.pattern, "**") {
			continue
		}
		paths, err := s.view.Glob(e.pattern)
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			s.warn("excludes: " + e.pattern + " matches no file" + didYouMean(Near(s.view.Tree, e.pattern)))
		}
	}
	return nil
}
