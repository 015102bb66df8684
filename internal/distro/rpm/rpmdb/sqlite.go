package rpmdb

import (
	"encoding/binary"
	"fmt"
)

// The part of SQLite's file format (https://sqlite.org/fileformat2.html) that
// tables without indexes need. What it writes depends on the rows alone.
const (
	pageSize   = 4096
	headerSize = 100 // of the file, at the beginning of its first page

	leafPage     = 0x0d
	interiorPage = 0x05
	leafHead     = 8
	interiorHead = 12
)

// A value is an integer (int64), a text (string), a blob ([]byte), or nil.
type value any

// A database collects tables.
type database struct {
	pages  [][]byte // the first is left empty until the end
	schema []row
}

// A row is a record and its number.
type row struct {
	id   int64
	data []byte
}

func newDatabase() *database { return &database{pages: [][]byte{nil}} }

// add adds a table with its rows, whose numbers rise.
func (d *database) add(name, sql string, rows []row) {
	root := d.tree(rows, false)
	d.schema = append(d.schema, row{int64(len(d.schema) + 1), record("table", name, name, int64(root), sql)})
}

// bytes returns the file.
func (d *database) bytes() []byte {
	d.tree(d.schema, true)
	first := d.pages[0]
	copy(first, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(first[16:], pageSize)
	first[18], first[19] = 1, 1                  // written and read without a write-ahead log
	first[21], first[22], first[23] = 64, 32, 32 // fixed
	binary.BigEndian.PutUint32(first[24:], 1)    // changes
	binary.BigEndian.PutUint32(first[28:], uint32(len(d.pages)))
	binary.BigEndian.PutUint32(first[40:], 1)         // schema's changes
	binary.BigEndian.PutUint32(first[44:], 4)         // schema's format
	binary.BigEndian.PutUint32(first[56:], 1)         // UTF-8
	binary.BigEndian.PutUint32(first[92:], 1)         // changes at which the next was written
	binary.BigEndian.PutUint32(first[96:], 3_040_000) // by this version
	file := make([]byte, 0, len(d.pages)*pageSize)
	for _, p := range d.pages {
		file = append(file, p...)
	}
	return file
}

// page adds an empty page and returns its number.
func (d *database) page() int {
	d.pages = append(d.pages, make([]byte, pageSize))
	return len(d.pages)
}

// record returns values in the format of records.
func record(values ...value) []byte {
	var types, body []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			types = append(types, 0)
		case int64:
			types = append(types, 6)
			body = binary.BigEndian.AppendUint64(body, uint64(v))
		case string:
			types = appendVarint(types, uint64(13+2*len(v)))
			body = append(body, v...)
		case []byte:
			types = appendVarint(types, uint64(12+2*len(v)))
			body = append(body, v...)
		default:
			panic(fmt.Sprintf("no value for SQLite: %T", v))
		}
	}
	size := len(types) + 1
	if size > 0x7f {
		size++
	}
	return append(append(appendVarint(nil, uint64(size)), types...), body...)
}

// appendVarint appends a number, seven bits a byte, the highest first. None
// here needs the nine bytes of the format's last form.
func appendVarint(to []byte, n uint64) []byte {
	var digits [9]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte(n & 0x7f)
		if i < len(digits)-1 {
			digits[i] |= 0x80
		}
		if n >>= 7; n == 0 {
			return append(to, digits[i:]...)
		}
	}
}

// cell returns a row as a leaf holds it. What is too large for a page goes on
// in pages of its own.
func (d *database) cell(r row) []byte {
	const most = pageSize - 35
	const least = (pageSize-12)*32/255 - 23
	c := appendVarint(nil, uint64(len(r.data)))
	c = appendVarint(c, uint64(r.id))
	local := len(r.data)
	if local > most {
		local = least + (len(r.data)-least)%(pageSize-4)
		if local > most {
			local = least
		}
	}
	c = append(c, r.data[:local]...)
	if local < len(r.data) {
		c = binary.BigEndian.AppendUint32(c, uint32(d.overflow(r.data[local:])))
	}
	return c
}

// overflow writes the rest of a record and returns its first page.
func (d *database) overflow(rest []byte) int {
	first, last := 0, 0
	for len(rest) > 0 {
		n := d.page()
		if first == 0 {
			first = n
		} else {
			binary.BigEndian.PutUint32(d.pages[last-1], uint32(n))
		}
		rest = rest[copy(d.pages[n-1][4:], rest):]
		last = n
	}
	return first
}

// A child is a page, and the highest number in it.
type child struct {
	page int
	last int64
}

// tree writes the rows as a table and returns the page of its root, which is
// the first of the file for the schema.
func (d *database) tree(rows []row, first bool) int {
	var cells [][]byte
	for _, r := range rows {
		cells = append(cells, d.cell(r))
	}
	groups := grouped(cells, leafHead, first)
	if len(groups) == 1 {
		return d.write(first, leafPage, groups[0], 0)
	}
	var children []child
	at := 0
	for _, g := range groups {
		at += len(g)
		children = append(children, child{d.write(false, leafPage, g, 0), rows[at-1].id})
	}
	for {
		cells = cells[:0]
		for _, c := range children {
			cells = append(cells, appendVarint(binary.BigEndian.AppendUint32(nil, uint32(c.page)), uint64(c.last)))
		}
		groups = noneAlone(grouped(cells, interiorHead, first))
		var parents []child
		at = 0
		for _, g := range groups { // the last child is the page's right-most pointer
			at += len(g)
			last := children[at-1]
			parents = append(parents, child{d.write(first && len(groups) == 1, interiorPage, g[:len(g)-1], last.page), last.last})
		}
		if children = parents; len(children) == 1 {
			return children[0].page
		}
	}
}

// grouped splits cells so that each group fits a page, with what the first
// page of the file has beside them.
func grouped(cells [][]byte, head int, first bool) [][][]byte {
	room := pageSize - head
	if first {
		room -= headerSize
	}
	groups := [][][]byte{nil}
	left := room
	for _, c := range cells {
		if need := len(c) + 2; need > left {
			groups, left = append(groups, nil), room-need
		} else {
			left -= need
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], c)
	}
	return groups
}

// noneAlone gives a last group of one cell another: an interior page without
// any is not allowed.
func noneAlone(groups [][][]byte) [][][]byte {
	if last := len(groups) - 1; last > 0 && len(groups[last]) == 1 {
		before := groups[last-1]
		groups[last] = append([][]byte{before[len(before)-1]}, groups[last]...)
		groups[last-1] = before[:len(before)-1]
	}
	return groups
}

// write writes one page and returns its number.
func (d *database) write(first bool, kind byte, cells [][]byte, right int) int {
	n, at := 1, 0
	if first {
		d.pages[0], at = make([]byte, pageSize), headerSize
	} else {
		n = d.page()
	}
	p := d.pages[n-1]
	head := leafHead
	if kind == interiorPage {
		head = interiorHead
		binary.BigEndian.PutUint32(p[at+8:], uint32(right))
	}
	end := pageSize
	for i, c := range cells {
		end -= len(c)
		copy(p[end:], c)
		binary.BigEndian.PutUint16(p[at+head+2*i:], uint16(end))
	}
	p[at] = kind
	binary.BigEndian.PutUint16(p[at+3:], uint16(len(cells)))
	binary.BigEndian.PutUint16(p[at+5:], uint16(end))
	return n
}
