package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smith/internal/cache/store"
)

// A Writer collects a table. Records go to the cache as they come; the keys
// stay in memory until Commit.
type Writer struct {
	w       *store.Writer
	buffer  []byte
	offsets []int64
	keys    []reference
	text    []byte // of all keys, one after the other
}

// A reference is a key that leads to a record.
type reference struct {
	start, length, record uint32
}

const (
	// maxText bounds the bytes of all keys: the largest distributions have 100 MB.
	maxText    = 1 << 30
	maxRecords = 16 << 20
	flushSize  = 1 << 20
)

// NewWriter begins a table in a bucket of the cache. The caller calls Discard
// when done with it, also after Commit.
func NewWriter(st *store.Store, bucket string) (*Writer, error) {
	w, err := st.Create(bucket)
	if err != nil {
		return nil, err
	}
	return &Writer{w: w}, nil
}

// Discard lets go of a table that was not committed.
func (w *Writer) Discard() { _ = w.w.Discard() }

// Add adds a record, and keys that lead to it.
func (w *Writer) Add(record []byte, keys ...string) error {
	if len(record) > maxPart || len(w.offsets) >= maxRecords {
		return fmt.Errorf("record %d of %d bytes is more than an index holds", len(w.offsets), len(record))
	}
	number := uint32(len(w.offsets))
	w.offsets = append(w.offsets, w.size())
	w.buffer = append(w.buffer, record...)
	for _, key := range keys {
		if len(w.text)+len(key) > maxText {
			return fmt.Errorf("more than %d bytes of names are more than an index holds", maxText)
		}
		w.keys = append(w.keys, reference{uint32(len(w.text)), uint32(len(key)), number})
		w.text = append(w.text, key...)
	}
	return w.flush(flushSize)
}

func (w *Writer) size() int64 { return w.w.Size() + int64(len(w.buffer)) }

// flush writes the buffer where it is as large as that.
func (w *Writer) flush(size int) error {
	if len(w.buffer) < size {
		return nil
	}
	_, err := w.w.Write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

func (w *Writer) key(r reference) []byte { return w.text[r.start : r.start+r.length] }

// Commit puts the table into the cache under a key and opens it. The caller
// closes the Table.
func (w *Writer) Commit(key string) (*Table, error) {
	w.offsets = append(w.offsets, w.size())
	slices.SortFunc(w.keys, func(a, b reference) int {
		if c := strings.Compare(string(w.key(a)), string(w.key(b))); c != 0 {
			return c
		}
		return int(a.record) - int(b.record)
	})
	directory, pages, err := w.writePages()
	if err != nil {
		return nil, err
	}
	offsets := w.size()
	for _, offset := range w.offsets {
		w.buffer = binary.LittleEndian.AppendUint64(w.buffer, uint64(offset))
	}
	at := w.size()
	w.buffer = append(append(w.buffer, directory...), magic...)
	for _, n := range []int64{int64(len(w.offsets) - 1), offsets, at, int64(pages)} {
		w.buffer = binary.LittleEndian.AppendUint64(w.buffer, uint64(n))
	}
	if err := w.flush(0); err != nil {
		return nil, err
	}
	e, err := w.w.Commit(key)
	if err != nil {
		return nil, err
	}
	t, err := open(e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return t, nil
}

// writePages writes the keys, and returns the first of each page.
func (w *Writer) writePages() (directory []byte, pages int, err error) {
	start := int64(0)
	for i := 0; i < len(w.keys); {
		n := i + 1
		for n < len(w.keys) && string(w.key(w.keys[n])) == string(w.key(w.keys[i])) {
			n++
		}
		if pages == 0 || w.size()-start > pageSize {
			pages, start = pages+1, w.size()
			directory = appendText(directory, w.key(w.keys[i]))
			directory = binary.AppendUvarint(directory, uint64(start))
		}
		w.buffer = appendText(w.buffer, w.key(w.keys[i]))
		w.buffer = appendRecords(w.buffer, w.keys[i:n])
		if err := w.flush(flushSize); err != nil {
			return nil, 0, err
		}
		i = n
	}
	return directory, pages, nil
}

func appendText(to, text []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// appendRecords appends the records of one key, each once.
func appendRecords(to []byte, keys []reference) []byte {
	keys = slices.CompactFunc(keys, func(a, b reference) bool { return a.record == b.record })
	to = binary.AppendUvarint(to, uint64(len(keys)))
	last := -1
	for _, k := range keys {
		to = binary.AppendUvarint(to, uint64(int(k.record)-last))
		last = int(k.record)
	}
	return to
}
