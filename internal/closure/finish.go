package closure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// finish puts the kept files into a tree of their own and checks what the
// container will see.
func (s *selector) finish(ctx context.Context) (*Selection, error) {
	if err := s.keepCache(); err != nil {
		return nil, err
	}
	if err := s.warnUnused(); err != nil {
		return nil, err
	}
	s.warnPython()
	sel := &Selection{Tree: tree.New(), Files: map[string][]record.Reason{}}
	for _, it := range s.sorted() {
		if !s.guard(it) || it.holder == ofParent {
			continue
		}
		if err := s.write(sel, it); err != nil {
			return nil, err
		}
	}
	verdict, err := s.check(ctx, sel)
	if err != nil {
		return nil, err
	}
	problems := slices.Concat(s.refused, verdict.Problems)
	if lacking := s.lackingAside(problems); len(lacking) > 0 {
		return nil, &lackingError{lacking}
	}
	sel.Allowed, sel.Unneeded = verdict.Allowed, verdict.Unneeded
	for _, f := range verdict.Excluded {
		if !s.toldOf(f) {
			s.excluded[f] = true
		}
	}
	sel.Excluded, sel.Suspects = sortedFindings(s.excluded), sortedFindings(s.notKept())
	sel.Commands = sortedFindings(findings(s.commands))
	sel.Warnings = slices.Compact(slices.Sorted(slices.Values(append(s.warnings, verdict.Warnings...))))
	for _, w := range sel.Warnings {
		s.in.Events.Warn(w)
	}
	if len(problems) > 0 {
		return nil, &IncompleteError{problems}
	}
	return sel, nil
}

// guard reports whether a file may be written. One of the source that only its
// owner or group may read is refused, since an image gives it to everybody. A
// root that names exactly this file may; what only evidence brings is skipped.
func (s *selector) guard(it *item) bool {
	if it.holder != ofSource || it.node.Kind != tree.File || it.node.Mode&0o004 != 0 {
		return true
	}
	mode := fmt.Sprintf("mode %04o", it.node.Mode)
	switch {
	case it.named:
		s.warn(it.path + " (" + mode + ") may be read by everybody in the image")
		return true
	case slices.ContainsFunc(it.reasons, func(r record.Reason) bool { return !isEvidence(r.Rule) }):
		steps, root := chain(s.reasons, it.path)
		s.refused = append(s.refused, Problem{Name: it.path, From: it.path, Root: root, Text: strings.Join(steps, " → ") +
			": others may not read this file (" + mode + "), and in the image they could: exclude it, or name it exactly in paths"})
		return true
	}
	s.warn("skipped " + it.path + " (" + mode + "): it is not world-readable (list it under paths to keep it)")
	return false
}

// isEvidence reports whether a rule brings what a program may use, not what it
// cannot start without.
func isEvidence(r record.Rule) bool {
	return r == record.RuleData || r == record.RuleCommand || r == record.RuleDepends
}

// write puts a kept node into the selection, with the folders on the way.
func (s *selector) write(sel *Selection, it *item) error {
	if it.path == "/" {
		return nil
	}
	if err := s.writeFolders(sel, it); err != nil {
		return err
	}
	if it.node.Kind == tree.Dir {
		sel.Files[it.path] = it.reasons
		return sel.Tree.Insert(it.path, s.folder(it.node))
	}
	sel.Files[it.path] = it.reasons
	return sel.Tree.Insert(it.path, it.node.Copy())
}

// writeFolders puts the folders above a node into the selection.
func (s *selector) writeFolders(sel *Selection, it *item) error {
	dir := it.node.Parent()
	if dir == nil || dir.Parent() == nil || sel.Files[dir.Path()] != nil {
		return nil
	}
	above := s.items[dir]
	if above == nil {
		above = &item{node: dir, path: dir.Path(), reasons: []record.Reason{{Rule: record.RuleWay, From: it.path}}}
	}
	return s.write(sel, above)
}

// folder returns the fields of a folder as the lowest input has them that
// the image is built on.
func (s *selector) folder(dir *tree.Node) *tree.Node {
	if s.in.Parent != nil {
		if p := at(s.in.Parent, dir); p != nil && p.Kind == tree.Dir {
			return p.Copy()
		}
	}
	return dir.Copy()
}

// check checks the tree that the container will see. A file of the parent
// counts only where the closure has come upon it: what the parent's own files
// lack was so before.
func (s *selector) check(ctx context.Context, sel *Selection) (*Verdict, error) {
	finished, err := s.finished(sel)
	if err != nil {
		return nil, err
	}
	reached := map[string]*item{}
	for _, it := range s.items {
		reached[it.path] = it
	}
	c := newChecker(Image{
		Tree: finished, Env: s.in.Env, Dir: s.in.Dir, Entrypoint: s.in.Entrypoint, Commands: s.in.Commands, Mounts: s.in.Mounts, Platform: s.in.Platform,
		AllowMissing: s.in.AllowMissing, Excluded: sortedKeys(s.left), Reasons: s.allReasons(),
	})
	c.subject = func(n *tree.Node) bool { return reached[n.Path()] != nil || sel.Files[n.Path()] != nil }
	c.harmless = func(link *tree.Node) bool {
		it := reached[link.Path()]
		return it != nil && !it.wanted && !s.view.Exists(it.path)
	}
	for _, p := range s.problems {
		c.problem(p)
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return c.verdict(), nil
}

// finished returns the parent's files with the new layer on top.
func (s *selector) finished(sel *Selection) (*tree.Tree, error) {
	if s.in.Parent == nil {
		return sel.Tree, nil
	}
	t := s.in.Parent.Clone()
	err := sel.Tree.Walk(func(n *tree.Node) error { return t.Insert(n.Path(), n.Copy()) })
	return t, err
}

func (s *selector) allReasons() map[string][]record.Reason {
	all := make(map[string][]record.Reason, len(s.items))
	for _, it := range s.items {
		all[it.path] = it.reasons
	}
	return all
}

func (s *selector) reasons(name string) []record.Reason {
	at, err := s.view.Lookup(name)
	if err != nil || s.items[at.Node] == nil {
		return nil
	}
	return s.items[at.Node].reasons
}

// toldOf says whether the path for which a name is missing is listed already.
func (s *selector) toldOf(f record.Finding) bool {
	for g := range s.excluded {
		if g.From == f.From && path.Base(g.Name) == path.Base(f.Name) {
			return true
		}
	}
	return false
}

// notKept returns the suspects that nothing else has brought.
func (s *selector) notKept() map[record.Finding]bool {
	found := map[record.Finding]bool{}
	for _, x := range s.suspects {
		if x.node == nil || s.items[x.node] == nil {
			found[x.Finding] = true
		}
	}
	return found
}

func findings(list []record.Finding) map[record.Finding]bool {
	set := map[record.Finding]bool{}
	for _, f := range list {
		set[f] = true
	}
	return set
}

func sortedFindings(set map[record.Finding]bool) []record.Finding {
	return slices.SortedFunc(maps.Keys(set), func(a, b record.Finding) int {
		return strings.Compare(a.Name+"\x00"+a.From+"\x00"+a.Detail, b.Name+"\x00"+b.From+"\x00"+b.Detail)
	})
}

// comparePaths orders paths element by element, as a walk of the tree does: "/"
// comes before every other byte.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}
