// Package unpacked keeps archives in the cache in the form in which they are
// used from then on: the members' bytes one after another, and an index that
// tells where each lies. A file is a section of that entry, so nothing is ever
// unpacked into a folder. It does not know what an archive is for: image layers
// and packages of every kind are kept like this.
package unpacked

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"smith/internal/cache/store"
	"smith/internal/tree"
	"smith/record"
)

// form ends the names of buckets. It changes with the form of the index: what
// another smith kept in another is left alone.
const form = "-3"

// A CacheError is the cache's fault, not that of the archive that was read.
type CacheError struct{ Err error }

// Error returns what the cache says.
func (e *CacheError) Error() string { return e.Err.Error() }

// Unwrap returns it.
func (e *CacheError) Unwrap() error { return e.Err }

// A Writer takes in an archive. Its errors are *CacheError where the cache
// fails.
type Writer struct {
	entry *store.Writer
	size  int64
	tail  int64 // where sparse files begin; 0 where no tar was read
	index *indexWriter
}

// Create begins an archive in a bucket of the cache. The caller calls Discard
// when done with the Writer, also after Commit.
func Create(st *store.Store, bucket string) (*Writer, error) {
	entry, err := st.Create(bucket + form)
	if err != nil {
		return nil, &CacheError{err}
	}
	return &Writer{entry: entry, index: newIndexWriter()}, nil
}

// Write adds bytes to the blob that the index points into.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.entry.Write(p)
	w.size += int64(n)
	if err != nil {
		err = &CacheError{err}
	}
	return n, err
}

// Size returns how many bytes were written.
func (w *Writer) Size() int64 { return w.size }

// Add adds an entry to the index; offset is where a file's bytes begin in the
// blob. Its content is not looked at.
func (w *Writer) Add(e tree.Entry, offset int64) error { return w.index.add(e, offset, "") }

// Commit puts the archive into the cache under a key and opens it. The caller
// closes the Archive.
func (w *Writer) Commit(key string) (*Archive, error) {
	if w.tail == 0 {
		w.tail = w.size
	}
	footer := binary.LittleEndian.AppendUint64(w.index.data, uint64(w.tail))
	footer = binary.LittleEndian.AppendUint64(footer, uint64(w.size))
	if _, err := w.entry.Write(footer); err != nil {
		return nil, &CacheError{err}
	}
	entry, err := w.entry.Commit(key)
	if err != nil {
		return nil, &CacheError{err}
	}
	a, err := newArchive(entry, key)
	if err != nil {
		entry.Close()
		return nil, &CacheError{err}
	}
	return a, nil
}

// Discard lets go of an archive that was not committed. It may be called more
// than once, and after Commit.
func (w *Writer) Discard() error { return w.entry.Discard() }

// An Archive is open for reading. The nodes that Entries returned can be read
// until Close.
type Archive struct {
	entry *store.Entry
	key   string
	size  int64 // of the blob
	tail  int64 // where sparse files begin in it
}

// Open returns an archive from the cache. The error is fs.ErrNotExist where it
// is not there.
func Open(st *store.Store, bucket, key string) (*Archive, error) {
	entry, err := st.Open(bucket+form, key)
	if err != nil {
		return nil, err
	}
	a, err := newArchive(entry, key)
	if err != nil {
		entry.Close()
		return nil, fmt.Errorf("cannot open %s %s in the cache: %w", bucket, key, err)
	}
	return a, nil
}

// footerSize is that of an entry's end: where sparse files begin in its blob, and
// the blob's length.
const footerSize = 16

func newArchive(entry *store.Entry, key string) (*Archive, error) {
	var footer [footerSize]byte
	at := entry.Size() - footerSize
	if at < 0 {
		return nil, errIndex
	}
	if _, err := entry.ReadAt(footer[:], at); err != nil {
		return nil, err
	}
	tail, size := binary.LittleEndian.Uint64(footer[:]), binary.LittleEndian.Uint64(footer[8:])
	if size > uint64(at) || uint64(at)-size > maxIndex || tail > size {
		return nil, errIndex
	}
	return &Archive{entry: entry, key: key, size: int64(size), tail: int64(tail)}, nil
}

// Size returns the length of what Blob returns.
func (a *Archive) Size() int64 { return a.tail }

// Blob returns the bytes that were written: the plain tar where ReadTar read one.
func (a *Archive) Blob() *io.SectionReader { return io.NewSectionReader(a.entry, 0, a.tail) }

// Entries returns the members in their order. All nodes are new and have the
// given origin; sections of the blob are known by the archive's key.
func (a *Archive) Entries(origin *record.Origin) ([]tree.Entry, error) {
	data := make([]byte, a.entry.Size()-footerSize-a.size)
	if _, err := a.entry.ReadAt(data, a.size); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	entries, err := decodeIndex(data, &blob{a.entry, a.size, a.tail, a.key}, origin)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s from the cache: %w", a.key, err)
	}
	return entries, nil
}

// Close lets go of the cache entry.
func (a *Archive) Close() error { return a.entry.Close() }
