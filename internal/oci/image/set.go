package image

import (
	"context"
	"encoding/json"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Set is what is written under one name: the images of one or more platforms.
type Set struct {
	Images []*Image
	// Original is the index that the images were read from, where they are all
	// the images that it has: it is passed on byte for byte. nil is a new index,
	// or none for one image.
	Original *Original
}

// Of returns a set of images without an original index.
func Of(images ...*Image) Set { return Set{Images: images} }

// An Original is an image index as it was read, and what it leads to beside
// images: artifacts such as attestations, SBOMs and signatures.
type Original struct {
	// Index is the index itself.
	Index Blob
	// Manifests are the indexes in it, and the manifests that are not images'.
	// What a manifest leads to comes before it.
	Manifests []Blob
	// Blobs are what those manifests name.
	Blobs []Blob
}

// Set reads all images that a manifest's or index's descriptor leads to, and
// what an index leads to beside them.
func (r Reader) Set(ctx context.Context, d ocispec.Descriptor) (Set, error) {
	w := walk{Reader: r}
	if err := w.visit(ctx, d, 0); err != nil {
		return Set{}, err
	}
	images, err := r.Each(ctx, w.found)
	if err != nil {
		return Set{}, err
	}
	set := Of(images...)
	if !IsIndex(d.MediaType) {
		return set, nil
	}
	set.Original = &Original{Index: r.Blob(bare(d))}
	for _, m := range w.other {
		if m.Digest == d.Digest {
			continue
		}
		blobs, err := r.named(ctx, m)
		if err != nil {
			return Set{}, err
		}
		set.Original.Manifests = append(set.Original.Manifests, r.Blob(bare(m)))
		set.Original.Blobs = append(set.Original.Blobs, blobs...)
	}
	return set, nil
}

// named returns the blobs that the manifest of an artifact names.
func (r Reader) named(ctx context.Context, d ocispec.Descriptor) ([]Blob, error) {
	data, err := r.document(ctx, d, "manifest", nil)
	if err != nil || !IsManifest(d.MediaType) {
		return nil, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	var blobs []Blob
	for _, b := range append([]ocispec.Descriptor{m.Config}, m.Layers...) {
		if IsForeign(b.MediaType) && len(b.URLs) > 0 {
			continue
		}
		if err := CheckBlob(b); err != nil {
			return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
		}
		blobs = append(blobs, r.Blob(b))
	}
	return blobs, nil
}

// Same reports whether the images of a set are still those of its original.
func (s Set) Same(images []*Image) bool {
	for i, img := range images {
		if img.Descriptor.Digest != s.Images[i].Descriptor.Digest {
			return false
		}
	}
	return true
}

// bare returns a descriptor without what an index says of it.
func bare(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}
