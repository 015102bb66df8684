package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"smith/internal/capability"
	"smith/internal/nearest"
	"smith/internal/program"
	"smith/internal/tree"
)

// Capabilities are those that files of an image are to have. The zero value
// gives none.
type Capabilities struct {
	paths  map[string]capability.Set
	inodes map[*tree.Inode]capability.Set
}

// Add gives the program at a path capabilities by their names. Links are
// followed inside the tree; all names of a hard-linked file have what one of
// them gets. The error says why nothing at the path can have any: the kernel
// looks at them when it executes a program, and at no script's.
func (c *Capabilities) Add(t *tree.Tree, name string, names []string) error {
	set, err := capability.SetOf(names...)
	if err != nil {
		return err
	}
	at, err := t.Resolve(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is to have capabilities and is not in the image%s", name, meant(t, name))
	case err != nil:
		return err
	}
	if err := executable(at.Node); err != nil {
		return fmt.Errorf("%s cannot have capabilities: %w", name, err)
	}
	if c.paths == nil {
		c.paths, c.inodes = map[string]capability.Set{}, map[*tree.Inode]capability.Set{}
	}
	if c.paths[at.Path()] |= set; at.Node.Inode != nil {
		c.inodes[at.Node.Inode] |= set
	}
	return nil
}

// executable returns why the kernel does not execute a node itself, or nil.
func executable(n *tree.Node) error {
	switch {
	case n.Kind != tree.File:
		return fmt.Errorf("%s is a %s", n.Path(), n.Kind)
	case !n.Executable():
		return fmt.Errorf("%s is not executable", n.Path())
	}
	line, err := program.Shebang(n)
	if line != "" {
		err = fmt.Errorf("%s is a script, and the kernel gives capabilities to programs only", n.Path())
	}
	return err
}

// meant asks for the paths that somebody may have meant. A tree that cannot be
// read has fewer.
func meant(t *tree.Tree, name string) string {
	f := nearest.NewPathFinder(name)
	_ = t.Walk(func(n *tree.Node) error {
		if n.Kind == tree.File {
			f.See(n.Path(), func() string { return "" })
		}
		return nil
	})
	var paths []string
	for _, h := range f.Found() {
		paths = append(paths, h.Path)
	}
	if len(paths) == 0 {
		return "; name it in paths, so that it is"
	}
	return "; did you mean " + strings.Join(paths, ", ") + "?"
}

// of returns the extended attributes of a file, nil where it gets none.
func (c *Capabilities) of(n *tree.Node) map[string]string {
	set := c.paths[n.Path()]
	if n.Inode != nil {
		set |= c.inodes[n.Inode]
	}
	if set == 0 {
		return nil
	}
	return map[string]string{capability.Attribute: capability.Granted(set)}
}
