package layer

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/cache/unpacked"
	"smith/internal/compress"
	"smith/internal/event"
)

// CheckMediaType accepts OCI's and Docker's layers in the forms that can be
// read. The bytes themselves tell how they are compressed.
func CheckMediaType(mediaType string) error {
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
	l, notLayer = readTar(ctx, st, raw, diffID)
	// The rest belongs to the digest, and whoever supplies the bytes may check
	// at their end that all are right: that tells more than a decompressor.
	if err = unpacked.Drain(ctx, raw); err == nil {
		var fatal *unpacked.CacheError
		if errors.As(notLayer, &fatal) {
			err = fatal.Err
		}
	}
	if err != nil && l != nil {
		l.Close()
		l = nil
	}
	return l, notLayer, err
}

// A rawReader measures what is read, and hashes it where that is wanted. What
// ended it stays.
type rawReader struct {
	r    io.Reader
	hash hash.Hash
	size atomic.Int64
	step event.Step
	err  error
}

func (r *rawReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.r.Read(p)
	r.err = err
	if r.hash != nil {
		r.hash.Write(p[:n])
	}
	r.size.Add(int64(n))
	r.step.Advance(int64(n))
	return n, err
}

// readTar decompresses, hashes, indexes and keeps a layer.
func readTar(ctx context.Context, st *store.Store, raw *rawReader, diffID digest.Digest) (*Layer, error) {
	plain, err := compress.NewReader(ctx, raw, 0)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	w, err := unpacked.Create(st, tarBucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	in := &hashed{plain, digest.SHA256.Hash()}
	if err := w.ReadTar(in); err != nil {
		return nil, err
	}
	got := digest.NewDigest(digest.SHA256, in.hash)
	if diffID != "" && got != diffID {
		return nil, mismatch(diffID, got)
	}
	archive, err := w.Commit(got.String())
	if err != nil {
		return nil, err
	}
	return &Layer{DiffID: got, archive: archive}, nil
}

// hashed sums what is taken from a stream.
type hashed struct {
	from *compress.Reader
	hash hash.Hash
}

// Next returns the next buffer.
func (h *hashed) Next() ([]byte, error) {
	data, err := h.from.Next()
	h.hash.Write(data)
	return data, err
}
