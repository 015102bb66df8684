package closure

import (
	"context"
	"fmt"
	"path"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// notOfModule reports whether an entry of a module's directory is one that no
// program needs: tests, caches, and what is needed to build against it.
func notOfModule(name string) bool {
	switch name {
	case "__pycache__", "test", "tests", "t", "spec", "man", "doc", "docs", "examples":
		return true
	}
	switch path.Ext(name) {
	case ".pyc", ".pyi", ".pod", ".h", ".ri", ".map", ".ts", ".a", ".rst":
		return true
	}
	return false
}

// A unit is what stays together under a directory: what belongs brings, for an
// edge with the reason why.
type unit struct {
	*selector
	edge    edge
	belongs func(n *tree.Node) bool
	leaves  func(name string) bool
}

// bringUnit keeps what the package of a module has under the module's directory.
// Under a directory that an object names in its data it is also what packages
// have there that the object's package depends on. Where nothing is known of
// packages, all of it stays together.
func (s *selector) bringUnit(dir *tree.Node, e edge) error {
	it := s.items[dir]
	if it.unit {
		return nil
	}
	it.unit = true
	first, err := firstFile(dir)
	if first == nil || err != nil {
		return err
	}
	u := unit{selector: s, edge: e, belongs: func(*tree.Node) bool { return true }, leaves: notOfModule}
	u.edge.unit, u.edge.whole, u.edge.named, u.edge.broad, u.edge.names, u.edge.dialect = false, false, false, true, nil, ""
	if e.reason.Rule == record.RuleData {
		from, err := s.view.Lookup(e.reason.From)
		if err != nil {
			return err
		}
		u.belongs = func(n *tree.Node) bool { return s.related(from.Node, n) }
		u.leaves = func(name string) bool { return name == "__pycache__" }
		return u.bring(dir)
	}
	held, err := s.heldBy(context.Background(), first)
	if err != nil || held == nil {
		return errorOr(err, func() error { return u.bring(dir) })
	}
	u.belongs = func(n *tree.Node) bool { return n.Origin != nil && *n.Origin == *first.Origin }
	return u.bringHeld(dir.Path(), held)
}

func errorOr(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// bringHeld keeps those of a package's paths that lie under a directory: other
// packages that have files there need not be opened.
func (u unit) bringHeld(top string, held []string) error {
	for _, name := range held {
		inside, ok := strings.CutPrefix(name, top+"/")
		if !ok || u.leavesAny(inside) {
			continue
		}
		at, err := u.view.Lookup(name)
		if err != nil {
			if err = ignoreAbsent(err); err != nil {
				return err
			}
			continue
		}
		if err := u.bringOne(at.Node); err != nil {
			return err
		}
	}
	return nil
}

func (u unit) leavesAny(inside string) bool {
	for part := range strings.SplitSeq(inside, "/") {
		if u.leaves(part) {
			return true
		}
	}
	return false
}

func (u unit) bringOne(n *tree.Node) error {
	if !u.belongs(n) {
		return nil
	}
	u.edge.to = n.Path()
	return u.bringNode(n, u.edge, 0)
}

// bring keeps what belongs under a directory.
func (u unit) bring(dir *tree.Node) error {
	children, err := dir.Children()
	if err != nil {
		return err
	}
	for _, c := range children {
		if u.leaves(c.Name()) {
			continue
		}
		if c.Kind == tree.Dir {
			err = u.bring(c)
		} else {
			err = u.bringOne(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A lackingError says that files which only the directory around them brings
// lack something: plug-ins, say, whose library a package merely suggests. They
// are left out.
type lackingError struct{ lacking map[string]string }

// Error names one of them.
func (e *lackingError) Error() string {
	for _, name := range sortedKeys(e.lacking) {
		return name + " lacks " + e.lacking[name]
	}
	return "nothing is lacking"
}

// lackingAside returns the files that only the directory around them brings and
// that have one of the problems.
func (s *selector) lackingAside(problems []Problem) map[string]string {
	lacking := map[string]string{}
	for _, p := range problems {
		at, err := s.view.Lookup(p.From)
		if p.From == "" || err != nil {
			continue
		}
		if it := s.items[at.Node]; it != nil && it.reading() == aside && it.holder == ofSource {
			lacking[it.path] = p.Name
			if p.Name == p.From {
				lacking[it.path] = "the right of others to read it"
			}
		}
	}
	return lacking
}

// leftAside reports whether a file is one of those, and warns of it.
func (s *selector) leftAside(it *item, e edge) bool {
	what, left := s.in.lacking[it.path]
	if left && e.broad {
		s.warn(fmt.Sprintf("left out %s, which %s brings: it lacks %s", it.path, e.reason.From, what))
	}
	return left && e.broad
}
