package rpmfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"smith/internal/tree"
)

// The forms of a member's header (cpio(5), "New ASCII Format"; rpm's
// lib/cpio.cc): newc, newc with a sum that rpm never checks, and rpm's own
// for packages with files of 4 GiB and more, which names a file by its place
// in the package's header and leaves its size to that.
const (
	magicSize     = 6
	magicNewc     = "070701"
	magicCRC      = "070702"
	magicStripped = "07070X"
	newcFields    = 13
	fieldDigits   = 8
	trailerName   = "TRAILER!!!"
	noIndex       = 1<<32 - 1 // the stripped form's trailer
	maxMemberName = 4096      // PATH_MAX
)

// An archive reads the members of a cpio archive.
type archive struct {
	r    io.Reader
	size int64 // bytes read
	left int64 // bytes of the member under way
}

// A member is a header of an archive.
type member struct {
	name  string // as it stands there; "" in the stripped form
	index uint32 // in the stripped form: its place in the package's header
	size  int64  // of its content; not told by the stripped form
}

// Read reads the content of the member under way.
func (a *archive) Read(p []byte) (int, error) {
	if a.left == 0 {
		return 0, io.EOF
	}
	n, err := a.r.Read(p[:min(int64(len(p)), a.left)])
	a.size += int64(n)
	if a.left -= int64(n); a.left > 0 {
		err = cut(err)
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (a *archive) full(p []byte) error {
	n, err := io.ReadFull(a.r, p)
	a.size += int64(n)
	return cut(err)
}

// align passes over the bytes to the next multiple of four.
func (a *archive) align() error {
	var pad [3]byte
	return a.full(pad[:-a.size&3])
}

// next passes over what is left of a member and reads the next header; it
// returns io.EOF at the trailer.
func (a *archive) next() (member, error) {
	if _, err := io.Copy(io.Discard, a); err != nil {
		return member{}, err
	}
	if err := a.align(); err != nil {
		return member{}, err
	}
	var magic [magicSize]byte
	if err := a.full(magic[:]); err != nil {
		return member{}, err
	}
	switch string(magic[:]) {
	case magicNewc, magicCRC:
		return a.newc()
	case magicStripped:
		return a.stripped()
	}
	return member{}, fmt.Errorf("bad magic %q in the cpio archive", magic[:])
}

func (a *archive) stripped() (member, error) {
	var digits [fieldDigits]byte
	if err := a.full(digits[:]); err != nil {
		return member{}, err
	}
	index, err := hexNumber(digits[:])
	if err != nil {
		return member{}, err
	}
	if index == noIndex {
		return member{}, io.EOF
	}
	return member{index: index}, a.align()
}

func (a *archive) newc() (member, error) {
	var digits [newcFields * fieldDigits]byte
	if err := a.full(digits[:]); err != nil {
		return member{}, err
	}
	var fields [newcFields]uint32
	for i := range fields {
		var err error
		if fields[i], err = hexNumber(digits[i*fieldDigits : (i+1)*fieldDigits]); err != nil {
			return member{}, err
		}
	}
	size, nameSize := fields[6], fields[11]
	if nameSize == 0 || nameSize > maxMemberName {
		return member{}, fmt.Errorf("a name of %d bytes in the cpio archive", nameSize)
	}
	name := make([]byte, nameSize)
	if err := a.full(name); err != nil {
		return member{}, err
	}
	name, _, ended := bytes.Cut(name, []byte{0})
	if !ended {
		return member{}, errors.New("a name without an end in the cpio archive")
	}
	if string(name) == trailerName {
		return member{}, io.EOF
	}
	return member{name: string(name), size: int64(size)}, a.align()
}

func hexNumber(digits []byte) (uint32, error) {
	v, err := strconv.ParseUint(string(digits), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("bad number %q in the cpio archive", digits)
	}
	return uint32(v), nil
}

// unpack copies the contents of the archive's files to w, one after the other,
// and returns where each of the package's files begins there; -1 for what has
// no content. The archive must hold what the package lists, and no more. Links
// and folders are as the header says, for that is what signatures cover.
func unpack(a *archive, files []File, w io.Writer) ([]int64, error) {
	u := &unpacking{archive: a, files: files, paths: map[string]int{}, seen: make([]bool, len(files)), to: w}
	u.offsets = make([]int64, len(files))
	for i, f := range files {
		u.offsets[i] = -1
		u.paths[f.Path] = i
	}
	last := "its beginning"
	for {
		m, err := a.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("payload after %s: %w", last, err)
		}
		i, err := u.find(m)
		if err != nil {
			return nil, err
		}
		last = fmt.Sprintf("%.200q", files[i].Path)
		if err := u.take(i, m); err != nil {
			return nil, fmt.Errorf("payload: %s: %w", last, err)
		}
	}
	return u.offsets, u.finish()
}

type unpacking struct {
	archive *archive
	files   []File
	paths   map[string]int
	seen    []bool
	offsets []int64
	to      io.Writer
	written int64
}

// find returns the file that a member is.
func (u *unpacking) find(m member) (int, error) {
	if m.name == "" {
		if int64(m.index) >= int64(len(u.files)) {
			return 0, fmt.Errorf("payload: it holds file %d of %d", m.index, len(u.files))
		}
		return int(m.index), nil
	}
	// "./usr/bin/x", or of other builders "/usr/bin/x" and "usr/bin/x".
	name, err := cleanName("/" + m.name)
	if err != nil {
		return 0, fmt.Errorf("payload: %.200q: %w", m.name, err)
	}
	i, listed := u.paths[name]
	if !listed {
		return 0, fmt.Errorf("payload: %.200q is not in the package's list of files", m.name)
	}
	return i, nil
}

// take copies the content of a member.
func (u *unpacking) take(i int, m member) error {
	f := u.files[i]
	if u.seen[i] {
		return errors.New("it stands twice")
	}
	u.seen[i] = true
	size := m.size
	if m.name == "" {
		size = u.strippedSize(i)
	}
	u.archive.left = size
	if f.Kind != tree.File || size == 0 && f.inode != (inode{}) {
		return nil
	}
	if size != f.Size {
		return fmt.Errorf("its %d bytes are %d in the package's list", size, f.Size)
	}
	u.offsets[i] = u.written
	n, err := io.Copy(u.to, u.archive)
	u.written += n
	return err
}

// strippedSize returns the bytes of a file's content in an archive that does
// not tell. Of a hard-linked file the last name has the content.
func (u *unpacking) strippedSize(i int) int64 {
	f := u.files[i]
	switch {
	case f.Kind == tree.Symlink:
		return int64(len(f.Link))
	case f.Kind != tree.File:
		return 0
	case f.inode != (inode{}):
		for _, other := range u.files[i+1:] {
			if other.inode == f.inode {
				return 0
			}
		}
	}
	return f.Size
}

// finish checks that all was there, and gives all names of a hard-linked file
// the one content.
func (u *unpacking) finish() error {
	contents := map[inode]int{}
	for i, f := range u.files {
		if f.inode == (inode{}) || u.offsets[i] < 0 {
			continue
		}
		if _, twice := contents[f.inode]; twice {
			return fmt.Errorf("payload: the content of %.200q, a hard link, stands twice", f.Path)
		}
		contents[f.inode] = i
	}
	for i, f := range u.files {
		if f.Flags&Ghost == 0 && !u.seen[i] {
			return fmt.Errorf("payload: it lacks %.200q", f.Path)
		}
		if f.inode == (inode{}) {
			continue
		}
		with, ok := contents[f.inode]
		if f.Size != 0 && (!ok || u.files[with].Size != f.Size) {
			return fmt.Errorf("payload: it lacks the content of %.200q, a hard link", f.Path)
		}
		if ok {
			u.offsets[i] = u.offsets[with]
		}
	}
	return nil
}
