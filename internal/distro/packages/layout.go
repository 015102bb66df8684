package packages

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// aliases are links to directories, by their paths: what lies behind them is laid
// out where they lead.
type aliases map[string]string

// mergedUsr are the top-level links of a system with a merged /usr
// (file-hierarchy(7), "Compatibility Symlinks"). Some distributions have them
// in a package, others make them otherwise; some packages hold files under
// /bin, others the same ones under /usr/bin.
func mergedUsr() aliases {
	links := aliases{}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"} {
		links["/"+name] = "/usr/" + name
	}
	return links
}

// place returns where a path lies: every directory on the way that is a link is
// followed, the last element is not.
func (a aliases) place(name string) (string, error) {
	at, todo := "", strings.Split(strings.TrimPrefix(tree.Clean(name), "/"), "/")
	for followed := 0; len(todo) > 1; {
		at, todo = at+"/"+todo[0], todo[1:]
		target, link := a[at]
		if !link {
			continue
		}
		if followed++; followed > tree.MaxLinks {
			return "", fmt.Errorf("%s: %w", name, tree.ErrLoop)
		}
		at, todo = "", append(strings.Split(strings.TrimPrefix(target, "/"), "/"), todo...)
	}
	return at + "/" + todo[0], nil
}

// follow adds a link of a package to a directory that others have files in.
func (a aliases) follow(link string, target string) error {
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(link), target)
	}
	target = tree.Clean(target)
	if target == "/" || target == link || strings.HasPrefix(target, link+"/") {
		return fmt.Errorf("%s: %w", link, tree.ErrLoop)
	}
	a[link] = target
	return nil
}

// build lays out all names. A name that is a file of one package and a directory
// of another must be a link to a directory, or nothing can be built: such
// packages are opened, and it is begun anew with that link.
func (s *Set) build() error {
	for range tree.MaxLinks {
		s.root, s.made = &folder{set: s, path: "/"}, map[string]*record.Origin{}
		for i, m := range s.members {
			if err := s.spread(i, m); err != nil {
				return fmt.Errorf("cannot lay out %s: %w", m.ID(), err)
			}
		}
		clashes := s.root.clashes()
		if len(clashes) == 0 {
			s.root.addLinks()
			return nil
		}
		for _, c := range clashes {
			if err := s.settle(c); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("cannot lay out the packages: %w", tree.ErrLoop)
}

// spread puts a package's names into the directories.
func (s *Set) spread(index int, m *member) error {
	paths := m.paths
	if m.opened() != nil {
		var err error
		if paths, err = m.lay(s.links); err != nil {
			return err
		}
	}
	for _, name := range paths {
		at, err := s.links.place(name)
		if err != nil {
			return err
		}
		if at != "/" {
			s.root.insert(at, index)
		}
	}
	return nil
}

// lay places the nodes of an opened package and returns their paths, in order.
func (m *member) lay(links aliases) ([]string, error) {
	m.nodes, m.colors = map[string]*tree.Node{}, map[string]uint8{}
	for _, e := range m.contents.Entries {
		at, err := links.place(e.Path)
		if err != nil {
			return nil, err
		}
		n := e.Node
		if n == nil {
			if n, err = m.another(links, e.Hardlink); err != nil {
				return nil, fmt.Errorf("%s: %w", e.Path, err)
			}
		}
		if n.Kind != tree.Dir {
			m.nodes[at], m.colors[at] = n, m.contents.Colors[e.Path]
		}
	}
	return slices.Sorted(maps.Keys(m.nodes)), nil
}

// another returns a further node for the file that a hard link points to.
func (m *member) another(links aliases, target string) (*tree.Node, error) {
	at, err := links.place(target)
	if err != nil {
		return nil, err
	}
	first := m.nodes[at]
	if first == nil {
		return nil, fmt.Errorf("hard link to %s, which the package does not hold", target)
	}
	if first.Inode == nil {
		first.Inode = &tree.Inode{}
	}
	return first.Copy(), nil
}

// A clash is a name that is a file in some packages and a directory in others.
type clash struct {
	path          string
	files, folder []int // packages
}

// settle finds out what the files of a clash are.
func (s *Set) settle(c clash) error {
	if err := openAll(s.some(c.files)); err != nil {
		return err
	}
	for _, i := range c.files {
		m := s.members[i]
		if _, err := m.lay(s.links); err != nil {
			return err
		}
		n := m.nodes[c.path]
		if n == nil {
			continue // a directory, or the list told wrong
		}
		if n.Kind != tree.Symlink {
			return fmt.Errorf("packages %s and %s do not go together: %s is a %s in one and a folder in the other",
				m.ID(), s.members[c.folder[0]].ID(), c.path, n.Kind)
		}
		return s.links.follow(c.path, n.Link)
	}
	return nil
}

func (s *Set) some(indices []int) []*member {
	var members []*member
	for _, i := range indices {
		members = append(members, s.members[i])
	}
	return members
}
