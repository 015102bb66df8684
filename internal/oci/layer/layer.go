// Package layer reads image layers: each is decompressed once, into the cache,
// as a plain tar with an index of its members, so that a file is a section of
// that entry and no layer is ever unpacked or held in memory. What it reads is
// checked against the digests that the image gives. How layers stack is
// tree.Apply's knowledge.
package layer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/unpacked"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/tree"
	"smith/record"
)

// Buckets of the cache. A plain tar is kept under its diff_id, so that every
// compressed form of a layer shares it; the digest of a compressed form leads
// to the diff_id that it was seen to have.
const (
	tarBucket  = "layer"
	formBucket = "layer-form"
)

// A Layer is a plain tar in the cache, open for reading. The nodes that
// Entries returned can be read until Close.
type Layer struct {
	// DiffID is the digest of the plain tar.
	DiffID  digest.Digest
	archive *unpacked.Archive
}

// Expand returns a layer of an image from the cache, and brings it there
// first where it is absent: the blob is read once, decompressed (gzip of one
// or more members, zstd, or none), checked against its descriptor and diffID,
// and indexed. An error names the layer. The caller closes the Layer.
func Expand(ctx context.Context, st *store.Store, blob image.Blob, diffID digest.Digest, events event.Listener) (*Layer, error) {
	l, err := expand(ctx, st, blob, diffID, events)
	if err != nil {
		return nil, fmt.Errorf("cannot read layer %s: %w", blob.Descriptor.Digest, err)
	}
	return l, nil
}

func expand(ctx context.Context, st *store.Store, blob image.Blob, diffID digest.Digest, events event.Listener) (*Layer, error) {
	if err := errors.Join(checkDigest(blob.Descriptor.Digest), checkDigest(diffID)); err != nil {
		return nil, err
	}
	if err := CheckMediaType(blob.Descriptor.MediaType); err != nil {
		return nil, err
	}
	if l, err := Known(st, blob.Descriptor.Digest); !errors.Is(err, fs.ErrNotExist) {
		if err == nil && l.DiffID != diffID {
			return nil, errors.Join(mismatch(diffID, l.DiffID), l.Close())
		}
		return l, err
	}
	step := events.Step(event.Open, "layer "+short(blob.Descriptor.Digest), blob.Descriptor.Size)
	defer step.Done()
	r, err := blob.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	l, notLayer, err := read(ctx, st, &rawReader{r: r, step: step}, diffID)
	if err = cmp.Or(err, notLayer); err != nil {
		return nil, err
	}
	// The blob was read to its end, so its bytes have the descriptor's digest.
	if err := keepForm(st, blob.Descriptor.Digest, diffID); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func mismatch(want, got digest.Digest) error {
	return fmt.Errorf("the config says diff_id %s, its plain tar has %s", want, got)
}

func short(d digest.Digest) string { return d.Encoded()[:12] }

// checkDigest accepts SHA-256 only: it is what the cache is addressed by.
func checkDigest(d digest.Digest) error {
	if err := d.Validate(); err != nil {
		return fmt.Errorf("digest %.80q: %w", d, err)
	}
	if d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("digest %.80q: only sha256 is supported", d)
	}
	return nil
}

// Open returns the layer whose plain tar has a digest from the cache. The
// error is fs.ErrNotExist where it is not there.
func Open(st *store.Store, diffID digest.Digest) (*Layer, error) {
	if err := checkDigest(diffID); err != nil {
		return nil, err
	}
	archive, err := unpacked.Open(st, tarBucket, diffID.String())
	if err != nil {
		return nil, err
	}
	return &Layer{DiffID: diffID, archive: archive}, nil
}

// Known returns the layer of which blob is one form from the cache. The error
// is fs.ErrNotExist where that is not known.
func Known(st *store.Store, blob digest.Digest) (*Layer, error) {
	diffID := blob
	found, err := st.Load(formBucket, blob.String())
	switch {
	case err == nil:
		if diffID = digest.Digest(found); diffID.Validate() != nil {
			return nil, fs.ErrNotExist
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return Open(st, diffID)
}

// Size returns the length of the plain tar.
func (l *Layer) Size() int64 { return l.archive.Size() }

// Tar returns the plain tar.
func (l *Layer) Tar() *io.SectionReader { return l.archive.Blob() }

// Entries returns the members of the layer in their order. All nodes are new
// and have the given origin.
func (l *Layer) Entries(origin *record.Origin) ([]tree.Entry, error) {
	return l.archive.Entries(origin)
}

// Close lets go of the cache entry.
func (l *Layer) Close() error { return l.archive.Close() }
