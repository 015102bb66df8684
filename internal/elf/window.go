package elf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// A window reads small pieces of a file, most of which lie near each other.
// It keeps the last block that it read.
type window struct {
	r     io.ReaderAt
	size  int64
	span  int64 // how much one read takes in; at least blockSize
	start int64
	block []byte
}

// blockSize is what one read takes in at the least: the headers of most files.
const blockSize = 4096

// bytes returns n bytes at an offset. They are valid until the next call.
func (w *window) bytes(offset, n uint64) ([]byte, error) {
	if offset > uint64(w.size) || n > uint64(w.size)-offset {
		return nil, malformed("it is cut off: at offset %d there should be %d bytes more, and it has %d", offset, n, w.size)
	}
	if n > blockSize {
		data := make([]byte, n)
		return data, w.read(data, int64(offset))
	}
	at := int64(offset)
	if at < w.start || at+int64(n) > w.start+int64(len(w.block)) {
		if err := w.fill(at); err != nil {
			return nil, err
		}
	}
	at -= w.start
	return w.block[at : at+int64(n)], nil
}

// fill reads a block that holds the bytes at an offset; one that is longer
// than blockSize begins before it, where the same block began the last time.
func (w *window) fill(at int64) error {
	span := max(w.span, blockSize)
	w.start = at - at%(span-blockSize+1)
	n := min(span, w.size-w.start)
	if int64(cap(w.block)) < n {
		w.block = make([]byte, n)
	}
	w.block = w.block[:n]
	if err := w.read(w.block, w.start); err != nil {
		w.block = w.block[:0]
		return err
	}
	return nil
}

func (w *window) read(data []byte, at int64) error {
	n, err := w.r.ReadAt(data, at)
	if n == len(data) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// decode reads a structure of fixed size.
func (d *decoder) decode(offset uint64, v any) error {
	data, err := d.bytes(offset, uint64(binary.Size(v)))
	if err != nil {
		return err
	}
	_, err = binary.Decode(data, d.file.ByteOrder, v)
	return err
}

// text returns the NUL-terminated string at an offset, which may not reach
// beyond limit bytes.
func (w *window) text(offset, limit uint64) (string, error) {
	limit = min(limit, maxString)
	if offset > uint64(w.size) {
		return "", malformed("a string at offset %d of a file of %d bytes", offset, w.size)
	}
	limit = min(limit, uint64(w.size)-offset)
	var text []byte
	for uint64(len(text)) < limit {
		at := offset + uint64(len(text))
		piece, err := w.bytes(at, min(256, limit-uint64(len(text))))
		if err != nil {
			return "", err
		}
		if end := bytes.IndexByte(piece, 0); end >= 0 {
			return string(append(text, piece[:end]...)), nil
		}
		text = append(text, piece...)
	}
	return "", malformed("a string at offset %d does not end", offset)
}
