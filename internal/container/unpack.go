package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"smith/internal/capability"
	"smith/internal/tree"
)

// unpack writes the files of a tree to a directory, which it makes, with their
// modification times. Devices, FIFOs and sockets are left out. Only root can
// give files away; an unprivileged user keeps them, and the user namespace shows
// them as the image's user's. Files keep their capabilities where all of them
// are allowed: the kernel refuses to execute one that asks for more.
func unpack(ctx context.Context, t *tree.Tree, dir string, allowed capability.Set) error {
	var root *os.Root
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		root, err = os.OpenRoot(dir)
	}
	if err != nil {
		return fmt.Errorf("cannot unpack the image: %w", err)
	}
	defer root.Close()
	u := &unpacker{root: root, names: map[*tree.Inode]string{}, chown: os.Geteuid() == 0, allowed: allowed}
	err = t.Walk(func(n *tree.Node) error {
		if err := ctx.Err(); err != nil || n.Parent() == nil {
			return err
		}
		if err := u.write(n, n.Path()[1:]); err != nil {
			return fmt.Errorf("cannot unpack %s: %w", n.Path(), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return u.dirTimes(t)
}

type unpacker struct {
	root  *os.Root
	names map[*tree.Inode]string
	chown bool
	// allowed are the capabilities that files may have.
	allowed capability.Set
}

func (u *unpacker) write(n *tree.Node, name string) error {
	if first := u.names[n.Inode]; n.Inode != nil && first != "" {
		return u.root.Link(first, name)
	}
	var err error
	switch n.Kind {
	case tree.Dir:
		err = u.root.Mkdir(name, 0o755)
	case tree.Symlink:
		err = u.root.Symlink(n.Link, name)
	case tree.File:
		err = u.file(n, name)
	default:
		return nil
	}
	if n.Inode != nil {
		u.names[n.Inode] = name
	}
	if u.chown && err == nil {
		err = u.root.Lchown(name, n.UID, n.GID)
	}
	if n.Kind != tree.Symlink && err == nil {
		// A directory that its owner may not write to could not be filled.
		err = u.root.Chmod(name, fs.FileMode(n.Mode&0o777)|ownerBits(n))
	}
	if err == nil && u.allowed != 0 && n.Kind == tree.File {
		err = u.capabilities(n, name)
	}
	if err == nil && n.Kind == tree.File {
		err = u.setTime(n, name)
	}
	return err
}

// setTime gives a file its modification time: programs compare those of a
// source and what was compiled from it.
func (u *unpacker) setTime(n *tree.Node, name string) error {
	if n.ModTime.IsZero() {
		return nil
	}
	return u.root.Chtimes(name, n.ModTime, n.ModTime)
}

// dirTimes gives directories their times, once nothing is written to them.
func (u *unpacker) dirTimes(t *tree.Tree) error {
	return t.Walk(func(n *tree.Node) error {
		if n.Kind != tree.Dir || n.Parent() == nil {
			return nil
		}
		if err := u.setTime(n, n.Path()[1:]); err != nil {
			return fmt.Errorf("cannot unpack %s: %w", n.Path(), err)
		}
		return nil
	})
}

// capabilities gives a file those that the image gives it. This comes last: a
// file that changes its owner loses them.
func (u *unpacker) capabilities(n *tree.Node, name string) error {
	attribute := n.Xattrs[capability.Attribute]
	if attribute == "" {
		return nil
	}
	given, err := capability.Read(attribute)
	if err != nil {
		return err
	}
	if given.Permitted&^u.allowed != 0 {
		return nil
	}
	f, err := u.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(setAttribute(f, capability.Attribute, capability.Granted(given.Permitted)), f.Close())
}

// ownerBits are what the owner of the unpacked files needs to fill directories
// and to remove them afterwards.
func ownerBits(n *tree.Node) fs.FileMode {
	if n.Kind == tree.Dir {
		return 0o700
	}
	return 0
}

func (u *unpacker) file(n *tree.Node, name string) error {
	from, err := n.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// removeAll removes a bundle.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("cannot remove the container's files: %w", err)
	}
	return nil
}
