package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"smith/internal/distro/rpm/rpmfile"
)

// errDamaged is a database in which something is not where it must be.
var errDamaged = errors.New("not a valid SQLite database")

// maxDepth bounds how deep the pages of a table are nested: SQLite's own limit.
const maxDepth = 20

// A reader reads tables of a SQLite file.
type reader struct {
	file     []byte
	pageSize int
	usable   int // of a page
	seen     map[uint32]bool
}

// Read returns the headers of the packages in a rpmdb.sqlite, in its order.
func Read(file []byte) ([]*rpmfile.Header, error) {
	r, err := newReader(file)
	if err != nil {
		return nil, err
	}
	var root uint32
	err = r.table(1, 0, func(record []byte) error {
		values, err := columns(record)
		if err != nil || len(values) < 4 {
			return errors.Join(err, errDamaged)
		}
		if string(values[0]) == "table" && string(values[1]) == "Packages" {
			root = uint32(number(values[3]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if root == 0 {
		return nil, errors.New("not a database of rpm: it has no table Packages")
	}
	var headers []*rpmfile.Header
	err = r.table(root, 0, func(record []byte) error {
		values, err := columns(record)
		if err != nil || len(values) < 2 {
			return errors.Join(err, errDamaged)
		}
		h, err := rpmfile.ParseInstalled(values[1])
		if err != nil {
			return fmt.Errorf("header %d: %w", len(headers)+1, err)
		}
		headers = append(headers, h)
		return nil
	})
	return headers, err
}

func newReader(file []byte) (*reader, error) {
	if len(file) < headerSize || !bytes.HasPrefix(file, []byte("SQLite format 3\x00")) {
		return nil, errDamaged
	}
	size := int(binary.BigEndian.Uint16(file[16:]))
	if size == 1 {
		size = 1 << 16
	}
	r := &reader{file: file, pageSize: size, usable: size - int(file[20]), seen: map[uint32]bool{}}
	if size < 512 || size&(size-1) != 0 || r.usable < 480 {
		return nil, errDamaged
	}
	return r, nil
}

// page returns a page. Each is used once, so that no file makes the reader go
// in circles.
func (r *reader) page(n uint32) ([]byte, error) {
	end := int64(n) * int64(r.pageSize)
	if n == 0 || end > int64(len(r.file)) || r.seen[n] {
		return nil, errDamaged
	}
	r.seen[n] = true
	return r.file[end-int64(r.pageSize) : end][:r.usable], nil
}

// table calls fn with each record of a table, in the order of their numbers.
func (r *reader) table(root uint32, depth int, fn func(record []byte) error) error {
	if depth > maxDepth {
		return errDamaged
	}
	p, err := r.page(root)
	if err != nil {
		return err
	}
	head := p
	if root == 1 {
		head = p[headerSize:]
	}
	cells := int(binary.BigEndian.Uint16(head[3:]))
	size := map[byte]int{leafPage: leafHead, interiorPage: interiorHead}[head[0]]
	if size == 0 || size+2*cells > len(head) {
		return errDamaged
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(head[size+2*i:]))
		if at+4 > len(p) {
			return errDamaged
		}
		if head[0] == interiorPage {
			err = r.table(binary.BigEndian.Uint32(p[at:]), depth+1, fn)
		} else {
			err = r.leaf(p[at:], fn)
		}
		if err != nil {
			return err
		}
	}
	if head[0] == interiorPage {
		return r.table(binary.BigEndian.Uint32(head[8:]), depth+1, fn)
	}
	return nil
}

// leaf reads one record, which may go on in pages of its own.
func (r *reader) leaf(cell []byte, fn func(record []byte) error) error {
	length, cell, ok := varint(cell)
	_, cell, ok2 := varint(cell)
	if !ok || !ok2 || length > uint64(len(r.file)) {
		return errDamaged
	}
	size, local := int(length), int(length)
	if most := r.usable - 35; size > most {
		least := (r.usable-12)*32/255 - 23
		if local = least + (size-least)%(r.usable-4); local > most {
			local = least
		}
	}
	if local > len(cell) {
		return errDamaged
	}
	if local == size {
		return fn(cell[:size])
	}
	record := bytes.Clone(cell[:local])
	if cell = cell[local:]; len(cell) < 4 {
		return errDamaged
	}
	for next := binary.BigEndian.Uint32(cell); len(record) < size; {
		p, err := r.page(next)
		if err != nil {
			return err
		}
		next = binary.BigEndian.Uint32(p)
		record = append(record, p[4:4+min(len(p)-4, size-len(record))]...)
	}
	return fn(record)
}

// columns returns the bytes of each value of a record.
func columns(record []byte) ([][]byte, error) {
	size, rest, ok := varint(record)
	if !ok || size > uint64(len(record)) || int(size) < len(record)-len(rest) {
		return nil, errDamaged
	}
	types, body := record[len(record)-len(rest):size], record[size:]
	var values [][]byte
	for len(types) > 0 {
		var kind uint64
		if kind, types, ok = varint(types); !ok {
			return nil, errDamaged
		}
		width := uint64(0)
		switch {
		case kind >= 12:
			width = (kind - 12) / 2
		case kind <= 4:
			width = kind
		case kind == 5:
			width = 6
		case kind <= 7:
			width = 8
		}
		if width > uint64(len(body)) {
			return nil, errDamaged
		}
		value := body[:width]
		if kind == 9 { // the number 1; 8 is 0
			value = []byte{1}
		}
		values, body = append(values, value), body[width:]
	}
	return values, nil
}

// number returns the value of an integer's bytes.
func number(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// varint reads a number of seven bits a byte, the highest first; the ninth byte
// has eight.
func varint(b []byte) (n uint64, rest []byte, ok bool) {
	for i := range min(9, len(b)) {
		if i == 8 {
			return n<<8 | uint64(b[i]), b[i+1:], true
		}
		n = n<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
