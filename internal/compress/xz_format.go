package compress

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"smith/internal/compress/lzma"
)

// What follows from "The .xz File Format", version 1.2.0, by its sections.
var (
	xzMagic       = []byte{0xfd, '7', 'z', 'X', 'Z', 0} // 2.1.1.1
	xzFooterMagic = []byte("YZ")                        // 2.1.2.4
)

const (
	streamHeaderSize = 12
	maxBlockHeader   = 1024    // 3.1.1
	maxSize          = 1 << 60 // of a block, here; the format allows 2^63
	unknown          = -1      // size of a block

	filterLZMA2 = 0x21 // 5.3.1
)

// Block flags (3.1.2).
const (
	filterCount = 0x03
	reserved    = 0x3c
	hasPacked   = 0x40
	hasPlain    = 0x80
)

// Kinds of checks, in the stream flags (2.1.1.2).
const (
	checkIDs    = 0x0f
	checkCRC32  = 1
	checkCRC64  = 4
	checkSHA256 = 10
)

var (
	errCorrupt = lzma.ErrCorrupt
	errSizes   = errors.New("a block does not have the size that it announces")
	errUnsized = errors.New("some blocks announce their sizes and some with other filters do not, which is not supported")
	errWindow  = fmt.Errorf("its dictionary is larger than the %d bytes allowed", maxWindow)
)

// stream goes through one stream.
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
		if err := s.block(&h); err != nil {
			return err
		}
		seen.add(h.unpadded(), uint64(h.size))
	}
}

// header reads a block's header.
func (s *splitter) header(flags [2]byte) (blockHeader, error) {
	head, err := s.r.Peek(maxBlockHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return blockHeader{}, unexpected(err)
	}
	h, err := parseHeader(head, flags)
	if err != nil {
		return blockHeader{}, err
	}
	_, err = s.r.Discard(len(h.raw))
	return h, err
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
