package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// An entry's file is its bytes, a CRC-32C for each block of them, and a
// trailer: magic, length (8 bytes, little endian), CRC-32C of the table, the
// length and the name "bucket/key" (4 bytes).
const (
	blockSize     = 64 << 10
	magic         = "smithCE1"
	trailerSize   = len(magic) + 8 + 4
	checkedAtOpen = 1 << 20 // entries up to this size are checked whole when opened
)

// ErrDamaged says that an entry does not hold what was written. It is no longer
// in the cache: to try again is to do without it.
var ErrDamaged = errors.New("the cache entry is damaged and was taken away")

func castagnoli(crc uint32, p []byte) uint32 {
	return crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), p)
}

// A Writer takes the bytes of a new entry. It is not buffered.
type Writer struct {
	store  *Store
	bucket string
	file   *os.File // nil after Commit or Discard
	size   int64
	crc    uint32 // of the block under way
	table  []byte
	err    error
}

// Create begins a new entry. The caller calls Discard when done with the
// Writer, also after Commit.
func (s *Store) Create(bucket string) (*Writer, error) {
	if err := checkName(bucket); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, tempDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, writeError(err)
	}
	f, err := os.CreateTemp(dir, "*")
	if err != nil {
		return nil, writeError(err)
	}
	return &Writer{store: s, bucket: bucket, file: f}, nil
}

// writeError adds what helps against the two common reasons.
func writeError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("cannot write to the cache: %w; smith cache --prune makes room, --cache-dir names another folder", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot write to the cache: %w; --cache-dir names another folder", err)
	}
	return fmt.Errorf("cannot write to the cache: %w", err)
}

// Write adds bytes to the entry.
func (w *Writer) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, fs.ErrClosed
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.sum(p[:n])
	if err != nil {
		w.err = writeError(err)
	}
	return n, w.err
}

func (w *Writer) sum(p []byte) {
	for len(p) > 0 {
		part := p[:min(int64(len(p)), blockSize-w.size%blockSize)]
		w.crc = castagnoli(w.crc, part)
		if w.size += int64(len(part)); w.size%blockSize == 0 {
			w.endBlock()
		}
		p = p[len(part):]
	}
}

func (w *Writer) endBlock() {
	w.table = binary.LittleEndian.AppendUint32(w.table, w.crc)
	w.crc = 0
}

// Size returns the number of bytes written so far.
func (w *Writer) Size() int64 { return w.size }

// Commit puts the entry into the store under a key and opens it. Where the
// key has an entry already, that one is kept and opened: entries of one key
// are taken to be equal. The caller closes the entry.
func (w *Writer) Commit(key string) (*Entry, error) { return w.commit(key, false) }

// CommitAs is Commit to another bucket, in place of what the key has there: for
// what was begun as one thing and has become another.
func (w *Writer) CommitAs(bucket, key string) (*Entry, error) {
	if err := checkName(bucket); err != nil {
		return nil, err
	}
	w.bucket = bucket
	return w.commit(key, true)
}

func (w *Writer) commit(key string, replace bool) (*Entry, error) {
	if w.file == nil {
		return nil, fs.ErrClosed
	}
	if w.err != nil {
		return nil, w.err
	}
	path, err := w.store.path(w.bucket, key)
	if err != nil {
		return nil, err
	}
	if !replace {
		if e, err := w.store.Open(w.bucket, key); err == nil {
			return e, nil
		}
	}
	if w.size%blockSize != 0 {
		w.endBlock()
	}
	trailer := binary.LittleEndian.AppendUint64([]byte(magic), uint64(w.size))
	trailer = binary.LittleEndian.AppendUint32(trailer, seal(w.table, w.size, w.bucket+"/"+key))
	if _, err := w.file.Write(append(w.table, trailer...)); err != nil {
		w.err = writeError(err)
		return nil, w.err
	}
	return w.place(path)
}

// seal sums what a trailer vouches for.
func seal(table []byte, size int64, name string) uint32 {
	crc := castagnoli(0, table)
	crc = castagnoli(crc, binary.LittleEndian.AppendUint64(nil, uint64(size)))
	return castagnoli(crc, []byte(name))
}

// place renames the finished file. It stays open where the system allows, so
// that no Prune can come in between.
func (w *Writer) place(path string) (*Entry, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, writeError(err)
	}
	f := w.file
	if runtime.GOOS == "windows" { // an open file cannot be renamed there
		if err := f.Close(); err != nil {
			return nil, writeError(err)
		}
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, writeError(err)
	}
	w.file = nil
	if runtime.GOOS == "windows" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("cannot open the cache entry: %w", err)
		}
	}
	e := newEntry(f, path, w.table, w.size)
	for i := range e.seen {
		e.seen[i].Store(^uint32(0)) // just written: nothing to check
	}
	return e, nil
}

// Discard lets go of an entry that was not committed. It may be called more
// than once, and after Commit.
func (w *Writer) Discard() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	f.Close()
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return writeError(err)
	}
	return nil
}

// An Entry is the bytes of an entry, open for reading, by many goroutines at
// once. It stays readable when it is pruned or replaced meanwhile.
type Entry struct {
	file  *os.File
	path  string
	size  int64
	table []byte
	seen  []atomic.Uint32 // a bit for each block that was found good
}

var _ interface {
	io.ReaderAt
	io.Closer
} = (*Entry)(nil)

func newEntry(f *os.File, path string, table []byte, size int64) *Entry {
	return &Entry{file: f, path: path, table: table, size: size, seen: make([]atomic.Uint32, (len(table)/4+31)/32)}
}

// readEntry reads the trailer of an entry and checks it.
func readEntry(f *os.File, path, name string) (*Entry, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot open the cache entry: %w", err)
	}
	rest := info.Size() - int64(trailerSize)
	if rest < 0 || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	trailer := make([]byte, trailerSize)
	if _, err := f.ReadAt(trailer, rest); err != nil {
		return nil, fmt.Errorf("cannot open the cache entry: %w", err)
	}
	size := int64(binary.LittleEndian.Uint64(trailer[len(magic):]))
	if string(trailer[:len(magic)]) != magic || size < 0 || size > rest || size+(size+blockSize-1)/blockSize*4 != rest {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	table := make([]byte, rest-size)
	if _, err := f.ReadAt(table, size); err != nil {
		return nil, fmt.Errorf("cannot open the cache entry: %w", err)
	}
	if binary.LittleEndian.Uint32(trailer[len(magic)+8:]) != seal(table, size, name) {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	e := newEntry(f, path, table, size)
	if size <= checkedAtOpen {
		return e, e.check()
	}
	return e, nil
}

// Size returns the number of bytes.
func (e *Entry) Size() int64 { return e.size }

// File returns the file that begins with the entry's bytes, for who has the
// system move them and has them checked by other means. To close it is to close
// the entry.
func (e *Entry) File() *os.File { return e.file }

// Close ends the reading.
func (e *Entry) Close() error { return e.file.Close() }

// ReadAt reads as io.ReaderAt says. Each block is checked when it is first
// read; a damaged one takes the entry out of the cache and is an error.
func (e *Entry) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("cannot read the cache entry: negative offset")
	}
	for n < len(p) && off < e.size {
		part := p[n:]
		if known := e.known(off, int64(len(part))); known > 0 {
			part = part[:known]
			_, err = e.file.ReadAt(part, off)
		} else {
			part = part[:min(int64(len(part)), blockSize-off%blockSize, e.size-off)]
			err = e.first(part, off)
		}
		if err != nil {
			return n, err
		}
		n += len(part)
		off += int64(len(part))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// known returns how many of the bytes at an offset lie in blocks that were
// found good, up to the first that was not.
func (e *Entry) known(off, most int64) int64 {
	most = min(most, e.size-off)
	for i := off / blockSize; i*blockSize < off+most; i++ {
		if e.seen[i/32].Load()&(1<<(i%32)) == 0 {
			return max(0, i*blockSize-off)
		}
	}
	return most
}

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// first reads bytes of one block, and checks all of it.
func (e *Entry) first(p []byte, off int64) error {
	i := off / blockSize
	start, block := i*blockSize, p
	if size := min(blockSize, e.size-start); int64(len(p)) < size {
		buffer := blocks.Get().(*[blockSize]byte)
		defer blocks.Put(buffer)
		block = buffer[:size]
	}
	_, err := e.file.ReadAt(block, start)
	if err != nil && err != io.EOF {
		return fmt.Errorf("cannot read the cache entry: %w", err)
	}
	if err != nil || castagnoli(0, block) != binary.LittleEndian.Uint32(e.table[i*4:]) {
		os.Remove(e.path)
		return fmt.Errorf("%s: %w", e.path, ErrDamaged)
	}
	e.seen[i/32].Or(1 << (i % 32))
	if len(block) > len(p) {
		copy(p, block[off-start:])
	}
	return nil
}

// check checks the whole entry.
func (e *Entry) check() error {
	for start := int64(0); start < e.size; start += blockSize {
		if err := e.first(nil, start); err != nil {
			return err
		}
	}
	return nil
}
