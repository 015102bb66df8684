package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// xzBlockOf returns a block of a stream without a check: a header with flags and
// fields, and one byte of LZMA2.
func xzBlockOf(flags byte, fields ...byte) []byte {
	head := append([]byte{0, flags}, fields...)
	for len(head)%4 != 0 {
		head = append(head, 0)
	}
	head[0] = byte(len(head) / 4)
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(head))
	return append(head, 1, 0, 0, 'x', 0, 0, 0, 0) // a chunk, its end, padding
}

// What is said of streams that cannot be read, each with its form.
func TestMistakes(t *testing.T) {
	lzma := []byte{0x5d, 0, 0, 0, 0x10, 255, 255, 255, 255, 255, 255, 255, 255}
	stream := func(check byte, blocks ...[]byte) []byte {
		return append(streamHeader([2]byte{0, check}), slices.Concat(blocks...)...)
	}
	const lzma2, x86 = 0x21, 0x04
	plainBlock := xzBlockOf(0, lzma2, 1, 0)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{lzma, "lzma: its dictionary of 268435456 bytes is larger than the 134217728 allowed"},
		{[]byte{0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0}, "gzip: gzip: invalid header"},
		{stream(2, plainBlock), "xz: its check of kind 2 is not supported"},
		{stream(0, xzBlockOf(0, lzma2, 1, 40)), "xz: its dictionary is larger than the 134217728 bytes allowed"},
		{stream(0, xzBlockOf(hasPlain, 2, lzma2, 1, 0)), "xz: a block does not have the size that it announces"},
		{stream(0, xzBlockOf(hasPacked|hasPlain, 6, 1, lzma2, 1, 0)), "xz: a block does not have the size that it announces"},
		{stream(0, plainBlock, xzBlockOf(1, x86, 0, lzma2, 1, 0)), "xz: some blocks announce their sizes and some with other filters do not, which is not supported"},
		{stream(0, plainBlock), "xz: unexpected EOF"},
	} {
		if _, _, err := plain(t, bytes.NewReader(c.data), 0); err == nil || err.Error() != c.want {
			t.Errorf("% x\n got %v\nwant %s", c.data, err, c.want)
		}
	}
	broken := io.MultiReader(bytes.NewReader(stream(0, plainBlock)), iotest.ErrReader(errors.New("broken disk")))
	if _, _, err := plain(t, broken, 0); err == nil || err.Error() != "xz: broken disk" {
		t.Errorf("got %v", err)
	}
}
