package unpacked

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"smith/internal/tree"
	"smith/record"
)

// Limits of what an archive may hold. They are far above what images hold, and
// keep what a hostile one can ask for within what a machine can bear.
const (
	maxEntries = 2_000_000
	maxName    = 4096      // PATH_MAX: bytes of a name or of a link's target
	maxIndex   = 256 << 20 // bytes
)

// errIndex says that a cache entry was not written by this package.
var errIndex = errors.New("the archive's index is damaged")

// indexMagic begins the index and names its version.
const indexMagic = "smithTI3"

// hardlink is the kind of an entry that is another name of a file.
const hardlink tree.Kind = 0xff

// An indexWriter collects the index of an archive. A record is: kind, path,
// then for a hard link its target; else mode, uid, gid, seconds, nanoseconds,
// for a file offset, size and first bytes, for a link its target, and the
// extended attributes by name. Numbers are varints, strings have their length before
// them.
type indexWriter struct {
	data  []byte
	count int
}

func newIndexWriter() *indexWriter { return &indexWriter{data: []byte(indexMagic)} }

func (w *indexWriter) uint(v uint64) { w.data = binary.AppendUvarint(w.data, v) }
func (w *indexWriter) int(v int64)   { w.data = binary.AppendVarint(w.data, v) }
func (w *indexWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.data = append(w.data, s...)
}

// headSize is how many of a file's first bytes the index tells: what an ELF file
// is known by.
const headSize = 4

// sparse is the kind of a file whose bytes are behind the tar; its offset counts
// from there.
const sparse tree.Kind = 0xfe

// addSparse appends a sparse file.
func (w *indexWriter) addSparse(e tree.Entry, offset int64, head string) error {
	at := len(w.data)
	if err := w.add(e, offset, head); err != nil {
		return err
	}
	w.data[at] = byte(sparse)
	return nil
}

// add appends an entry; offset is where a file's bytes begin, head how.
func (w *indexWriter) add(e tree.Entry, offset int64, head string) error {
	if len(e.Path) > maxName || len(e.Hardlink) > maxName || e.Node != nil && len(e.Node.Link) > maxName {
		return fmt.Errorf("its name or link is longer than %d bytes", maxName)
	}
	if w.count++; w.count > maxEntries {
		return fmt.Errorf("the archive holds more than %d entries", maxEntries)
	}
	if n := e.Node; n == nil {
		w.data = append(w.data, byte(hardlink))
		w.string(e.Path)
		w.string(e.Hardlink)
	} else {
		w.data = append(w.data, byte(n.Kind))
		w.string(e.Path)
		w.node(n, offset, head)
	}
	if len(w.data) > maxIndex {
		return fmt.Errorf("the archive's index is larger than %d bytes", maxIndex)
	}
	return nil
}

func (w *indexWriter) node(n *tree.Node, offset int64, head string) {
	w.uint(uint64(n.Mode))
	w.int(int64(n.UID))
	w.int(int64(n.GID))
	w.int(n.ModTime.Unix())
	w.uint(uint64(n.ModTime.Nanosecond()))
	switch n.Kind {
	case tree.File:
		w.uint(uint64(offset))
		w.uint(uint64(n.Size))
		w.string(head)
	case tree.Symlink:
		w.string(n.Link)
	}
	w.uint(uint64(len(n.Xattrs)))
	for _, name := range slices.Sorted(maps.Keys(n.Xattrs)) {
		w.string(name)
		w.string(n.Xattrs[name])
	}
}

// An indexReader takes an index apart. After a failure every value is zero.
type indexReader struct {
	data []byte
	text string // the same bytes: all strings are parts of it
	at   int
	err  error
}

func (r *indexReader) fail() {
	r.err = errIndex
	r.at = len(r.data)
}

func (r *indexReader) byte() byte {
	if r.at >= len(r.data) {
		r.fail()
		return 0
	}
	r.at++
	return r.data[r.at-1]
}

func (r *indexReader) uint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

func (r *indexReader) int() int64 {
	v, n := binary.Varint(r.data[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

func (r *indexReader) string() string {
	n := r.uint()
	if n > uint64(len(r.data)-r.at) {
		r.fail()
		return ""
	}
	r.at += int(n)
	return r.text[r.at-int(n) : r.at]
}

// A blob is what an index points into.
type blob struct {
	io.ReaderAt
	size int64
	tail int64 // where sparse files begin
	of   string
}

// decodeIndex reads an index. The contents of files are sections of the blob.
func decodeIndex(data []byte, b *blob, origin *record.Origin) ([]tree.Entry, error) {
	if len(data) < len(indexMagic) || string(data[:len(indexMagic)]) != indexMagic {
		return nil, errIndex
	}
	r := &indexReader{data: data, text: string(data), at: len(indexMagic)}
	var entries []tree.Entry
	for r.at < len(data) {
		kind := tree.Kind(r.byte())
		e := tree.Entry{Path: r.string()}
		if kind == hardlink {
			e.Hardlink = r.string()
		} else {
			e.Node = r.node(kind, b)
			e.Node.Origin = origin
		}
		if r.err != nil {
			return nil, r.err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (r *indexReader) node(kind tree.Kind, b *blob) *tree.Node {
	var base uint64
	if kind == sparse {
		kind, base = tree.File, uint64(b.tail)
	}
	n := &tree.Node{Kind: kind, Mode: uint32(r.uint()), UID: int(r.int()), GID: int(r.int())}
	n.ModTime = time.Unix(r.int(), int64(r.uint())).UTC()
	switch kind {
	case tree.File:
		offset, length, head := r.uint()+base, r.uint(), r.string()
		if offset < base || offset > uint64(b.size) || length > uint64(b.size)-offset || uint64(len(head)) > min(length, headSize) {
			r.fail()
			return n
		}
		if n.Size = int64(length); length > 0 {
			n.Content = tree.Section{Blob: b, Offset: int64(offset), Size: int64(length), Of: b.of, Head: head}
		}
	case tree.Symlink:
		n.Link = r.string()
	case tree.Dir, tree.Device, tree.FIFO:
	default:
		r.fail()
	}
	for count := r.uint(); count > 0 && r.err == nil; count-- {
		if n.Xattrs == nil {
			n.Xattrs = map[string]string{}
		}
		name := r.string()
		n.Xattrs[name] = r.string()
	}
	return n
}
