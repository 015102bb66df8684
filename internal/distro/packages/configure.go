package packages

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/accounts"
	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// A Configuration is what the scripts of packages would have made that an image
// holds files of.
type Configuration struct {
	// Tree is the set's, with what they made.
	Tree *tree.Tree
	// Made are the paths that they made and that the image has a use for, each
	// with the script.
	Made map[string]*record.Origin
	// Accounts are what they do to users and groups, in their order, and Names
	// are the accounts that they take to be there.
	Accounts []accounts.Change
	Names    []string
	// Directories are those that packages hold, or scripts make, in which no
	// file lies, sorted.
	Directories []string
	// Files are the paths of the files that the packages hold.
	Files []string
}

// maxCopied bounds the files of one directory that a script copies.
const maxCopied = 2000

// Configure makes in the set's tree what the scripts of those packages would have
// made that an image holds files of, in the packages' order. It may be called
// again, when the image has more files.
func (s *Set) Configure(image *tree.Tree) (*Configuration, error) {
	contributing, err := contributors(image)
	if err != nil {
		return nil, err
	}
	wanted := func(id record.Package) bool { return contributing[id] }
	if err := openAll(slices.DeleteFunc(slices.Clone(s.members), func(m *member) bool { return !wanted(m.ID()) })); err != nil {
		return nil, err
	}
	ledgers := s.Scripts(wanted, image)
	if err := s.addLinks(ledgers); err != nil {
		return nil, err
	}
	out := &Configuration{Made: map[string]*record.Origin{}}
	w := writer{set: s, wanted: wanted}
	for _, l := range ledgers {
		w.by = l.origin()
		for _, f := range l.Effects {
			if err := w.write(f); err != nil {
				return nil, err
			}
			if f.Account != nil {
				out.Accounts = append(out.Accounts, *f.Account)
			}
			out.Names = append(out.Names, f.Names...)
		}
	}
	if err := w.enableAll(); err != nil {
		return nil, err
	}
	if err := s.placeDiverted(ledgers); err != nil {
		return nil, err
	}
	out.Tree = s.Tree()
	for name, by := range s.made {
		if contributing[by.Package] && NeededToRun(name) && useful(out.Tree, image, name) {
			out.Made[name] = by
		}
	}
	if out.Files, err = s.heldBy(wanted); err != nil {
		return nil, err
	}
	out.Directories, err = s.emptyDirectories(wanted, w.directories)
	return out, err
}

// contributors are the packages that an image holds files of, or what their
// scripts made.
func contributors(image *tree.Tree) (map[record.Package]bool, error) {
	all := map[record.Package]bool{}
	err := image.Walk(func(n *tree.Node) error {
		if n.Origin != nil && n.Kind != tree.Dir {
			all[n.Origin.Package] = true
		}
		return nil
	})
	return all, err
}

// useful reports whether an image can use what a script made: a symlink, where
// it has what the link leads to.
func useful(offered, image *tree.Tree, name string) bool {
	at, err := offered.Lookup(name)
	if err != nil || at.Node.Kind != tree.Symlink {
		return err == nil
	}
	target, err := offered.Resolve(name)
	return err == nil && (image.Exists(target.Path()) || target.Node.Origin != nil && target.Node.Origin.Kind == record.KindSmith)
}

// heldBy returns the files of the wanted packages that are opened.
func (s *Set) heldBy(wanted func(record.Package) bool) ([]string, error) {
	var all []string
	for _, m := range s.members {
		if m.opened() == nil || !wanted(m.ID()) {
			continue
		}
		names, err := m.names(s.links)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// names returns where the files of an opened package lie.
func (m *member) names(links aliases) ([]string, error) {
	if _, err := m.node(links, "/"); err != nil { // lays them out
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.nodes)), nil
}

// emptyDirectories returns the directories of the wanted packages, and those
// that scripts made, in which the tree has no file.
func (s *Set) emptyDirectories(wanted func(record.Package) bool, made []string) ([]string, error) {
	all := slices.Clone(made)
	for _, m := range s.members {
		if m.opened() == nil || !wanted(m.ID()) {
			continue
		}
		for _, e := range m.opened().Entries {
			if e.Node != nil && e.Node.Kind == tree.Dir {
				all = append(all, e.Path)
			}
		}
	}
	files := s.Tree()
	var empty []string
	for _, name := range all {
		at, err := s.links.place(tree.Clean(name) + "/x")
		if err != nil {
			return nil, fmt.Errorf("cannot lay out %s: %w", name, err)
		}
		dir := path.Dir(at)
		if found, err := files.Lookup(dir); err != nil && !s.isFile(dir) || err == nil && found.Node.Kind == tree.Dir && !holdsFile(found.Node) {
			empty = append(empty, dir)
		}
	}
	slices.Sort(empty)
	return slices.Compact(empty), nil
}

// A writer makes what scripts would have made.
type writer struct {
	set    *Set
	wanted func(record.Package) bool
	by     *record.Origin
	// directories are those that were made.
	directories []string
	enables     []enabling
}

// write makes what one effect is.
func (w *writer) write(f scriptlet.Effect) error {
	switch {
	case f.File != nil:
		return w.set.add(f.File.Path, tree.NewFile([]byte(f.File.Text), 0o644), w.by)
	case f.Directory != nil:
		w.directories = append(w.directories, f.Directory.Path)
	case f.Enable != nil:
		w.enables = append(w.enables, enabling{*f.Enable, w.by})
	}
	for _, c := range f.Copies {
		if err := w.copy(c); err != nil {
			return err
		}
	}
	return nil
}

// copy makes a copy of a file, or of all files in a directory. A file that is
// not on offer is none of an opened package: nothing is made then.
func (w *writer) copy(c scriptlet.Copy) error {
	t := w.set.Tree()
	from, err := t.Resolve(c.From)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	to := path.Clean(c.To)
	if at, err := t.Resolve(to); err == nil && at.Node.Kind == tree.Dir || strings.HasSuffix(c.To, "/") {
		to = path.Join(to, path.Base(c.From))
	}
	copied := 0
	return from.Node.Walk(func(n *tree.Node) error {
		if n.Kind == tree.Dir || n.Kind == tree.File && n.Mode&0o004 == 0 || copied == maxCopied {
			return nil // no image holds what others may not read unless the spec names it
		}
		copied++
		c := n.Copy()
		c.Inode = nil
		return w.set.add(path.Join(to, strings.TrimPrefix(n.Path(), from.Path())), c, w.by)
	})
}

// placeDiverted puts the files that gave way where they lie then.
func (s *Set) placeDiverted(ledgers []Ledger) error {
	for _, l := range ledgers {
		for _, f := range l.Effects {
			if f.Divert == nil {
				continue
			}
			at, err := s.links.place(f.Divert.Path)
			if err != nil {
				return notDone(l.origin(), err)
			}
			for _, m := range s.members {
				if m.ID() == l.Package || m.opened() == nil {
					continue
				}
				n, err := m.node(s.links, at)
				if err != nil {
					return err
				}
				if n == nil {
					continue
				}
				if err := s.add(f.Divert.To, n.Copy(), l.origin()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// diverts reports whether a script of an opened package makes the files of
// others at a path give way (dpkg-divert(1)).
func (m *member) diverts(links aliases, name string) bool {
	contents := m.opened()
	if contents == nil {
		return false
	}
	for _, script := range contents.Scripts {
		if !strings.Contains(script.Text, "dpkg-divert") {
			continue
		}
		for _, f := range scriptlet.Read(script) {
			if f.Divert == nil {
				continue
			}
			if at, err := links.place(f.Divert.Path); err == nil && at == name {
				return true
			}
		}
	}
	return false
}
