//go:build linux

package loader_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"smith/internal/tree"
)

// rootTree returns the files under a folder of this machine as a tree.
func rootTree(t testing.TB, root string) *tree.Tree {
	t.Helper()
	info, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	r := &rootFiles{inodes: map[[2]uint64]*tree.Inode{}}
	return tree.NewAt(r.node(root, info))
}

type rootFiles struct{ inodes map[[2]uint64]*tree.Inode }

func (r *rootFiles) node(name string, info fs.FileInfo) *tree.Node {
	n := &tree.Node{Mode: uint32(info.Mode().Perm())}
	switch info.Mode().Type() {
	case 0:
		n.Kind, n.Size, n.Content = tree.File, info.Size(), rootFile(name)
		if st := info.Sys().(*syscall.Stat_t); st.Nlink > 1 {
			key := [2]uint64{st.Dev, st.Ino}
			if r.inodes[key] == nil {
				r.inodes[key] = &tree.Inode{}
			}
			n.Inode = r.inodes[key]
		}
	case fs.ModeDir:
		n.Kind, n.Listing = tree.Dir, rootFolder{r, name}
	case fs.ModeSymlink:
		n.Kind = tree.Symlink
		n.Link, _ = os.Readlink(name)
	default:
		n.Kind = tree.Device
	}
	return n
}

type rootFile string

func (f rootFile) Open() (tree.ReaderAtCloser, error) { return os.Open(string(f)) }

type rootFolder struct {
	files *rootFiles
	dir   string
}

func (f rootFolder) Entry(name string) (*tree.Node, error) {
	info, err := os.Lstat(filepath.Join(f.dir, name))
	if err != nil {
		return nil, nil //nolint:nilerr // not there
	}
	return f.files.node(filepath.Join(f.dir, name), info), nil
}

func (f rootFolder) Entries() (map[string]*tree.Node, error) {
	list, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	all := map[string]*tree.Node{}
	for _, e := range list {
		if all[e.Name()], err = f.Entry(e.Name()); err != nil {
			return nil, err
		}
	}
	return all, nil
}
