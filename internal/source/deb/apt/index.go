package apt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"

	"smith/internal/source/deb/control"
	"smith/internal/store"
)

// An Index is the packages of one Packages file, in its order, read from the
// cache: names are looked up in tables, and a package's paragraph is read when
// somebody asks for it. It is safe for many goroutines.
type Index struct {
	// Release is what vouches for the packages.
	Release *Release
	// Component is "main" and the like, "" in a flat repository.
	Component string
	// Source is the entry of the configuration that offers them.
	Source *Source

	blob    io.ReaderAt
	close   func() error
	offsets table  // of the paragraphs, and their end
	names   table  // of the names in text, and their end
	refs    table  // of the names' packages in list, and their end
	text    []byte // all names, sorted
	list    table  // packages by name
}

// A table is numbers of 4 bytes.
type table []byte

func (t table) len() int        { return len(t) / 4 }
func (t table) at(i int) uint32 { return binary.LittleEndian.Uint32(t[4*i:]) }

// provided marks, in the list, a package that provides the name and is not
// called so.
const provided = 1 << 31

// essential is the name under which the list has the essential packages; no
// package can be called so.
const essential = "/essential"

// footer ends an index: magic, then the number of packages, of names, of bytes
// of names, and of entries of the list. The paragraphs stand first, the tables
// between.
const (
	indexMagic  = "smithDI2"
	indexFooter = len(indexMagic) + 4*4
)

var errIndex = errors.New("the cache holds an index of another form")

// openIndex reads the tables of an index.
func openIndex(e *store.Entry) (*Index, error) {
	x := &Index{blob: e, close: e.Close}
	foot := make([]byte, indexFooter)
	start := e.Size() - int64(indexFooter)
	if start < 0 {
		return nil, errIndex
	}
	if _, err := e.ReadAt(foot, start); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(foot[:len(indexMagic)]) != indexMagic {
		return nil, errIndex
	}
	counts := table(foot[len(indexMagic):])
	packages, names, bytes, entries := int64(counts.at(0)), int64(counts.at(1)), int64(counts.at(2)), int64(counts.at(3))
	size := 4*(packages+1) + 4*(names+1) + 4*(names+1) + bytes + 4*entries
	if size > start {
		return nil, errIndex
	}
	data := make([]byte, size)
	if _, err := e.ReadAt(data, start-size); err != nil {
		return nil, err
	}
	take := func(n int64) []byte {
		part := data[:n:n]
		data = data[n:]
		return part
	}
	x.offsets, x.names, x.refs = take(4*(packages+1)), take(4*(names+1)), take(4*(names+1))
	x.text, x.list = take(bytes), take(4*entries)
	return x, nil
}

// Close lets go of the cache entry.
func (x *Index) Close() error { return x.close() }

// Len returns the number of packages.
func (x *Index) Len() int { return x.offsets.len() - 1 }

// Paragraph returns what the index says of package i. Fields that only people
// read, such as Description, are left out.
func (x *Index) Paragraph(i int) (control.Paragraph, error) {
	from, to := x.offsets.at(i), x.offsets.at(i+1)
	if to < from || to-from > control.MaxParagraph {
		return nil, errIndex
	}
	text := make([]byte, to-from)
	if _, err := x.blob.ReadAt(text, int64(from)); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot read the index of %s: %w", x.Source, err)
	}
	p, err := control.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("cannot read the index of %s: %w", x.Source, err)
	}
	return p, nil
}

// Named returns the packages that are called so, in the order of the index.
func (x *Index) Named(name string) []int { return x.find(name, 0) }

// Essential returns the packages that every system of the distribution has
// (Debian Policy, 3.8), in the order of the index.
func (x *Index) Essential() []int { return x.find(essential, provided) }

// Providers returns the packages that provide a name, with or without a
// version, in the order of the index.
func (x *Index) Providers(name string) []int { return x.find(name, provided) }

func (x *Index) find(name string, mark uint32) []int {
	count := x.names.len() - 1
	n := sort.Search(count, func(n int) bool { return string(x.nameBytes(n)) >= name })
	if n == count || x.name(n) != name {
		return nil
	}
	var found []int
	for r := x.refs.at(n); r < x.refs.at(n+1); r++ {
		if ref := x.list.at(int(r)); ref&provided == mark {
			found = append(found, int(ref&^provided))
		}
	}
	return found
}

func (x *Index) name(n int) string { return string(x.nameBytes(n)) }

func (x *Index) nameBytes(n int) []byte { return x.text[x.names.at(n):x.names.at(n+1)] }

// Names returns all names of packages, and those that they provide, sorted.
func (x *Index) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := range x.names.len() - 1 {
			if name := x.name(n); name != essential && !yield(name) {
				return
			}
		}
	}
}

// String names the index as messages do: "bookworm/main amd64".
func (x *Index) String() string {
	return strings.Trim(x.Source.Suite+"/"+x.Component, "/")
}
