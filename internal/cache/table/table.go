// Package table keeps many records in the cache, each found by its number and
// by keys: the index of a repository, of which a build looks at a few hundred
// packages of tens of thousands. Opening one costs nothing that grows with the
// records; looking up a key reads one page. It does not know what a record
// means.
//
// A table is one cache entry: the records; pages of keys, sorted, each key with
// the records it leads to; where each record begins; the first key of each
// page; a footer. Numbers are varints in the pages and in what follows them,
// and 8 bytes, little endian, elsewhere; strings have their length before them.
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"

	"smith/internal/cache/store"
)

const (
	magic      = "smithTB1"
	footerSize = len(magic) + 4*8
	// pageSize is when a page of keys is full; one long list of records can
	// make it larger.
	pageSize = 4 << 10
	// maxPart bounds what is read at once: a record, a page, the pages' keys.
	maxPart = 64 << 20
)

var errDamaged = errors.New("the table in the cache is damaged")

// A Table is open for reading, by many goroutines at once.
type Table struct {
	blob    *store.Entry
	records int64 // how many
	offsets int64 // where those of the records stand
	pages   []page
	end     int64 // of the last page
}

type page struct {
	first  string
	offset int64
}

// Open opens the table that a bucket of the cache has under a key. The error
// is fs.ErrNotExist where there is none. The caller closes the Table.
func Open(st *store.Store, bucket, key string) (*Table, error) {
	e, err := st.Open(bucket, key)
	if err != nil {
		return nil, err
	}
	t, err := open(e)
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("cannot open %s/%s in the cache: %w", bucket, key, err)
	}
	return t, nil
}

func open(e *store.Entry) (*Table, error) {
	at := e.Size() - int64(footerSize)
	foot := make([]byte, footerSize)
	if at < 0 {
		return nil, errDamaged
	}
	if _, err := e.ReadAt(foot, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(foot[:len(magic)]) != magic {
		return nil, errDamaged
	}
	number := func(i int) int64 { return int64(binary.LittleEndian.Uint64(foot[len(magic)+8*i:])) }
	t := &Table{blob: e, records: number(0), offsets: number(1), end: number(1)}
	directory, count := number(2), number(3)
	if t.records < 0 || t.offsets < 0 || t.records > at/8 || t.offsets > at-8*t.records-8 ||
		directory != t.offsets+8*(t.records+1) || at-directory > maxPart || count < 0 {
		return nil, errDamaged
	}
	data, err := t.read(directory, at)
	if err != nil {
		return nil, err
	}
	r := &reader{data: data}
	for range count {
		p := page{first: string(r.text()), offset: int64(r.number())}
		if r.bad || p.offset > t.end || len(t.pages) > 0 && p.offset < t.pages[len(t.pages)-1].offset {
			return nil, errDamaged
		}
		t.pages = append(t.pages, p)
	}
	return t, nil
}

// Close lets go of the cache entry.
func (t *Table) Close() error { return t.blob.Close() }

// Len returns the number of records.
func (t *Table) Len() int { return int(t.records) }

func (t *Table) read(from, to int64) ([]byte, error) {
	if from < 0 || to < from || to-from > maxPart {
		return nil, errDamaged
	}
	data := make([]byte, to-from)
	if n, err := t.blob.ReadAt(data, from); err != nil && n < len(data) {
		return nil, err
	}
	return data, nil
}

// Record returns a record by its number.
func (t *Table) Record(i int) ([]byte, error) {
	if i < 0 || int64(i) >= t.records {
		return nil, fmt.Errorf("record %d of %d", i, t.records)
	}
	bounds, err := t.read(t.offsets+8*int64(i), t.offsets+8*int64(i)+16)
	if err != nil {
		return nil, err
	}
	return t.read(int64(binary.LittleEndian.Uint64(bounds)), int64(binary.LittleEndian.Uint64(bounds[8:])))
}

// Find returns the records that a key leads to, in their order.
func (t *Table) Find(key string) ([]int, error) {
	n := sort.Search(len(t.pages), func(i int) bool { return t.pages[i].first > key }) - 1
	if n < 0 {
		return nil, nil
	}
	r, err := t.page(n)
	if err != nil {
		return nil, err
	}
	for len(r.data) > 0 {
		found := string(r.text())
		records := r.records()
		if r.bad {
			return nil, errDamaged
		}
		if found >= key {
			if found == key {
				return records, nil
			}
			break
		}
	}
	return nil, nil
}

func (t *Table) page(n int) (*reader, error) {
	end := t.end
	if n+1 < len(t.pages) {
		end = t.pages[n+1].offset
	}
	data, err := t.read(t.pages[n].offset, end)
	return &reader{data: data}, err
}

// Keys returns the keys that begin with a prefix, sorted. It ends early where
// the cache cannot be read, which Find would tell.
func (t *Table) Keys(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := max(0, sort.Search(len(t.pages), func(i int) bool { return t.pages[i].first > prefix })-1)
		for ; n < len(t.pages); n++ {
			r, err := t.page(n)
			for err == nil && len(r.data) > 0 {
				key := string(r.text())
				r.records()
				begins := strings.HasPrefix(key, prefix)
				if r.bad || !begins && key > prefix || begins && !yield(key) {
					return
				}
			}
		}
	}
}

// reader takes apart a page or the directory.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	text := r.data[:n]
	r.data = r.data[n:]
	return text
}

// records reads a list of record numbers, each as the distance from the last.
func (r *reader) records() []int {
	var list []int
	last := -1
	for count := r.number(); count > 0 && !r.bad; count-- {
		last += int(r.number())
		list = append(list, last)
	}
	return list
}
