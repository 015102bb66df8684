package compress

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/mikelolasagasti/xz"

	"smith/internal/compress/lzma"
)

// A blockHeader is what stands before a block (3.1).
type blockHeader struct {
	flags        [2]byte // of the stream
	raw          []byte
	packed, size int64 // of the data: as they stand, and plain; unknown where it is not told
	others       bool  // there are other filters than LZMA2
	dictionary   int64 // of LZMA2 alone
}

// parseHeader reads the header that bytes begin with.
func parseHeader(data []byte, flags [2]byte) (blockHeader, error) {
	h := blockHeader{flags: flags, packed: unknown, size: unknown}
	if len(data) == 0 || len(data) < 4*(int(data[0])+1) {
		return h, io.ErrUnexpectedEOF
	}
	h.raw = bytes.Clone(data[:4*(int(data[0])+1)])
	end := len(h.raw) - 4
	if crc32.ChecksumIEEE(h.raw[:end]) != binary.LittleEndian.Uint32(h.raw[end:]) || h.raw[1]&reserved != 0 {
		return h, errCorrupt
	}
	fields := bytes.NewReader(h.raw[2:end])
	var err error
	if h.raw[1]&hasPacked != 0 {
		if h.packed, err = readSize(fields); err != nil || h.packed == 0 {
			return h, errCorrupt
		}
	}
	if h.raw[1]&hasPlain != 0 {
		if h.size, err = readSize(fields); err != nil {
			return h, errCorrupt
		}
	}
	return h, h.filters(fields)
}

func readSize(r io.ByteReader) (int64, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > maxSize {
		return 0, errCorrupt
	}
	return int64(n), nil
}

// filters reads what the block was led through (3.1.5). Where that is more
// than LZMA2 it is the library's matter.
func (h *blockHeader) filters(fields *bytes.Reader) error {
	id, err := readSize(fields)
	if err != nil {
		return err
	}
	if h.others = h.raw[1]&filterCount != 0 || id != filterLZMA2; h.others {
		return nil
	}
	size, err := readSize(fields)
	if err != nil || size != 1 {
		return errCorrupt
	}
	property, err := fields.ReadByte()
	if err != nil {
		return errCorrupt
	}
	for fields.Len() > 0 {
		if b, _ := fields.ReadByte(); b != 0 {
			return errCorrupt
		}
	}
	if _, err := h.newCheck(); err != nil {
		return err
	}
	h.dictionary, err = lzma.DictionarySize(property)
	return err
}

// sized says whether the block can be passed over without being decoded.
func (h *blockHeader) sized() bool { return h.packed != unknown && h.size != unknown }

// body is how many bytes of the block follow its header, with the padding.
func (h *blockHeader) body() int64 { return (h.packed+3)&^3 + h.checkSize() }

// unpadded is the size that the index tells (4.3).
func (h *blockHeader) unpadded() uint64 { return uint64(int64(len(h.raw)) + h.packed + h.checkSize()) }

// checkSize returns the length of a block's check (2.1.1.2).
func (h *blockHeader) checkSize() int64 {
	if id := h.flags[1] & checkIDs; id > 0 {
		return 4 << ((id - 1) / 3)
	}
	return 0
}

// A check sums the plain bytes of a block.
type check struct {
	hash.Hash // nil where there is none
}

// newCheck returns the check that stands behind the block.
func (h *blockHeader) newCheck() (check, error) {
	switch id := h.flags[1] & checkIDs; id {
	case 0:
		return check{}, nil
	case checkCRC32:
		return check{crc32.NewIEEE()}, nil
	case checkCRC64:
		return check{crc64.New(crc64.MakeTable(crc64.ECMA))}, nil
	case checkSHA256:
		return check{sha256.New()}, nil
	default:
		return check{}, fmt.Errorf("its check of kind %d is not supported", id)
	}
}

func (c check) add(p []byte) {
	if c.Hash != nil {
		c.Write(p)
	}
}

// sum returns the check as it stands in the file: CRCs have their lowest byte
// first.
func (c check) sum() []byte {
	if c.Hash == nil {
		return nil
	}
	sum := c.Sum(nil)
	if c.Size() <= crc64.Size {
		slices.Reverse(sum)
	}
	return sum
}

// verify compares what follows the packed bytes: padding, and the check.
func (h *blockHeader) verify(tail []byte, c check) error {
	padding := len(tail) - int(h.checkSize())
	if !bytes.Equal(tail, append(make([]byte, padding), c.sum()...)) {
		return errCorrupt
	}
	return nil
}

// A blockReader is the plain bytes of a block of LZMA2 that is decoded as it is
// read. At the end it completes the header with the sizes.
type blockReader struct {
	header *blockHeader
	in     *counted
	plain  *lzma.Reader
	check  check
	size   int64
}

func newBlockReader(r *bufio.Reader, h *blockHeader) (*blockReader, error) {
	if h.dictionary > maxWindow {
		return nil, errWindow
	}
	c, err := h.newCheck()
	if err != nil {
		return nil, err
	}
	in := &counted{Reader: r}
	return &blockReader{header: h, in: in, plain: lzma.NewReader(in, h.dictionary), check: c}, nil
}

// Read reads as io.Reader says; the end is io.EOF once all was compared.
func (b *blockReader) Read(p []byte) (int, error) {
	n, err := b.plain.Read(p)
	b.check.add(p[:n])
	b.size += int64(n)
	if h := b.header; h.size != unknown && b.size > h.size {
		return 0, errSizes
	}
	if errors.Is(err, io.EOF) {
		err = b.end()
	}
	return n, err
}

// end reads what follows the packed bytes. It returns io.EOF where all is good.
func (b *blockReader) end() error {
	h := b.header
	if h.packed != unknown && h.packed != b.in.size || h.size != unknown && h.size != b.size {
		return errSizes
	}
	h.packed, h.size = b.in.size, b.size
	tail := make([]byte, h.body()-h.packed)
	if _, err := io.ReadFull(b.in.Reader, tail); err != nil {
		return unexpected(err)
	}
	if err := h.verify(tail, b.check); err != nil {
		return err
	}
	return io.EOF
}

// counted counts what is read.
type counted struct {
	*bufio.Reader
	size int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.size += int64(n)
	return n, err
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.size++
	}
	return b, err
}

// library returns what the library makes of a block that tells its sizes: body
// is what follows the header.
func (h *blockHeader) library(body io.Reader, window uint32) (io.Reader, error) {
	head := append(streamHeader(h.flags), h.raw...)
	return xz.NewReader(io.MultiReader(bytes.NewReader(head), body, bytes.NewReader(h.streamTail())), window)
}

// streamTail returns the index and footer of a stream that holds the one block.
func (h *blockHeader) streamTail() []byte {
	index := binary.AppendUvarint([]byte{0, 1}, h.unpadded())
	index = binary.AppendUvarint(index, uint64(h.size))
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	return append(index, footer(h.flags, int64(len(index)))...)
}
