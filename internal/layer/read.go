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
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

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

// checkMediaType accepts OCI's and Docker's layers in the forms that can be
// read. The bytes themselves tell how they are compressed.
func checkMediaType(mediaType string) error {
	known := []string{
		ocispec.MediaTypeImageLayer, ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageLayerZstd,
		"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
	}
	foreign := []string{
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	}
	switch {
	case slices.Contains(known, mediaType):
		return nil
	case slices.Contains(foreign, mediaType):
		return fmt.Errorf("media type %q: foreign layers are not part of the image", mediaType)
	}
	return fmt.Errorf("unknown media type %q", mediaType)
}

// A Form is a layer as it was read.
type Form struct {
	// Digest and Size are those of the blob, compressed as it was.
	Digest digest.Digest
	Size   int64
	// Layer is open. It is nil where NotLayer says why the bytes are no layer.
	Layer *Layer
	// NotLayer is set by Sniff only.
	NotLayer error
}

// Read reads a layer from r into the cache. diffID is what its plain tar has
// to be, or "" where that is not known. Advance is called with each piece of
// r that was read. The caller closes the Layer.
func Read(ctx context.Context, st *store.Store, r io.Reader, diffID digest.Digest, step event.Step) (Form, error) {
	form, err := Sniff(ctx, st, r, diffID, step)
	if err == nil {
		err = form.NotLayer
	}
	return form, err
}

// Sniff is Read for bytes that may be something else than a layer: they are
// read to their end, and NotLayer is set instead of an error when they are
// broken or none.
func Sniff(ctx context.Context, st *store.Store, r io.Reader, diffID digest.Digest, step event.Step) (Form, error) {
	raw := &rawReader{r: r, hash: digest.SHA256.Digester(), step: step}
	compressed := readAhead(ctx, raw)
	l, notLayer := readTar(ctx, st, compressed, raw, diffID)
	// The rest belongs to the digest, and whoever supplies r may check at its
	// end that all bytes are right: that error tells more than a decompressor's.
	var err error
	for err == nil {
		_, err = compressed.next()
	}
	compressed.Close()
	if err == io.EOF {
		err = nil
	}
	form := Form{Digest: raw.hash.Digest(), Size: raw.size.Load(), Layer: l, NotLayer: notLayer}
	var fatal *cacheError
	if err == nil && errors.As(notLayer, &fatal) {
		err = fatal.err
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && l != nil && form.Digest != l.DiffID {
		err = st.Save(formBucket, form.Digest.String(), []byte(l.DiffID))
	}
	if err != nil && l != nil {
		l.Close()
		form.Layer = nil
	}
	return form, err
}

// A rawReader measures what is read.
type rawReader struct {
	r    io.Reader
	hash digest.Digester
	size atomic.Int64
	step event.Step
}

func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.hash.Hash().Write(p[:n])
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

// decompress returns the plain bytes of r, which begins with a layer in any
// form.
func decompress(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return described{"gzip", z}, func() { z.Close() }, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}): // a skippable frame first
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
	if err != nil && err != io.EOF {
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
			if err == io.EOF {
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
		if err := in.take(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		in.rest = nil
	}
}
