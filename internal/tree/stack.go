package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"smith/record"
)

// Names by which a layer removes what lower layers hold (OCI image
// specification, layer.md, "Whiteouts").
const (
	// WhiteoutPrefix begins the name of a whiteout; no other file may have such
	// a name.
	WhiteoutPrefix = ".wh."
	opaqueWhiteout = ".wh..wh..opq"
)

// An Entry is one member of a layer's archive.
type Entry struct {
	// Path is the member's name as it stands in the archive.
	Path string
	// Hardlink is the name of the member that this one is another name of, or "".
	Hardlink string
	// Node is what stands there; nil for a hard link.
	Node *Node
}

// Apply lays an image layer over the tree, as OCI's layer.md says: first its
// whiteouts take away what lower layers hold, in whatever order they stand,
// then its entries are added in order. A link on the way to an entry is
// followed inside the tree; a name that holds ".." is refused; an absolute
// name counts from the root. An error names the entry.
func (t *Tree) Apply(entries []Entry) error {
	for _, e := range entries {
		if err := t.whiteout(e.Path); err != nil {
			return entryError(e.Path, err)
		}
	}
	if t.entries += len(entries); t.entries > maxEntries {
		return fmt.Errorf("the layers hold more than %d entries", maxEntries)
	}
	for _, e := range entries {
		if _, base := cut(e.Path); strings.HasPrefix(base, WhiteoutPrefix) {
			continue
		}
		if err := t.add(e, &t.left); err != nil {
			return entryError(e.Path, err)
		}
	}
	return nil
}

// Bounds of all layers of a tree together. Each entry can imply two thousand
// directories that have no entry of their own, so their number is otherwise not
// bounded by the size of the layers: 50 KB can ask for gigabytes.
const (
	maxEntries = 4_000_000
	maxImplied = 250_000
)

// maxDepth bounds how deep a folder lies: deeper ones cannot be named by any
// path (PATH_MAX). Without it, links would let each entry dig further.
const maxDepth = maxPath / 2

var errTooMany = fmt.Errorf("the layers imply more than %d directories that they do not list", maxImplied)

func entryError(name string, err error) error { return fmt.Errorf("entry %q: %w", name, err) }

// cut returns the folder and the last element of an archive member's name.
func cut(name string) (dir, base string) {
	name = strings.TrimRight(name, "/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// whiteout takes away what the member called name hides, if it is a whiteout.
func (t *Tree) whiteout(name string) error {
	dir, base := cut(name)
	if !strings.HasPrefix(base, WhiteoutPrefix) {
		return nil
	}
	if _, err := split(dir); err != nil {
		return err
	}
	hidden := strings.TrimPrefix(base, WhiteoutPrefix)
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("a whiteout cannot take away %q", hidden)
	}
	at, err := t.Resolve("/" + dir)
	var gone *PathError
	if errors.As(err, &gone) {
		return nil // nothing below to take away
	}
	if err != nil || at.Node.Kind != Dir {
		return err
	}
	if base == opaqueWhiteout {
		return at.Node.clear()
	}
	at.Node.adopt(hidden, nil)
	return nil
}

func (n *Node) clear() error {
	n.children, n.listed, n.Listing = nil, false, nil
	return nil
}

// add puts one member into the tree.
func (t *Tree) add(e Entry, folders *int) error {
	parts, err := split(e.Path)
	if err != nil {
		return err
	}
	n := e.Node
	if n == nil {
		if n, err = t.another(e.Hardlink); err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		if n.Kind != Dir {
			return fmt.Errorf("a %s cannot replace the root", n.Kind)
		}
		t.root.become(n)
		return nil
	}
	dir, err := t.folder(parts[:len(parts)-1], n.Origin, folders)
	if err != nil {
		return err
	}
	if n.Kind == Dir && dir.depth() >= maxDepth {
		return fmt.Errorf("more than %d folders in each other", maxDepth)
	}
	return dir.put(parts[len(parts)-1], n)
}

// another returns a further name for the file that a hard link points to.
func (t *Tree) another(target string) (*Node, error) {
	if _, err := split(target); err != nil {
		return nil, fmt.Errorf("hard link to %q: %w", target, err)
	}
	at, err := t.Lookup("/" + target)
	if err != nil {
		return nil, fmt.Errorf("hard link to %q: %w", target, err)
	}
	first := at.Node
	if first.Kind == Dir {
		return nil, fmt.Errorf("hard link to %q: it is a folder", target)
	}
	if first.Inode == nil {
		first.Inode = &Inode{}
	}
	return first.copy(), nil
}

// folder returns the folder that the elements lead to, through links inside
// the tree, and makes what is missing, no more than *left folders.
func (t *Tree) folder(parts []string, origin *record.Origin, left *int) (*Node, error) {
	at := t.root
	for i, part := range parts {
		next, err := at.Child(part)
		if err != nil {
			return nil, err
		}
		if next == nil {
			if next, err = at.imply(part, origin, left); err != nil {
				return nil, err
			}
		}
		if next.Kind == Symlink {
			if next, err = t.behind(next, origin, left); err != nil {
				return nil, err
			}
		}
		if next.Kind != Dir {
			return nil, fmt.Errorf("/%s is a %s, not a folder", strings.Join(parts[:i+1], "/"), next.Kind)
		}
		at = next
	}
	return at, nil
}

// imply makes a folder that an archive has no entry for.
func (n *Node) imply(name string, origin *record.Origin, left *int) (*Node, error) {
	if *left--; *left < 0 {
		return nil, errTooMany
	}
	if n.depth() >= maxDepth {
		return nil, fmt.Errorf("more than %d folders in each other", maxDepth)
	}
	dir := &Node{Kind: Dir, Mode: 0o755, Origin: origin}
	n.adopt(name, dir)
	return dir, nil
}

// depth returns how many folders hold the node.
func (n *Node) depth() int {
	d := 0
	for at := n.parent; at != nil; at = at.parent {
		d++
	}
	return d
}

// behind returns what a symbolic link leads to. Where it leads to nothing, the
// folders that are missing are made: the archive means to fill them.
func (t *Tree) behind(link *Node, origin *record.Origin, left *int) (*Node, error) {
	for {
		at, err := t.Resolve(link.Path())
		if err == nil {
			return at.Node, nil
		}
		var gone *PathError
		if !errors.As(err, &gone) || !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		dir, base := cut(gone.At)
		in, err := t.Lookup(dir)
		if err != nil {
			return nil, err
		}
		// What is there after all is a link that can lead nowhere.
		if there, err := in.Node.Child(base); err != nil || there != nil {
			return nil, gone
		}
		if _, err := split(base); err != nil {
			return nil, err
		}
		if _, err := in.Node.imply(base, origin, left); err != nil {
			return nil, err
		}
	}
}

// Lay puts everything that upper holds over the tree, through links, so that
// nothing is hidden and no link is replaced by a folder: a folder of upper
// that meets a link to a folder goes to where the link leads, and a link of
// upper that meets a folder takes its place only after the folder's entries
// have moved to where the link leads. Otherwise upper wins. Folders that both
// hold keep the fields of the lower one.
func (t *Tree) Lay(upper *Tree) error { return t.layInto(t.root, upper.root) }

func (t *Tree) layInto(dir, upper *Node) error {
	children, err := upper.Children()
	if err != nil {
		return err
	}
	for _, c := range children {
		if err := t.layOne(dir, c); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tree) layOne(dir, upper *Node) error {
	old, err := dir.Child(upper.name)
	if err != nil {
		return err
	}
	if upper.Kind == Symlink && old != nil && old.Kind == Dir {
		return t.linkOver(dir, old, upper)
	}
	if upper.Kind != Dir {
		dir.adopt(upper.name, upper.copy())
		return nil
	}
	target := old
	if old != nil && old.Kind == Symlink {
		if at, err := t.Resolve(old.Path()); err == nil && at.Node.Kind == Dir {
			target = at.Node
		}
	}
	if target == nil || target.Kind != Dir {
		target = upper.copy()
		dir.adopt(upper.name, target)
	}
	return t.layInto(target, upper)
}

// linkOver replaces folder old by a link, and moves what it held to where the
// link leads, unless something stands there already.
func (t *Tree) linkOver(dir, old, link *Node) error {
	moved := NewAt(cloned(old))
	dir.adopt(link.name, link.copy())
	placed, err := dir.Child(link.name)
	if err != nil {
		return err
	}
	target, err := t.behind(placed, link.Origin, &t.left)
	if err != nil {
		return err
	}
	if target.Kind != Dir {
		return fmt.Errorf("cannot replace folder %s by a link to %s, which is a %s", old.Path(), link.Link, target.Kind)
	}
	return t.under(target, moved.root)
}

// under puts the entries of lower into dir where dir has none of that name.
func (t *Tree) under(dir, lower *Node) error {
	children, err := lower.Children()
	if err != nil {
		return err
	}
	for _, c := range children {
		old, err := dir.Child(c.name)
		switch {
		case err != nil:
			return err
		case old == nil:
			dir.adopt(c.name, cloned(c))
		case old.Kind == Dir && c.Kind == Dir:
			if err := t.under(old, c); err != nil {
				return err
			}
		}
	}
	return nil
}
