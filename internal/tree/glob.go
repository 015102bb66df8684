package tree

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Glob returns the paths that a pattern matches, sorted and each once. The
// pattern counts from the root, with or without a leading slash; "*", "?",
// "[…]" and "{a,b}" mean what they mean in a shell, "**" any number of
// folders. Links to folders are followed where the pattern names an element,
// and not under "**", as in a shell. A path is given as the pattern addresses
// it: links on the way are not replaced by what they point to.
func (t *Tree) Glob(pattern string) ([]string, error) {
	if !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf(`bad glob %q: a [ or { in it is not closed, or nothing follows a \; write \[, \{ and \\ for the characters themselves`, pattern)
	}
	alternatives := expandBraces(pattern)
	if len(alternatives) > maxAlternatives {
		return nil, fmt.Errorf("glob %q: its braces stand for more than %d patterns; write several globs", pattern, maxAlternatives)
	}
	found := map[string]bool{}
	for _, alternative := range alternatives {
		g := glob{tree: t, found: found}
		var parts []string
		for part := range strings.SplitSeq(alternative, "/") {
			if part != "" && part != "." {
				parts = append(parts, part)
			}
		}
		if err := g.match("", parts); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// Literal returns the pattern that matches exactly a path.
func Literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`, `}`, `\}`).Replace(name)
}

// Match says whether Glob would return an existing path for a pattern, by the
// path's text alone.
func Match(pattern, name string) bool {
	ok, err := doublestar.Match(strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(name, "/"))
	return ok && err == nil
}

type glob struct {
	tree  *Tree
	found map[string]bool
}

// match adds what parts match under the folder at.
func (g *glob) match(at string, parts []string) error {
	if len(parts) == 0 {
		if at == "" {
			at = "/"
		}
		g.found[at] = true
		return nil
	}
	if !strings.ContainsAny(parts[0], `*?[\`) {
		next := at + "/" + parts[0]
		if _, err := g.tree.Lookup(next); err != nil {
			return ignoreMissing(err)
		}
		return g.match(next, parts[1:])
	}
	dir, err := g.tree.Resolve(at + "/")
	if err != nil {
		return ignoreMissing(err)
	}
	if dir.Node.Kind != Dir {
		return nil
	}
	if parts[0] == "**" {
		return g.deep(at, dir.Node, parts[1:])
	}
	names, err := dir.Node.Names()
	if err != nil {
		return err
	}
	for name := range names {
		if ok, err := doublestar.Match(parts[0], name); err != nil || !ok {
			continue
		}
		if err := g.match(at+"/"+name, parts[1:]); err != nil {
			return err
		}
	}
	return nil
}

// deep matches rest in the folder at and in every folder under it. A "**" at
// the end matches everything under the folder.
func (g *glob) deep(at string, dir *Node, rest []string) error {
	if len(rest) > 0 {
		if err := g.match(at, rest); err != nil {
			return err
		}
	}
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for name, folder := range names {
		next := at + "/" + name
		if len(rest) == 0 {
			g.found[next] = true
		}
		if !folder {
			continue
		}
		c, err := dir.Child(name)
		if err != nil {
			return err
		}
		if c == nil || c.Kind != Dir {
			continue // a machine's file system changes meanwhile
		}
		if err := g.deep(next, c, rest); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if _, missing := err.(*PathError); missing { //nolint:errorlint // Lookup returns it unwrapped
		return nil
	}
	return err
}

// expandBraces returns the alternatives of a pattern with "{a,b}", which may
// hold slashes, as patterns without. A validated pattern has paired braces.
func expandBraces(pattern string) []string {
	open, depth := -1, 0
	var commas []int
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '{':
			if depth++; depth == 1 {
				open = i
			}
		case ',':
			if depth == 1 {
				commas = append(commas, i)
			}
		case '}':
			if depth--; depth == 0 {
				return expandAt(pattern, append([]int{open}, append(commas, i)...))
			}
		}
	}
	return []string{pattern}
}

// maxAlternatives bounds what nested braces can multiply to; one more is kept
// so that Glob sees that there were too many.
const maxAlternatives = 1024

func expandAt(pattern string, marks []int) []string {
	var all []string
	head, tails := pattern[:marks[0]], expandBraces(pattern[marks[len(marks)-1]+1:])
	for i := range marks[:len(marks)-1] {
		for _, middle := range expandBraces(pattern[marks[i]+1 : marks[i+1]]) {
			for _, tail := range tails {
				if len(all) <= maxAlternatives {
					all = append(all, head+middle+tail)
				}
			}
		}
	}
	return all
}
