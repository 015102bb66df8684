package closure

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// command brings a program that a script runs. A shell script is nothing but
// its commands: they are kept, also those of branches for other modes, unless
// the script asks for them first. Other languages run programs on the side:
// what their own package has, or depends on, is kept, the rest is listed.
func (q *query) command(ref imports.Reference) error {
	if q.dialect.name != "shell" {
		ref.Optional = true
	}
	name := ref.Name
	switch {
	case strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"):
		name = q.absolute(name)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return nil // counts from wherever the script runs
	}
	to, _ := program.Find(q.view.Tree, q.env, "/", name)
	if at, err := q.view.Resolve(to); to == "" || err != nil || !at.Node.Executable() {
		if err := ignoreAbsent(err); err != nil {
			return err
		}
		if !ref.Optional && !strings.Contains(name, "/") && !q.sources() {
			q.unmet(ref, "not in PATH of anything on offer")
		}
		return nil
	}
	return q.bringTarget(ref, target{path: to, rule: record.RuleCommand})
}

// sources reports whether the script reads others, whose functions it may call.
func (q *query) sources() bool {
	return slices.ContainsFunc(q.refs, func(r imports.Reference) bool {
		return r.Kind == imports.File || r.Kind == imports.Computed && strings.HasPrefix(r.Name, ". ")
	})
}

// library brings a shared library that a script loads by name.
func (q *query) library(ref imports.Reference) error {
	if !strings.Contains(ref.Name, ".so") {
		return nil
	}
	l, err := findFirst(context.Background(), q.loader, []string{ref.Name}, q.item.path)
	if l == nil || err != nil {
		return nil //nolint:nilerr // what is no library is none that the script loads
	}
	q.out.needs(edge{
		to: l.Path, names: []string{ref.Name},
		reason: record.Reason{Rule: record.RuleDlopen, From: q.item.path, Detail: fmt.Sprintf("%s, line %d", ref.Name, ref.Line)},
	})
	return nil
}

// computed brings the modules that a script may load by a name that only it
// knows: those of its own package, in the directory that it searches. What such
// a name may stand for elsewhere is listed as unknown.
func (q *query) computed(ref imports.Reference) error {
	top, err := q.searchDirectory()
	if err != nil {
		return err
	}
	dir := path.Dir(q.item.path)
	switch {
	case q.dialect.name == "shell":
		dir = q.literalDirectory(ref.Name)
	case top != "":
		dir = q.moduleDirectory(top)
	}
	is, err := q.isDir(dir)
	if err != nil {
		return err
	}
	if dir == "" || !is || isShared(dir) || dir == top {
		if !ref.Late || q.dialect.name == "shell" {
			q.out.suspects = append(q.out.suspects, suspect{Finding: record.Finding{
				Name: ref.Name, From: q.item.path, Detail: fmt.Sprintf("a name that only the script knows, line %d", ref.Line),
			}})
		}
		return nil
	}
	q.out.needs(edge{
		to: dir, unit: true, broad: true,
		reason: record.Reason{Rule: record.RuleImport, From: q.item.path, Detail: fmt.Sprintf("a name that only the script knows, line %d: %s", ref.Line, ref.Name)},
	})
	return nil
}

// literalDirectory returns the directory that a computed path begins with, "" where
// even that is computed.
func (q *query) literalDirectory(name string) string {
	name = strings.TrimLeft(strings.TrimPrefix(name, ". "), `"`)
	if i := strings.IndexAny(name, "$`\"\"*?[{"); i >= 0 {
		name = name[:i]
	}
	if !path.IsAbs(name) {
		return ""
	}
	return path.Dir(name + "x")
}

// isShared reports whether a directory is one that every package has files in.
func isShared(dir string) bool {
	levels := strings.Count(dir, "/")
	switch path.Base(dir) {
	case "bin", "sbin", "lib", "lib64", "libexec", "share", "etc", "usr", "/", "local", "var", "default", "init.d":
		return levels < 4
	}
	private := strings.HasPrefix(dir, "/etc/") || strings.HasPrefix(dir, "/opt/")
	return levels < 2 || levels < 3 && !private || strings.Contains(path.Base(dir), "-linux-")
}

// searchDirectory returns the directory of the search path that the script lies
// in, "" where it lies in none.
func (q *query) searchDirectory() (string, error) {
	dirs, err := q.searchPath(q.dialect)
	if err != nil {
		return "", err
	}
	best := ""
	for _, dir := range dirs {
		if strings.HasPrefix(q.item.path, dir+"/") && len(dir) > len(best) {
			best = dir
		}
	}
	return best, nil
}

// moduleDirectory returns the directory, under one of the search path, of the
// module that the script is a part of.
func (q *query) moduleDirectory(top string) string {
	inside := strings.TrimPrefix(q.item.path, top+"/")
	first, _, deep := strings.Cut(inside, "/")
	if !deep {
		first = strings.TrimSuffix(first, path.Ext(first))
	}
	return top + "/" + first
}

// searchPath returns the directories in which modules of a language are looked
// for.
func (s *selector) searchPath(d *dialect) ([]string, error) {
	m := s.modules
	m.mu.Lock()
	defer m.mu.Unlock()
	if dirs, known := m.paths[d.name]; known {
		return dirs, nil
	}
	var dirs []string
	add := func(dir string) error {
		at, err := s.view.Resolve(dir)
		if err != nil {
			return ignoreAbsent(err)
		}
		if found := at.Path(); at.Node.Kind == tree.Dir && !slices.Contains(dirs, found) {
			dirs = append(dirs, found)
		}
		return nil
	}
	if d.variable != "" {
		for dir := range strings.SplitSeq(program.Getenv(s.in.Env, d.variable), ":") {
			if strings.HasPrefix(dir, "/") {
				if err := add(dir); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, pattern := range d.paths {
		found, err := s.view.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			if err := add(dir); err != nil {
				return nil, err
			}
		}
	}
	m.paths[d.name] = dirs
	return dirs, nil
}

// remember returns what is found for a module that every script of the language
// finds alike.
func (q *query) remember(module string, find func() ([]target, error)) ([]target, error) {
	m, key := q.modules, q.dialect.name+"\x00"+module
	m.mu.Lock()
	found, known := m.found[key]
	m.mu.Unlock()
	if known {
		return found, nil
	}
	found, err := find()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found[key] = found
	return found, nil
}

// heldBy returns the paths of what the package of a file holds, nil where that
// is not known.
func (s *selector) heldBy(ctx context.Context, n *tree.Node) ([]string, error) {
	if s.in.Holds == nil || n.Origin == nil || n.Origin.Kind != record.KindPackage {
		return nil, nil
	}
	m := s.modules
	m.mu.Lock()
	defer m.mu.Unlock()
	if paths, known := m.held[*n.Origin]; known {
		return paths, nil
	}
	paths, err := s.in.Holds(ctx, n.Origin)
	if err != nil {
		return nil, err
	}
	m.held[*n.Origin] = paths
	return paths, nil
}

// isFile and isDir report what a path leads to.
func (s *selector) isFile(name string) (bool, error) { return s.isKind(name, tree.File) }
func (s *selector) isDir(name string) (bool, error)  { return s.isKind(name, tree.Dir) }

func (s *selector) isKind(name string, kind tree.Kind) (bool, error) {
	at, err := s.view.Resolve(name)
	if err != nil {
		return false, ignoreAbsent(err)
	}
	return at.Node.Kind == kind, nil
}

// namesIn returns the names of a directory's entries, in their order.
func (s *selector) entries(dir string) ([]string, error) {
	at, err := s.view.Resolve(dir)
	if err != nil || at.Node.Kind != tree.Dir {
		return nil, ignoreAbsent(err)
	}
	names, err := at.Node.Names()
	return sortedKeys(names), err
}
