package closure

import (
	"bytes"
	"errors"
	"io"

	"smith/internal/tree"
)

// A view is the files as the container could see them if everything on offer
// were kept: the overlay over the parent over the source.
//
// The parent's layers are written already. Where it has a folder at which the
// source has a link (a parent of before the merge of /usr under a source of
// after it), the folder stays, and the view shows in it what the link leads
// to; where it has a link and the source a folder, the source's files go to
// where the link leads. So every path of the view is one that a new layer on
// top of the parent can hold.
type view struct {
	*tree.Tree
	parent  *tree.Tree
	overlay map[*tree.Node]bool // nodes that the overlay brought
	own     map[*tree.Node]bool // nodes of the source that replace the parent's
}

// A holder says which of the inputs a node of the view comes from.
type holder uint8

const (
	ofSource holder = iota
	ofParent
	ofOverlay
)

func newView(in Input) (*view, error) {
	v := &view{Tree: tree.New(), parent: in.Parent, overlay: map[*tree.Node]bool{}, own: map[*tree.Node]bool{}}
	if in.Source != nil {
		v.Tree = in.Source.Clone()
	}
	if in.Parent != nil {
		if err := v.giveWay(v.Root(), in.Parent.Root()); err != nil {
			return nil, err
		}
		if err := v.Lay(in.Parent); err != nil {
			return nil, err
		}
	}
	if in.Overlay != nil {
		if err := v.Lay(in.Overlay); err != nil {
			return nil, err
		}
		if err := v.markOverlay(in.Overlay); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// giveWay turns links of the source into folders where the parent has folders.
func (v *view) giveWay(at, parent *tree.Node) error {
	children, err := parent.Children()
	if err != nil {
		return err
	}
	for _, p := range children {
		if p.Kind != tree.Dir {
			continue
		}
		s, err := at.Child(p.Name())
		if err != nil {
			return err
		}
		if s != nil && s.Kind == tree.Symlink {
			if s, err = v.unlinked(s); err != nil {
				return err
			}
		}
		if s == nil || s.Kind != tree.Dir {
			continue
		}
		if err := v.giveWay(s, p); err != nil {
			return err
		}
	}
	return nil
}

// unlinked replaces a link by the folder that it leads to, and returns that;
// nil where it leads to none.
func (v *view) unlinked(link *tree.Node) (*tree.Node, error) {
	at, err := v.Resolve(link.Path())
	if err != nil || at.Node.Kind != tree.Dir || isAncestor(at.Node, link) {
		return nil, ignoreAbsent(err)
	}
	folder := tree.NewAt(at.Node).Clone().Root()
	return folder, v.Insert(link.Path(), folder)
}

// isAncestor says whether folder holds n, at any depth, or is n.
func isAncestor(folder, n *tree.Node) bool {
	for ; n != nil; n = n.Parent() {
		if n == folder {
			return true
		}
	}
	return false
}

func (v *view) markOverlay(overlay *tree.Tree) error {
	return overlay.Walk(func(n *tree.Node) error {
		if n.Kind == tree.Dir {
			return nil
		}
		at, err := v.Lookup(n.Path())
		if err != nil {
			return err
		}
		v.overlay[at.Node] = true
		return nil
	})
}

// holder says where a node of the view comes from. Folders that several hold
// are the lowest one's.
func (v *view) holder(n *tree.Node) holder {
	switch {
	case v.overlay[n]:
		return ofOverlay
	case v.parent == nil || v.own[n] || at(v.parent, n) == nil:
		return ofSource
	}
	return ofParent
}

// at returns what stands at a node's own path in another tree, without any
// link being followed, or nil.
func at(t *tree.Tree, n *tree.Node) *tree.Node {
	if n.Parent() == nil {
		return t.Root()
	}
	dir := at(t, n.Parent())
	if dir == nil {
		return nil
	}
	c, err := dir.Child(n.Name())
	if err != nil {
		return nil
	}
	return c
}

// prefer makes the source's file stand where the view shows the parent's, and
// says whether it had to. Equal files stay the parent's, folders and what the
// overlay brought stay as they are.
func (v *view) prefer(source *tree.Node) (bool, error) {
	if v.parent == nil || source.Kind == tree.Dir {
		return false, nil
	}
	shown, err := v.Lookup(source.Path())
	if err != nil {
		return false, ignoreAbsent(err)
	}
	old := shown.Node
	if old.Kind == tree.Dir || v.holder(old) != ofParent {
		return false, nil
	}
	same, err := equal(old, source)
	if same || err != nil {
		return false, err
	}
	n := source.Copy()
	v.own[n] = true
	return true, v.Insert(old.Path(), n)
}

// equal says whether two nodes would look the same to a program: kind, bytes
// or target, and the right to execute.
func equal(a, b *tree.Node) (bool, error) {
	if a.Kind != b.Kind || a.Size != b.Size || a.Link != b.Link || a.Executable() != b.Executable() {
		return false, nil
	}
	if a.Kind != tree.File {
		return true, nil
	}
	if id := identity(a); id != "" && id == identity(b) {
		return true, nil
	}
	return equalBytes(a, b)
}

// identity tells the bytes of a file without reading them, where its content
// can; else it is "".
func identity(n *tree.Node) string {
	if c, ok := n.Content.(interface{ Identity() string }); ok {
		return c.Identity()
	}
	return ""
}

func equalBytes(a, b *tree.Node) (bool, error) {
	x, err := a.Open()
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := b.Open()
	if err != nil {
		return false, err
	}
	defer y.Close()
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for left := a.Size; left > 0; {
		n := min(left, int64(len(p)))
		if _, err := io.ReadFull(x, p[:n]); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(y, q[:n]); err != nil {
			return false, err
		}
		if !bytes.Equal(p[:n], q[:n]) {
			return false, nil
		}
		left -= n
	}
	return true, nil
}

// ignoreAbsent drops the error that says that a path leads nowhere.
func ignoreAbsent(err error) error {
	var gone *tree.PathError
	if errors.As(err, &gone) {
		return nil
	}
	return err
}
