package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// kernelDirs are the directories that show the kernel, or hold devices: nothing
// of an image is mounted, started or worked in there.
var kernelDirs = []string{"/dev", "/proc", "/sys"}

// ofKernel reports whether a clean path is one of the kernel's directories or
// lies in one.
func ofKernel(name string) bool {
	return slices.ContainsFunc(kernelDirs, func(dir string) bool { return within(name, dir) })
}

// within reports whether a clean path is a directory or lies in it.
func within(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// kernelPath returns the first path in the kernel's directories that resolving
// a path in the image comes by, "" where it comes by none.
func kernelPath(t *tree.Tree, name string) string {
	seen, end := []string{name}, ""
	at, err := t.Resolve(name)
	links := at.Links
	var unresolved *tree.PathError
	switch {
	case err == nil:
		end = at.Path()
	case errors.As(err, &unresolved):
		links, end = unresolved.Links, unresolved.At
	}
	for _, link := range links {
		target := link.Link
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(link.Path()), target)
		}
		seen = append(seen, path.Clean(target))
	}
	seen = append(seen, end)
	if i := slices.IndexFunc(seen, ofKernel); i >= 0 {
		return seen[i]
	}
	return ""
}

// makeMountPoint makes sure that a mount covers a real directory of the
// unpacked root: each directory on the way is one, or is made. A runtime that
// is given a symlink there may follow it out of the root (CVE-2026-41579: runc
// filled a /dev that pointed to the host), so smith leaves no such case to it.
func makeMountPoint(root *os.Root, dir string) error {
	at := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(dir, "/"), "/") {
		at = path.Join(at, part)
		info, err := root.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := root.Mkdir(at, 0o755); err != nil {
				return fmt.Errorf("cannot make the mount point %s: %w", dir, err)
			}
		case err != nil:
			return fmt.Errorf("cannot look at the mount point %s: %w", dir, err)
		case !info.IsDir():
			return fmt.Errorf("cannot run the image: /%s is a %s, and smith mounts %s only on a directory of the image; rebuild the image with a directory there", at, kindOf(info.Mode()), dir)
		}
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symlink"
	case mode.IsRegular():
		return "file"
	}
	return "special file"
}

// A scratch is a directory that is writable, in memory.
type scratch struct {
	dir string
	// size bounds its files, in bytes.
	size int64
	// open lets every user write to it, as to /tmp.
	open bool
	// filled says that the image has files there, which are copied.
	filled bool
}

const (
	runSize     = 64 << 20
	scratchSize = 1 << 30
)

// scratches returns the directories that are writable: those of every
// microcontainer, and the volumes of the image, links resolved. What cannot be
// a volume is named in refused.
func scratches(t *tree.Tree, volumes map[string]struct{}) (list []scratch, refused []string) {
	list = []scratch{{dir: "/run", size: runSize}, {dir: "/tmp", size: scratchSize, open: true}, {dir: "/write", size: scratchSize}}
	var dirs []string
	for volume := range volumes {
		dir, ok := volumeDir(t, volume)
		switch {
		case !ok:
			refused = append(refused, volume)
		case dir != "/read":
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(refused)
	slices.Sort(dirs) // a directory before those in it
	for _, dir := range slices.Compact(dirs) {
		if !slices.ContainsFunc(list, func(s scratch) bool { return s.dir == dir }) {
			list = append(list, scratch{dir: dir, size: scratchSize})
		}
	}
	for i := range list {
		if at, err := t.Lookup(list[i].dir); err == nil && at.Node.Kind == tree.Dir {
			children, err := at.Node.Children()
			list[i].filled = err == nil && len(children) > 0
		}
	}
	return list, refused
}

// volumeDir returns the directory of the image that a volume of its config
// means: absolute, links resolved inside the image, no part of the kernel's
// directories, and free of what podman's options give a meaning.
func volumeDir(t *tree.Tree, volume string) (string, bool) {
	if !strings.HasPrefix(volume, "/") || strings.ContainsFunc(volume, func(r rune) bool { return r < ' ' || r == 0x7f || r == ':' || r == ',' }) {
		return "", false
	}
	dir, rest := path.Clean(volume), ""
	for dir != "/" {
		if at, err := t.Resolve(dir); err == nil {
			if at.Node.Kind != tree.Dir {
				return "", false
			}
			dir = at.Path()
			break
		}
		dir, rest = path.Dir(dir), path.Join(path.Base(dir), rest)
	}
	if dir = path.Join(dir, rest); dir == "/" || strings.ContainsAny(dir, ":,") || ofKernel(dir) {
		return "", false
	}
	return dir, true
}
