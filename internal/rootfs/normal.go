package rootfs

import (
	"fmt"
	"path"
	"strings"
	"time"

	"smith/internal/capability"
	"smith/internal/event"
	"smith/internal/tree"
)

// A Form is the normal form of an image's files.
type Form struct {
	// UID and GID own all files.
	UID, GID int
	// RootOwned gives everything but /write, /run and the mounts to 0:0.
	RootOwned bool
	Mounts    []string
	// Capabilities are what some files keep on purpose.
	Capabilities Capabilities
	// Time is every file's.
	Time time.Time
	// Parent holds what the layers below have, or nil: a directory that is
	// there already keeps its mode, owner, time and attributes.
	Parent *tree.Tree
}

// Normalise returns a tree of the same files in normal form: folders and
// executables have mode 0755, /tmp 1777, other files 0644, no file a special permission,
// an owner or time of its own, and none an extended attribute but the
// capabilities that the form gives it. Hard links stay. What is no file, folder
// or link is left out; events hears of it, and of capabilities that go.
func Normalise(t *tree.Tree, form Form, events event.Listener) (*tree.Tree, error) {
	normal := tree.New()
	err := t.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		if strings.HasPrefix(n.Name(), tree.WhiteoutPrefix) {
			return reserved(n)
		}
		switch n.Kind {
		case tree.Dir, tree.File, tree.Symlink:
			c := form.node(n)
			if had := n.Xattrs[capability.Attribute]; had != "" && c.Xattrs == nil {
				events.Note(fmt.Sprintf("%s had %s, which is dropped; the key capabilities keeps it", n.Path(), capability.Text(had)))
			}
			return normal.Insert(n.Path(), c)
		}
		events.Note(fmt.Sprintf("%s is left out: an image of smith's holds no %s", n.Path(), n.Kind))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot bring files into their normal form: %w", err)
	}
	return normal, nil
}

// reserved is the error for a name that would remove another file (OCI image
// specification, layer.md, "Whiteouts").
func reserved(n *tree.Node) error {
	from := ""
	if n.Origin != nil {
		from = " of " + n.Origin.String()
	}
	return fmt.Errorf("%s%s: no image can hold a name that begins with %s, which is reserved for the removal of files; rename it, or list it under excludes",
		n.Path(), from, tree.WhiteoutPrefix)
}

// below returns the directory of the parent at a node's path, nil where it has
// none.
func (form Form) below(n *tree.Node) *tree.Node {
	if form.Parent == nil || n.Kind != tree.Dir {
		return nil
	}
	at, err := form.Parent.Lookup(n.Path())
	if err != nil || at.Node.Kind != tree.Dir || len(at.Links) > 0 {
		return nil
	}
	return at.Node
}

func (form Form) node(n *tree.Node) *tree.Node {
	if old := form.below(n); old != nil {
		c := old.Copy()
		c.Origin = n.Origin
		return c
	}
	c := n.Copy()
	c.Xattrs, c.ModTime = form.Capabilities.of(n), form.Time
	c.UID, c.GID = form.UID, form.GID
	if form.RootOwned && !form.writable(n.Path()) {
		c.UID, c.GID = 0, 0
	}
	switch {
	case n.Kind == tree.Symlink:
		c.Mode = 0o777
	case n.Kind == tree.Dir && n.Path() == temporary:
		c.Mode = 0o1777
	case n.Kind == tree.Dir || n.Executable():
		c.Mode = 0o755
	default:
		c.Mode = 0o644
	}
	return c
}

// writable says whether the image's user owns a path whoever owns the rest.
func (form Form) writable(name string) bool {
	for _, dir := range append([]string{"/write", "/run"}, form.Mounts...) {
		if dir = path.Clean(dir); name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}
