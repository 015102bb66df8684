package tree

import (
	"errors"
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
func (t *Tree) Glob(pattern string) ([]string, error) { return t.glob(pattern, maxGlobSteps) }

// glob is Glob with a budget of steps.
func (t *Tree) glob(pattern string, steps int) ([]string, error) {
	if !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf(`bad glob %q: a [ or { in it is not closed, or nothing follows a \; write \[, \{ and \\ for the characters themselves`, pattern)
	}
	alternatives := expandBraces(pattern)
	if len(alternatives) > maxAlternatives {
		return nil, fmt.Errorf("glob %q: its braces stand for more than %d patterns; write several globs", pattern, maxAlternatives)
	}
	found, left := map[string]bool{}, steps
	for _, alternative := range alternatives {
		g := glob{tree: t, found: found, left: &left, deepened: map[step]bool{}}
		err := g.match("", elements(alternative))
		if errors.Is(err, errGlobSteps) {
			return nil, fmt.Errorf("glob %q: it takes more than %d steps to match; write several narrower globs", pattern, steps)
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// maxGlobSteps bounds the names that one Glob compares: elements such as "*"
// multiply where directories link to each other. A machine has some million
// files, and a step takes well under a microsecond.
const maxGlobSteps = 10_000_000

var errGlobSteps = errors.New("too many steps")

// elements returns the elements of a pattern or path, without empty ones and ".".
func elements(pattern string) []string {
	var parts []string
	for part := range strings.SplitSeq(pattern, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}

// Literal returns the pattern that matches exactly a path.
func Literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`, `}`, `\}`).Replace(name)
}

// GlobChars are the characters that make a text a pattern.
const GlobChars = `*?[{\`

// IsLiteral reports whether a pattern matches no other path than its own text.
func IsLiteral(pattern string) bool { return !strings.ContainsAny(pattern, GlobChars) }

// Match reports whether a pattern matches a path, by the path's text alone.
// Unlike Glob, a "**" at the end also matches the directory before it.
func Match(pattern, name string) bool { return NewMatcher(pattern).Match(name) }

// A Matcher matches paths by their text. The work for one path is bounded by
// the number of its elements times that of the pattern's.
type Matcher struct{ alternatives [][]string }

// NewMatcher reads a pattern. One that is malformed, or whose braces stand for
// too many patterns, matches nothing; Glob returns the error.
func NewMatcher(pattern string) Matcher {
	if !doublestar.ValidatePattern(pattern) {
		return Matcher{}
	}
	alternatives := expandBraces(pattern)
	if len(alternatives) > maxAlternatives {
		return Matcher{}
	}
	m := Matcher{alternatives: make([][]string, len(alternatives))}
	for i, alternative := range alternatives {
		m.alternatives[i] = elements(alternative)
	}
	return m
}

// Match reports whether the pattern matches a path.
func (m Matcher) Match(name string) bool {
	parts := elements(name)
	return slices.ContainsFunc(m.alternatives, func(pattern []string) bool { return matchElements(pattern, parts) })
}

// matchElements matches element by element. Only the last "**" is ever tried
// again with more elements: whatever an earlier one could take, the last one
// can take as well.
func matchElements(pattern, name []string) bool {
	p, n, again, taken := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			p++
			again, taken = p, n
		case p < len(pattern) && matchElement(pattern[p], name[n]):
			p, n = p+1, n+1
		case again < 0:
			return false
		default:
			taken++
			p, n = again, taken
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchElement(pattern, name string) bool {
	if !strings.ContainsAny(pattern, GlobChars) {
		return pattern == name
	}
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

type glob struct {
	tree  *Tree
	found map[string]bool
	left  *int // steps until the budget is spent
	// deepened are the searches under "**" that are done: several "**" in one
	// pattern come to the same directory in many ways.
	deepened map[step]bool
}

// A step is a directory in which the last elements of a pattern are matched.
type step struct {
	at   string
	rest int
}

// spend takes steps from the budget.
func (g *glob) spend(n int) error {
	if *g.left -= n; *g.left < 0 {
		return errGlobSteps
	}
	return nil
}

// match adds what parts match under the folder at.
func (g *glob) match(at string, parts []string) error {
	if err := g.spend(1); err != nil {
		return err
	}
	if len(parts) == 0 {
		if at == "" {
			at = "/"
		}
		g.found[at] = true
		return nil
	}
	if IsLiteral(parts[0]) {
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
	if err := g.spend(len(names)); err != nil {
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
	if g.deepened[step{at, len(rest)}] {
		return nil
	}
	g.deepened[step{at, len(rest)}] = true
	if len(rest) > 0 {
		if err := g.match(at, rest); err != nil {
			return err
		}
	}
	names, err := dir.Names()
	if err != nil {
		return err
	}
	if err := g.spend(len(names)); err != nil {
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
