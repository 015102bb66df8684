// Package tree is a file tree in memory: the files that an image, a package
// or a machine offers, or that an image will hold. A node carries what an
// archive says of a file; its bytes stay where they are, as a section of a
// stored blob, until somebody reads them.
//
// Every path is resolved as a process with its root at the tree's root would
// resolve it: absolute links start again at the root and ".." stops there, so
// no name and no link leads out. The package does not know where nodes come
// from; it knows how they stack: image layers with whiteouts (Apply), and
// trees laid over each other through links (Lay).
package tree

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"smith/record"
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes. Device, FIFO and Socket are known so that they can be
// named when they are left out; they carry no content.
const (
	Dir Kind = iota + 1
	File
	Symlink
	Device
	FIFO
	Socket
)

// Type returns what a record calls the kind.
func (k Kind) Type() record.FileType {
	types := [...]record.FileType{
		"unknown", record.TypeDirectory, record.TypeFile, record.TypeSymlink, record.TypeDevice, record.TypeFIFO, record.TypeSocket,
	}
	if int(k) < len(types) {
		return types[k]
	}
	return types[0]
}

// String returns the word that smith prints for the kind.
func (k Kind) String() string { return string(k.Type()) }

// An Inode is what the names of one hard-linked file share. It is compared by
// its address.
type Inode struct{ _ byte }

// A Node is a file, a folder, a symbolic link, or something that no image
// holds. The exported fields are set before the node enters a tree and are not
// changed afterwards.
type Node struct {
	Kind     Kind
	Mode     uint32 // permission bits, 07777 at the most
	UID, GID int
	ModTime  time.Time
	Size     int64             // bytes of a File, else 0
	Link     string            // target of a Symlink, as it stands
	Content  Content           // bytes of a File; nil where Size is 0
	Inode    *Inode            // shared by all names of a hard-linked file, else nil
	Origin   *record.Origin    // may be nil
	Xattrs   map[string]string // extended attributes, nil where there are none
	Listing  Directory         // supplies the entries of a Dir on demand; nil where they are inserted

	name     string
	parent   *Node
	mu       sync.Mutex
	children map[string]*Node
	listed   bool
	sum      sum
}

// A Directory supplies the entries of a folder when they are first asked for:
// a machine's file system is too large to be read whole.
type Directory interface {
	// Entry returns the entry called name, or nil where there is none.
	Entry(name string) (*Node, error)
	// Entries returns all entries by name.
	Entries() (map[string]*Node, error)
}

// A Namer is a Directory that tells what it holds without making nodes of it,
// which may be dear: a package must be fetched for them.
type Namer interface {
	Directory
	// Names returns the names of all entries, and of each whether it is a
	// folder.
	Names() (map[string]bool, error)
}

// A Tree is a file system in memory. It is safe for many readers at once;
// Insert, Remove, Apply and Lay need it alone.
type Tree struct {
	root    *Node
	entries int // of all layers that were applied
	left    int // directories that layers may still imply
}

// New returns a tree that holds an empty root folder.
func New() *Tree { return NewAt(&Node{Kind: Dir, Mode: 0o755}) }

// NewAt returns a tree whose root is the given folder.
func NewAt(root *Node) *Tree { return &Tree{root: root, left: maxImplied} }

// Root returns the root folder.
func (t *Tree) Root() *Node { return t.root }

// Name returns the last element of the node's path, "" for the root.
func (n *Node) Name() string { return n.name }

// Parent returns the folder that holds the node, nil for the root.
func (n *Node) Parent() *Node { return n.parent }

// Path returns the node's absolute path in its tree, "/" for the root.
func (n *Node) Path() string {
	if n.parent == nil {
		return "/"
	}
	var parts []string
	for at := n; at.parent != nil; at = at.parent {
		parts = append(parts, at.name)
	}
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

// Child returns the entry of folder n called name, or nil where there is none
// or n is no folder. No link is followed.
func (n *Node) Child(name string) (*Node, error) {
	if n.Kind != Dir {
		return nil, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c, known := n.children[name]; known || n.Listing == nil || n.listed {
		return c, nil
	}
	c, err := n.Listing.Entry(name)
	if err != nil {
		return nil, err
	}
	n.adopt(name, c)
	return c, nil
}

// Children returns the entries of folder n, sorted by name.
func (n *Node) Children() ([]*Node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Listing != nil && !n.listed {
		if err := n.list(); err != nil {
			return nil, err
		}
	}
	list := make([]*Node, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		if c := n.children[name]; c != nil {
			list = append(list, c)
		}
	}
	return list, nil
}

// Names returns the names of folder n's entries, and of each whether it is a
// folder. Where the listing is a Namer, no entry is made for that.
func (n *Node) Names() (map[string]bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := map[string]bool{}
	if n.Listing != nil && !n.listed {
		var err error
		if names, err = n.listedNames(); err != nil {
			return nil, err
		}
	}
	for name, c := range n.children {
		if c == nil {
			delete(names, name)
		} else {
			names[name] = c.Kind == Dir
		}
	}
	return names, nil
}

// listedNames asks the listing. The caller holds n.mu.
func (n *Node) listedNames() (map[string]bool, error) {
	if namer, ok := n.Listing.(Namer); ok {
		return namer.Names()
	}
	if err := n.list(); err != nil {
		return nil, err
	}
	return map[string]bool{}, nil
}

// list takes in all entries of the listing. The caller holds n.mu.
func (n *Node) list() error {
	entries, err := n.Listing.Entries()
	if err != nil {
		return err
	}
	for name, c := range entries {
		if _, known := n.children[name]; !known {
			n.adopt(name, c)
		}
	}
	n.listed = true
	return nil
}

// adopt makes c the entry called name; nil marks a name known to be absent.
// The caller holds n.mu or has the tree alone.
func (n *Node) adopt(name string, c *Node) {
	if n.children == nil {
		n.children = map[string]*Node{}
	}
	n.children[name] = c
	if c != nil {
		c.name, c.parent = name, n
	}
}

// Executable says whether anybody may execute the file.
func (n *Node) Executable() bool { return n.Kind == File && n.Mode&0o111 != 0 }

// copy returns a node with the same exported fields that stands in no tree.
func (n *Node) copy() *Node {
	return &Node{
		Kind: n.Kind, Mode: n.Mode, UID: n.UID, GID: n.GID, ModTime: n.ModTime, Size: n.Size,
		Link: n.Link, Content: n.Content, Inode: n.Inode, Origin: n.Origin, Xattrs: n.Xattrs,
	}
}

// Copy returns a node of its own with the same exported fields, its entries
// left out: what another tree can hold.
func (n *Node) Copy() *Node { return n.copy() }

// Clone returns a tree of its own that holds what t holds. It costs nothing
// until it is walked: folders are copied when they are first asked for.
func (t *Tree) Clone() *Tree { return NewAt(cloned(t.root)) }

func cloned(n *Node) *Node {
	c := n.copy()
	if n.Kind == Dir {
		c.Listing = (*original)(n)
	}
	return c
}

// An original is a folder whose entries a clone copies on demand.
type original Node

var _ Namer = (*original)(nil)

func (o *original) Entry(name string) (*Node, error) {
	c, err := (*Node)(o).Child(name)
	if c == nil || err != nil {
		return nil, err
	}
	return cloned(c), nil
}

func (o *original) Entries() (map[string]*Node, error) {
	list, err := (*Node)(o).Children()
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*Node, len(list))
	for _, c := range list {
		entries[c.name] = cloned(c)
	}
	return entries, nil
}

// Names returns what the original has.
func (o *original) Names() (map[string]bool, error) { return (*Node)(o).Names() }

// SkipDir is returned by a Walk function to leave out what is under a folder.
var SkipDir = fs.SkipDir

// Walk calls fn for every node of the tree in the order of their paths' bytes,
// element by element, a folder before its entries, beginning with the root.
// No link is followed.
func (t *Tree) Walk(fn func(n *Node) error) error { return t.root.Walk(fn) }

// Walk calls fn for n and everything under it, as Tree.Walk does.
func (n *Node) Walk(fn func(n *Node) error) error {
	if err := fn(n); err != nil {
		if err == SkipDir && n.Kind == Dir { //nolint:errorlint // as in fs.WalkDir: the sentinel itself
			return nil
		}
		return err
	}
	if n.Kind != Dir {
		return nil
	}
	children, err := n.Children()
	if err != nil {
		return err
	}
	for _, c := range children {
		if err := c.Walk(fn); err != nil {
			return err
		}
	}
	return nil
}

// Insert puts n at an absolute path and makes the folders on the way that are
// missing, with mode 0755 and n's origin. Nothing is followed: an element on
// the way that is no folder is an error. A node that stands at the path is
// replaced, with all under it, unless both are folders: then n's fields
// replace those of the folder, which keeps its entries.
func (t *Tree) Insert(name string, n *Node) error {
	parts, err := split(name)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		if n.Kind != Dir {
			return fmt.Errorf("cannot put a %s at /: the root is a folder", n.Kind)
		}
		t.root.become(n)
		return nil
	}
	at := t.root
	for i, part := range parts[:len(parts)-1] {
		next, err := at.Child(part)
		if err != nil {
			return err
		}
		if next == nil {
			next = &Node{Kind: Dir, Mode: 0o755, Origin: n.Origin, ModTime: n.ModTime}
			at.adopt(part, next)
		}
		if next.Kind != Dir {
			return fmt.Errorf("cannot put %q into the tree: /%s is a %s, not a folder", name, strings.Join(parts[:i+1], "/"), next.Kind)
		}
		at = next
	}
	return at.put(parts[len(parts)-1], n)
}

// put makes other the entry called name of folder n.
func (n *Node) put(name string, other *Node) error {
	old, err := n.Child(name)
	if err != nil {
		return err
	}
	if old != nil && old.Kind == Dir && other.Kind == Dir {
		old.become(other)
		return nil
	}
	n.adopt(name, other)
	return nil
}

// become takes over the fields of another folder, but keeps entries and place.
func (n *Node) become(other *Node) {
	n.Mode, n.UID, n.GID, n.ModTime, n.Origin, n.Xattrs = other.Mode, other.UID, other.GID, other.ModTime, other.Origin, other.Xattrs
}

// Remove takes the node at an absolute path out of the tree, with all under
// it. No link is followed; a path that is not there is no error.
func (t *Tree) Remove(name string) error {
	parts, err := split(name)
	if err != nil || len(parts) == 0 {
		return err
	}
	at := t.root
	for _, part := range parts[:len(parts)-1] {
		if at, err = at.Child(part); at == nil || err != nil {
			return err
		}
	}
	if at.Kind == Dir {
		at.adopt(parts[len(parts)-1], nil)
	}
	return nil
}

// maxPath is Linux' PATH_MAX, maxName its NAME_MAX.
const (
	maxPath = 4096
	maxName = 255
)

// split returns the elements of a path; "." and empty elements are dropped,
// ".." and names that no Linux file system holds are refused.
func split(name string) ([]string, error) {
	if len(name) > maxPath {
		return nil, fmt.Errorf("path %.60q…: longer than %d bytes", name, maxPath)
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
		case part == "..":
			return nil, fmt.Errorf("path %q: \"..\" could lead out of the tree", name)
		case len(part) > maxName:
			return nil, fmt.Errorf("path %.60q…: an element is longer than %d bytes", name, maxName)
		case strings.ContainsRune(part, 0):
			return nil, fmt.Errorf("path %q: a name holds a NUL byte", name)
		default:
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// Clean returns the absolute form of a path inside a tree: rooted, without
// empty elements, "." or "..", which stops at the root.
func Clean(name string) string { return path.Clean("/" + name) }
