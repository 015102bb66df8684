package rpmfile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"smith/internal/capability"
	"smith/internal/tree"
)

// Flags is what a package says of a file beside its content (rpmfileAttrs).
type Flags uint32

// The flags that smith knows.
const (
	Config  Flags = 1 << 0
	Doc     Flags = 1 << 1
	Ghost   Flags = 1 << 6 // owned by the package but not in it
	License Flags = 1 << 7
)

// The colours of a file (RPMFILE colours): which class its ELF object is of.
const (
	Color32 = 1
	Color64 = 2
)

// A File is a file, folder or link that a package lists.
type File struct {
	// Path is absolute and clean.
	Path         string
	Kind         tree.Kind
	Mode         uint32 // permission bits, 07777 at the most
	Size         int64
	ModTime      time.Time
	Link         string // target of a symbolic link
	User, Group  string
	Flags        Flags
	Color        uint8
	Capabilities string // as cap_to_text(3) writes them, or ""
	Digest       string // of a File, in hex, or ""

	inode inode // of a File with several names, else zero
}

// An inode is what the names of one file of a package share.
type inode struct{ device, number uint64 }

// The kinds of files in a mode (inode(7)).
const (
	modeKind   = 0o170000
	modeFIFO   = 0o010000
	modeChar   = 0o020000
	modeDir    = 0o040000
	modeBlock  = 0o060000
	modeFile   = 0o100000
	modeLink   = 0o120000
	modeSocket = 0o140000
)

func kindOf(mode uint64) (tree.Kind, error) {
	switch mode & modeKind {
	case modeFile:
		return tree.File, nil
	case modeDir:
		return tree.Dir, nil
	case modeLink:
		return tree.Symlink, nil
	case modeChar, modeBlock:
		return tree.Device, nil
	case modeFIFO:
		return tree.FIFO, nil
	case modeSocket:
		return tree.Socket, nil
	}
	return 0, fmt.Errorf("unknown kind of file: mode %o", mode)
}

// listFiles returns the files that a header lists, in its order.
func listFiles(h *Header) ([]File, error) {
	names, err := fileNames(h)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	sizes := h.Numbers(tagLongFileSizes)
	if sizes == nil {
		sizes = h.Numbers(tagFileSizes)
	}
	modes, times, flags := h.Numbers(tagFileModes), h.Numbers(tagFileTimes), h.Numbers(tagFileFlags)
	links, digests := h.Strings(tagFileLinks), h.Strings(tagFileDigests)
	users, groups, capabilities := h.Strings(tagFileUsers), h.Strings(tagFileGroups), h.Strings(tagFileCapabilities)
	colors, inodes, devices := h.Numbers(tagFileColors), h.Numbers(tagFileInodes), h.Numbers(tagFileDevices)
	if len(sizes) != len(names) || len(modes) != len(names) {
		return nil, fmt.Errorf("it lists %d files with %d sizes and %d modes", len(names), len(sizes), len(modes))
	}
	files := make([]File, len(names))
	for i, name := range names {
		f := &files[i]
		if f.Path, err = cleanName(name); err == nil {
			f.Kind, err = kindOf(modes[i])
		}
		if err != nil {
			return nil, fmt.Errorf("file %.200q: %w", name, err)
		}
		f.Mode = uint32(modes[i] & 0o7777)
		f.ModTime = time.Unix(int64(at(times, i)), 0).UTC()
		f.Flags, f.Color = Flags(at(flags, i)), uint8(at(colors, i))
		f.User, f.Group, f.Capabilities = at(users, i), at(groups, i), at(capabilities, i)
		switch f.Kind {
		case tree.File:
			f.Size, f.Digest = int64(sizes[i]), at(digests, i)
			f.inode = inode{at(devices, i), at(inodes, i)}
			if f.Size < 0 {
				return nil, fmt.Errorf("file %.200q: a size of %d bytes", name, sizes[i])
			}
		case tree.Symlink:
			f.Link = at(links, i)
		}
	}
	dropSingleInodes(files)
	return files, checkNames(files)
}

// attributes are the extended attributes that the file would have. What cannot
// be read gives no capability.
func (f File) attributes() map[string]string {
	c, err := capability.Parse(f.Capabilities)
	if err != nil || c.Permitted|c.Inheritable == 0 {
		return nil
	}
	return map[string]string{capability.Attribute: c.Attribute()}
}

// at returns a value of a list that may be shorter or absent.
func at[T any](list []T, i int) (value T) {
	if i < len(list) {
		return list[i]
	}
	return value
}

// fileNames returns the names of a header's files as they stand there.
func fileNames(h *Header) ([]string, error) {
	bases := h.Strings(TagBaseNames)
	if bases == nil {
		return h.Strings(tagOldFileNames), nil
	}
	dirs, indexes := h.Strings(tagDirNames), h.Numbers(tagDirIndexes)
	if len(indexes) != len(bases) {
		return nil, fmt.Errorf("it lists %d files in %d folders", len(bases), len(indexes))
	}
	names := make([]string, len(bases))
	for i, base := range bases {
		if indexes[i] >= uint64(len(dirs)) {
			return nil, fmt.Errorf("file %.200q: it lies in folder %d of %d", base, indexes[i], len(dirs))
		}
		names[i] = dirs[indexes[i]] + base
	}
	return names, nil
}

// cleanName returns the absolute form of a name. What could leave the tree, or
// be no name on Linux, is refused when the tree is laid; here only what would
// hide from it.
func cleanName(name string) (string, error) {
	if !strings.HasPrefix(name, "/") {
		return "", errors.New("the name is not absolute")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New(`the name holds ".."`)
		}
	}
	return tree.Clean(name), nil
}

// dropSingleInodes forgets the inode of files that have one name. The files
// of a package have an inode each, but old and foreign builders write 0 for all.
func dropSingleInodes(files []File) {
	names := map[inode]int{}
	for _, f := range files {
		if f.Kind == tree.File && f.Flags&Ghost == 0 {
			names[f.inode]++
		}
	}
	for i := range files {
		if files[i].inode.number == 0 || files[i].Flags&Ghost != 0 || names[files[i].inode] < 2 {
			files[i].inode = inode{}
		}
	}
}

// checkNames refuses a path that is listed twice.
func checkNames(files []File) error {
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		if seen[f.Path] {
			return fmt.Errorf("file %.200q is listed twice", f.Path)
		}
		seen[f.Path] = true
	}
	return nil
}

// hashSHA256 is OpenPGP's number of SHA-256, which packages name their files'
// digests by. Absent means MD5.
const hashSHA256 = 8
