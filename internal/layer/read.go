package layer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"smith/internal/event"
	"smith/internal/store"
)

// Limits against bombs. Deflate cannot pack tighter than 1032:1, and zeros
// come near that, so the ratio alone tells nothing below freeSize; above it, a
// ratio that deflate cannot reach is refused. maxTar bounds every layer.
const (
	maxTar   = 64 << 30 // bytes of plain tar
	freeSize = 1 << 30  // bytes of plain tar that any blob may become
	maxRatio = 1100
	// maxWindow is the memory that a zstd frame may ask for: what `zstd -d`
	// grants without being told more.
	maxWindow = 128 << 20
)

// A Form is a layer as it was read.
type Form struct {
	// Digest and Size are those of the blob, compressed as it was.
	Digest digest.Digest
	Size   int64
	// Layer is open. It is nil where NotLayer says why the bytes are no layer.
	Layer    *Layer
	NotLayer error
}

// Sniff reads bytes that may be a layer into the cache, to their end. Where
// they are broken or something else, NotLayer tells. Advance is called with
// each piece of r that was read. The caller closes the Layer.
func Sniff(ctx context.Context, st *store.Store, r io.Reader, step event.Step) (Form, error) {
	raw := &rawReader{r: r, hash: digest.SHA256.Hash(), step: step}
	l, notLayer, err := read(ctx, st, raw, "")
	if err != nil {
		return Form{}, err
	}
	form := Form{Digest: digest.NewDigest(digest.SHA256, raw.hash), Size: raw.size.Load(), Layer: l, NotLayer: notLayer}
	if l == nil {
		return form, nil
	}
	if err := keepForm(st, form.Digest, l.DiffID); err != nil {
		l.Close()
		return Form{}, err
	}
	return form, nil
}

// keepForm remembers what a blob's plain tar is.
func keepForm(st *store.Store, blob, diffID digest.Digest) error {
	if blob == diffID {
		return nil
	}
	return st.Save(formBucket, blob.String(), []byte(diffID))
}

// read reads a layer into the cache. notLayer is the layer's fault; err is
// everybody else's.
func read(ctx context.Context, st *store.Store, raw *rawReader, diffID digest.Digest) (l *Layer, notLayer, err error) {
	compressed := readAhead(ctx, raw)
	l, notLayer = readTar(ctx, st, compressed, raw, diffID)
	// The rest belongs to the digest, and whoever supplies the bytes may check
	// at their end that all are right: that tells more than a decompressor.
	for err == nil {
		_, err = compressed.next()
	}
	compressed.Close()
	var fatal *cacheError
	switch {
	case !errors.Is(err, io.EOF):
	case errors.As(notLayer, &fatal):
		err = fatal.err
	default:
		err = ctx.Err()
	}
	if err != nil && l != nil {
		l.Close()
		l = nil
	}
	return l, notLayer, err
}

// A rawReader measures what is read, and hashes it where that is wanted.
type rawReader struct {
	r    io.Reader
	hash hash.Hash
	size atomic.Int64
	step event.Step
}

func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.hash != nil {
		r.hash.Write(p[:n])
	}
	r.size.Add(int64(n))
	r.step.Advance(int64(n))
	return n, err
}

// readTar decompresses, hashes, indexes and keeps a layer.
func readTar(ctx context.Context, st *store.Store, compressed *ahead, raw *rawReader, diffID digest.Digest) (*Layer, error) {
	buffered := bufio.NewReaderSize(compressed, bufferSize)
	plain, closePlain, err := decompress(buffered)
	if err != nil {
		return nil, err
	}
	defer closePlain()
	w, err := st.Create(tarBucket)
	if err != nil {
		return nil, &cacheError{err}
	}
	defer w.Discard()
	tarReader := readAhead(ctx, plain)
	defer tarReader.Close()
	in := &intake{from: tarReader, to: w, hash: digest.SHA256.Hash(), raw: raw}
	index, err := indexTar(in)
	if err != nil {
		return nil, err
	}
	if err := in.drain(); err != nil {
		return nil, err
	}
	got := digest.NewDigest(digest.SHA256, in.hash)
	if diffID != "" && got != diffID {
		return nil, mismatch(diffID, got)
	}
	footer := binary.LittleEndian.AppendUint64(index.data, uint64(in.size))
	if _, err := w.Write(footer); err != nil {
		return nil, &cacheError{err}
	}
	entry, err := w.Commit(got.String())
	if err != nil {
		return nil, &cacheError{err}
	}
	l, err := newLayer(entry, got)
	if err != nil {
		entry.Close()
		return nil, &cacheError{err}
	}
	return l, nil
}

// A cacheError is not the layer's fault.
type cacheError struct{ err error }

func (e *cacheError) Error() string { return e.err.Error() }
func (e *cacheError) Unwrap() error { return e.err }

// Compression tells by the first four bytes how a blob is compressed: "gzip",
// "zstd", or "".
func Compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), // RFC 8878, 3.1.1
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // 3.1.2: to be skipped
		return "zstd"
	}
	return ""
}

// Decompress returns the plain bytes of r, which may be compressed with gzip or
// zstd. Reading and decompressing go ahead of the caller, who closes the result
// before r.
func Decompress(ctx context.Context, r io.Reader) (io.ReadCloser, error) {
	compressed := readAhead(ctx, r)
	plain, closePlain, err := decompress(bufio.NewReaderSize(compressed, bufferSize))
	if err != nil {
		compressed.Close()
		return nil, err
	}
	return &decompressed{readAhead(ctx, plain), closePlain, compressed}, nil
}

type decompressed struct {
	*ahead
	closePlain func()
	compressed *ahead
}

func (d *decompressed) Close() error {
	d.ahead.Close()
	d.closePlain()
	d.compressed.Close()
	return nil
}

func decompress(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch Compression(head) {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return described{"gzip", z}, func() { z.Close() }, nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return described{"zstd", z}, z.Close, nil
	}
	return r, func() {}, nil
}

// described says in its errors which decompressor failed.
type described struct {
	name string
	r    io.Reader
}

func (d described) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: %w", d.name, err)
	}
	return n, err
}

// An intake hashes the plain tar and writes it to the cache, a buffer at a
// time, while the tar's headers are read from it.
type intake struct {
	from *ahead
	to   io.Writer
	hash hash.Hash
	raw  *rawReader
	rest []byte // taken in, not read by the tar reader yet
	size int64  // taken in
}

var _ position = (*intake)(nil)

// take gets the next buffer.
func (in *intake) take() error {
	data, err := in.from.next()
	if err != nil {
		return err
	}
	in.size += int64(len(data))
	if in.size > maxTar {
		return fmt.Errorf("the plain tar is larger than %d bytes", int64(maxTar))
	}
	if in.size > freeSize && in.size/maxRatio > in.raw.size.Load() {
		return fmt.Errorf("a bomb: %d bytes became %d", in.raw.size.Load(), in.size)
	}
	in.hash.Write(data)
	if _, err := in.to.Write(data); err != nil {
		return &cacheError{err}
	}
	in.rest = data
	return nil
}

// Pos returns how much the tar reader has read.
func (in *intake) Pos() int64 { return in.size - int64(len(in.rest)) }

// Read reads as io.Reader says.
func (in *intake) Read(p []byte) (int, error) {
	for len(in.rest) == 0 {
		if err := in.take(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// Seek passes over bytes; it only goes forward from where it is.
func (in *intake) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	for offset > int64(len(in.rest)) {
		offset -= int64(len(in.rest))
		in.rest = nil
		if err := in.take(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	in.rest = in.rest[offset:]
	return in.Pos(), nil
}

// drain takes in what follows the end-of-archive mark.
func (in *intake) drain() error {
	in.rest = nil
	for {
		if err := in.take(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		in.rest = nil
	}
}
