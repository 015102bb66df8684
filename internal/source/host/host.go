// Package host offers a machine's own files: the folder tree under a root, "/"
// for this machine. Nothing is read before it is asked for: one lstat(2) for
// each element of a path, one listing for each folder that somebody lists.
// Links are reported, not followed; package tree resolves them inside the
// root.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/osrelease"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// kind is what origins and the record call this source.
const kind = record.KindHost

// A Source offers the files under a root folder.
type Source struct{ root string }

var _ source.Source = (*Source)(nil)

// New returns a source of the files under a folder; "/" is this machine.
func New(root string) *Source { return &Source{root} }

// Open returns the files on offer. The files of "/" are of the machine's own
// platform, and another one is refused; any other root may hold files of any.
// A zero platform asks for the machine's own. The offer has no date: what a
// machine's files are dated says nothing of what is in them.
func (s *Source) Open(_ context.Context, platform ocispec.Platform) (*source.Offer, error) {
	if platform.Architecture == "" {
		platform.OS, platform.Architecture = "linux", runtime.GOARCH
	}
	if filepath.Clean(s.root) == "/" && (platform.OS != runtime.GOOS || platform.Architecture != runtime.GOARCH) {
		return nil, fmt.Errorf("cannot take files for %s/%s from this machine, which is %s/%s: name an image or a package as the source",
			platform.OS, platform.Architecture, runtime.GOOS, runtime.GOARCH)
	}
	t, err := Tree(s.root, &record.Origin{Kind: kind, Name: string(kind)})
	if err != nil {
		return nil, err
	}
	input := record.Input{Kind: kind, Name: string(kind), Note: prettyName(t)}
	return &source.Offer{Tree: t, Inputs: []record.Input{input}, Platform: platform}, nil
}

// Tree returns the files under a folder as a tree that is read on demand, all
// its nodes with the given origin. /dev, /proc and /sys are empty in it.
func Tree(root string, origin *record.Origin) (*tree.Tree, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("cannot offer the files of %s: it is not a folder", root)
	}
	m := &machine{origin: origin, inodes: map[inode]*tree.Inode{}}
	n := m.node(filepath.Clean(root), info)
	n.Listing = &folder{machine: m, dir: filepath.Clean(root), top: true}
	return tree.NewAt(n), nil
}

// A machine is what the folders of one tree share.
type machine struct {
	origin *record.Origin
	mu     sync.Mutex
	inodes map[inode]*tree.Inode // of the files with several names
}

// An inode names a file independently of its path.
type inode struct{ device, number uint64 }

// shared returns what all names of a file have in common, nil where it has one.
func (m *machine) shared(s status) *tree.Inode {
	if s.names < 2 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inodes[s.inode] == nil {
		m.inodes[s.inode] = &tree.Inode{}
	}
	return m.inodes[s.inode]
}

// node returns what stands at a path of the machine, its link target unread.
func (m *machine) node(name string, info fs.FileInfo) *tree.Node {
	s := statusOf(info)
	n := &tree.Node{Mode: s.mode, UID: s.uid, GID: s.gid, ModTime: info.ModTime(), Origin: m.origin}
	switch t := info.Mode().Type(); {
	case t == 0:
		n.Kind, n.Size, n.Inode = tree.File, info.Size(), m.shared(s)
		n.Content = &content{path: name, info: info}
	case t == fs.ModeDir:
		n.Kind, n.Listing = tree.Dir, &folder{machine: m, dir: name}
	case t == fs.ModeSymlink:
		n.Kind = tree.Symlink
	case t == fs.ModeNamedPipe:
		n.Kind = tree.FIFO
	case t == fs.ModeSocket:
		n.Kind = tree.Socket
	default:
		n.Kind = tree.Device
	}
	return n
}

// A folder reads one folder of the machine when it is asked to.
type folder struct {
	machine *machine
	dir     string
	top     bool // the root of the tree
}

var _ tree.Directory = (*folder)(nil)

// Entry returns what stands under a name: one lstat(2), and a readlink(2) for
// a link.
func (f *folder) Entry(name string) (*tree.Node, error) {
	at := filepath.Join(f.dir, name)
	if name == ".." || strings.ContainsRune(name, filepath.Separator) {
		return nil, fmt.Errorf("%q is not a name in folder %s", name, f.dir)
	}
	info, err := os.Lstat(at)
	if err != nil {
		return nil, ignoreAbsent(err)
	}
	n := f.machine.node(at, info)
	switch {
	case n.Kind == tree.Symlink:
		if n.Link, err = os.Readlink(at); err != nil {
			return nil, ignoreAbsent(err)
		}
	case n.Kind == tree.Dir && f.top && kernelOwned(name):
		n.Listing = nil
	}
	return n, nil
}

// Entries returns everything in the folder. What vanishes meanwhile is absent.
func (f *folder) Entries() (map[string]*tree.Node, error) {
	list, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*tree.Node, len(list))
	for _, e := range list {
		n, err := f.Entry(e.Name())
		if err != nil {
			return nil, err
		}
		if n != nil {
			entries[e.Name()] = n
		}
	}
	return entries, nil
}

// kernelOwned says whether a top folder holds what the kernel makes up, and
// what every container gets anew.
func kernelOwned(name string) bool { return name == "dev" || name == "proc" || name == "sys" }

// ignoreAbsent drops the errors that mean that no file can have this name.
func ignoreAbsent(err error) error {
	for _, absent := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, absent) {
			return nil
		}
	}
	return err
}

// prettyName returns the machine's name of its system, or "".
func prettyName(t *tree.Tree) string {
	values, err := osrelease.Of(t)
	if err != nil {
		return "" // it is for the reader only
	}
	return values["PRETTY_NAME"]
}
