// Package compress reads compressed streams: gzip, xz, zstd, bzip2, lzma, or
// plain bytes, told apart by how they begin. Memory is bounded whatever the
// stream asks for. An xz stream of several blocks is decoded on several cores.
// Writing is left to others.
package compress

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"smith/internal/compress/ahead"
)

// A Form is how bytes are compressed.
type Form string

// The forms that can be read.
const (
	Plain Form = ""
	Gzip  Form = "gzip"
	Xz    Form = "xz"
	Zstd  Form = "zstd"
	Bzip2 Form = "bzip2"
	LZMA  Form = "lzma"
)

// HeadSize is how many bytes FormOf needs to tell every form.
const HeadSize = 13

// FormOf tells by its first bytes how a stream is compressed: Plain where it
// is none of the known forms.
func FormOf(head []byte) Form {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952, 2.3.1
		return Gzip
	case bytes.HasPrefix(head, xzMagic):
		return Xz
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), // RFC 8878, 3.1.1
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // 3.1.2: to be skipped
		return Zstd
	case len(head) >= 4 && bytes.HasPrefix(head, []byte("BZh")) && '1' <= head[3] && head[3] <= '9':
		return Bzip2
	case isLZMA(head):
		return LZMA
	}
	return Plain
}

// isLZMA tells the header of an .lzma file (lzma-file-format.txt of XZ Utils),
// which has no magic: the properties that every encoder sets, a dictionary of
// 4 KiB or more whose size has few digits, and a size that is unknown or below
// 256 GiB, as lzma and file(1) want it.
func isLZMA(head []byte) bool {
	if len(head) < HeadSize || head[0] != 0x5d {
		return false
	}
	dict, size := binary.LittleEndian.Uint32(head[1:]), binary.LittleEndian.Uint64(head[5:])
	return dict >= 1<<12 && dict&0xfff == 0 && (size == 1<<64-1 || size < 1<<38)
}

// maxWindow is the memory that one stream's dictionary may take: what `zstd -d`
// grants without being told more, and twice what `xz -9` asks for.
const maxWindow = 128 << 20

// ErrTooLarge is returned where a stream holds more than its reader allows.
var ErrTooLarge = errors.New("too large")

// A Reader is the plain bytes of a stream. Reading and decompressing go ahead
// of the caller. It is for one goroutine.
type Reader struct {
	// Form is how the stream is compressed.
	Form Form
	*ahead.Reader
	source *ahead.Reader
	close  func()
}

// Bounds against bombs. Programs and data become two to ten times smaller,
// zeros a thousand times (deflate reaches 1032:1, xz and zstd more). Below
// freeSize the ratio tells nothing.
const (
	freeSize = 1 << 30 // bytes that any stream may become
	maxRatio = 200
)

// CheckRatio returns an error that wraps ErrTooLarge where packed bytes became
// more plain ones than those of any honest file.
func CheckRatio(packed, plain int64) error {
	if plain > freeSize && plain/maxRatio > packed {
		return fmt.Errorf("%w: a bomb: %d bytes became %d", ErrTooLarge, packed, plain)
	}
	return nil
}

// guarded checks the ratio of a stream while it is read. What was read ahead
// counts as packed.
type guarded struct {
	r      io.Reader
	packed *atomic.Int64
	plain  int64
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.plain += int64(n)
	if bomb := CheckRatio(g.packed.Load(), g.plain); bomb != nil {
		return n, bomb
	}
	return n, err
}

// measured counts what is read.
type measured struct {
	r io.Reader
	n atomic.Int64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n.Add(int64(n))
	return n, err
}

// NewReader returns the plain bytes of r: no more than limit, for which 0 is
// no limit, and no more than CheckRatio allows; one more is an error that wraps
// ErrTooLarge. The caller closes it before r. Errors name the form.
func NewReader(ctx context.Context, r io.Reader, limit int64) (*Reader, error) {
	packed := &measured{r: r}
	source := ahead.New(ctx, packed)
	buffered := bufio.NewReaderSize(source, 256<<10)
	head, err := buffered.Peek(HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		source.Close()
		return nil, err
	}
	form := FormOf(head)
	plain, closePlain, err := open(ctx, form, buffered)
	if err != nil {
		source.Close()
		return nil, fmt.Errorf("%s: %w", form, err)
	}
	if form != Plain {
		plain = &described{form, &guarded{r: plain, packed: &packed.n}}
	}
	if limit > 0 {
		plain = &limited{plain, limit, limit}
	}
	return &Reader{form, ahead.New(ctx, plain), source, closePlain}, nil
}

// open returns the decompressor of a form, and what lets go of it.
func open(ctx context.Context, form Form, r *bufio.Reader) (io.Reader, func(), error) {
	nothing := func() {}
	switch form {
	case Gzip:
		z, err := gzip.NewReader(r)
		return z, nothing, err
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case Xz:
		z := newXz(ctx, r, maxBlock)
		return z, z.Close, nil
	case Bzip2:
		return bzip2.NewReader(r), nothing, nil
	case LZMA:
		z, err := openLZMA(r)
		return z, nothing, err
	}
	return r, nothing, nil
}

// openLZMA reads the header beforehand: the decoder would make a dictionary of
// whatever size it names.
func openLZMA(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(HeadSize)
	if err != nil {
		return nil, err
	}
	if dict := binary.LittleEndian.Uint32(head[1:]); dict > maxWindow {
		return nil, fmt.Errorf("its dictionary of %d bytes is larger than the %d allowed", dict, maxWindow)
	}
	return lzma.NewReader(r)
}

// Close ends the reading.
func (r *Reader) Close() error {
	r.Reader.Close()
	r.close()
	r.source.Close()
	return nil
}

// described says in its errors which form could not be read.
type described struct {
	form Form
	r    io.Reader
}

func (d *described) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: %w", d.form, err)
	}
	return n, err
}

// limited fails where more than limit bytes come; left of them are to come.
type limited struct {
	r           io.Reader
	limit, left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		return int(l.left), fmt.Errorf("%w: more than %d bytes", ErrTooLarge, l.limit)
	}
	l.left -= int64(n)
	return n, err
}
