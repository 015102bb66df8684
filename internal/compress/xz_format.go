package compress

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// What follows from "The .xz File Format", version 1.2.0, by its sections.
var (
	xzMagic       = []byte{0xfd, '7', 'z', 'X', 'Z', 0} // 2.1.1.1
	xzFooterMagic = []byte("YZ")                        // 2.1.2.4
)

const (
	streamHeaderSize = 12
	bothSizes        = 0xc0    // 3.1.2: both sizes are in the block header
	maxSize          = 1 << 60 // of a block, here; the format allows 2^63
)

var (
	errCorrupt = errors.New("the data are corrupt")
	errSizes   = errors.New("a block does not have the size that it announces")
	errUnsized = errors.New("some blocks announce their sizes and some do not, which is not supported")
)

// checkSize returns the length of a block's check (2.1.1.2).
func checkSize(flags [2]byte) int64 {
	if id := flags[1] & 0xf; id > 0 {
		return 4 << ((id - 1) / 3)
	}
	return 0
}

// A blockHeader is what stands before a block (3.1).
type blockHeader struct {
	raw          []byte
	packed, size int64 // of the data: as they stand, and plain
	check        int64 // length of the check
}

// body is how many bytes of the block follow its header, with the padding.
func (h blockHeader) body() int64 { return (h.packed+3)&^3 + h.check }

// unpadded is the size that the index tells (4.3).
func (h blockHeader) unpadded() uint64 { return uint64(int64(len(h.raw)) + h.packed + h.check) }

// stream goes through one stream whose first block announces its sizes.
func (s *splitter) stream() error {
	var head [streamHeaderSize]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return unexpected(err)
	}
	flags := [2]byte(head[6:8])
	if !bytes.Equal(head[:], streamHeader(flags)) {
		return errCorrupt
	}
	seen := newRecords()
	for {
		next, err := s.r.Peek(1)
		if err != nil {
			return unexpected(err)
		}
		if next[0] == 0 {
			return s.index(flags, seen)
		}
		h, err := s.header(flags)
		if err != nil {
			return err
		}
		seen.add(h.unpadded(), uint64(h.size))
		if err := s.block(flags, h); err != nil {
			return err
		}
	}
}

// header reads a block's header. What it says of filters is the library's
// matter.
func (s *splitter) header(flags [2]byte) (blockHeader, error) {
	size, err := s.r.ReadByte()
	if err != nil {
		return blockHeader{}, unexpected(err)
	}
	h := blockHeader{raw: make([]byte, 4*(int(size)+1)), check: checkSize(flags)}
	h.raw[0] = size
	if _, err := io.ReadFull(s.r, h.raw[1:]); err != nil {
		return blockHeader{}, unexpected(err)
	}
	end := len(h.raw) - 4
	if crc32.ChecksumIEEE(h.raw[:end]) != binary.LittleEndian.Uint32(h.raw[end:]) {
		return blockHeader{}, errCorrupt
	}
	if h.raw[1]&bothSizes != bothSizes {
		return blockHeader{}, errUnsized
	}
	fields := bytes.NewReader(h.raw[2:end])
	packed, err := binary.ReadUvarint(fields)
	if err != nil || packed == 0 || packed > maxSize {
		return blockHeader{}, errCorrupt
	}
	plain, err := binary.ReadUvarint(fields)
	if err != nil || plain > maxSize {
		return blockHeader{}, errCorrupt
	}
	h.packed, h.size = int64(packed), int64(plain)
	return h, nil
}

// index reads the index and the stream's footer (4, 2.1.2) and compares them
// with the blocks that were seen.
func (s *splitter) index(flags [2]byte, seen *records) error {
	in := &summed{r: s.r, crc: crc32.NewIEEE()}
	if _, err := in.ReadByte(); err != nil {
		return err
	}
	count, err := binary.ReadUvarint(in)
	if err != nil || count != seen.count {
		return errCorrupt
	}
	told := newRecords()
	for range count {
		unpadded, first := binary.ReadUvarint(in)
		plain, second := binary.ReadUvarint(in)
		if first != nil || second != nil {
			return errCorrupt
		}
		told.add(unpadded, plain)
	}
	for in.size%4 != 0 {
		if b, err := in.ReadByte(); err != nil || b != 0 {
			return errCorrupt
		}
	}
	var end [4 + streamHeaderSize]byte
	if _, err := io.ReadFull(s.r, end[:]); err != nil {
		return unexpected(err)
	}
	want := append(binary.LittleEndian.AppendUint32(nil, in.crc.Sum32()), footer(flags, in.size+4)...)
	if !bytes.Equal(end[:], want) || !bytes.Equal(told.sum.Sum(nil), seen.sum.Sum(nil)) {
		return errCorrupt
	}
	return nil
}

// padding passes over what may lie between streams (2.2) and says whether
// another one follows.
func (s *splitter) padding() (bool, error) {
	for {
		next, err := s.r.Peek(4)
		switch {
		case len(next) == 0 && errors.Is(err, io.EOF):
			return false, nil
		case errors.Is(err, io.EOF):
			return false, errCorrupt
		case err != nil:
			return false, err
		case !bytes.Equal(next, make([]byte, 4)):
			return true, nil
		}
		if _, err := s.r.Discard(4); err != nil {
			return false, err
		}
	}
}

// records is the list of blocks, which may be long, as a digest.
type records struct {
	count uint64
	sum   hash.Hash
}

func newRecords() *records { return &records{sum: sha256.New()} }

func (r *records) add(unpadded, plain uint64) {
	r.count++
	r.sum.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, unpadded), plain))
}

// summed counts and sums what is read.
type summed struct {
	r    io.ByteReader
	crc  hash.Hash32
	size int64
}

func (s *summed) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	s.size++
	s.crc.Write([]byte{b})
	return b, nil
}

// streamHeader returns the header of a stream (2.1.1).
func streamHeader(flags [2]byte) []byte {
	head := append(bytes.Clone(xzMagic), flags[:]...)
	return binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(flags[:]))
}

// footer returns the footer of a stream with an index of a size (2.1.2).
func footer(flags [2]byte, index int64) []byte {
	foot := binary.LittleEndian.AppendUint32(nil, uint32(index/4-1))
	foot = append(foot, flags[:]...)
	foot = append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(foot)), foot...)
	return append(foot, xzFooterMagic...)
}

// streamTail returns the index and footer of a stream that holds one block.
func streamTail(flags [2]byte, h blockHeader) []byte {
	index := binary.AppendUvarint([]byte{0, 1}, h.unpadded())
	index = binary.AppendUvarint(index, uint64(h.size))
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	return append(index, footer(flags, int64(len(index)))...)
}
