package image

import (
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// New puts an image together from its layers, the lowest first, and a config,
// which names the platform. It fills in what follows from the layers: rootfs,
// and a history entry for each layer that has none, dated as the config is,
// for a history that is shorter than the layers is a parent's. No clock is
// read: where the config has no date the image has none.
//
// Layers with Docker's media types get OCI's, which name the same bytes: one
// image never mixes them.
func New(config Config, layers []Layer, attachments ...Blob) (*Image, error) {
	img := &Image{Config: config, Layers: slices.Clone(layers), Attachments: attachments}
	if err := img.complete(); err != nil {
		return nil, fmt.Errorf("cannot make the image: %w", err)
	}
	var err error
	if img.ConfigBytes, err = encode(img.Config); err != nil {
		return nil, err
	}
	img.Manifest = ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    NewBlob(ocispec.MediaTypeImageConfig, img.ConfigBytes).Descriptor,
		Layers:    []ocispec.Descriptor{},
	}
	for _, l := range img.Layers {
		img.Manifest.Layers = append(img.Manifest.Layers, l.Descriptor)
	}
	if img.ManifestBytes, err = encode(img.Manifest); err != nil {
		return nil, err
	}
	img.Descriptor = NewBlob(ocispec.MediaTypeImageManifest, img.ManifestBytes).Descriptor
	platform := config.Platform
	img.Descriptor.Platform = &platform
	return img, nil
}

// complete fills in what the config must say of the layers, and checks the rest.
func (img *Image) complete() error {
	c := &img.Config
	if c.OS == "" || c.Architecture == "" {
		return errors.New("its config names no platform")
	}
	c.RootFS = ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}
	for i := range img.Layers {
		l := &img.Layers[i]
		var known bool
		if l.Descriptor.MediaType, known = layerMediaType(l.Descriptor.MediaType); !known {
			return fmt.Errorf("layer %s has the unknown media type %q", l.Descriptor.Digest, l.Descriptor.MediaType)
		}
		if err := errors.Join(l.DiffID.Validate(), l.Descriptor.Digest.Validate()); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, l.DiffID)
	}
	described := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			described++
		}
	}
	if described > len(img.Layers) {
		return fmt.Errorf("its history tells of %d layers, it has %d", described, len(img.Layers))
	}
	c.History = slices.Clone(c.History)
	for ; described < len(img.Layers); described++ {
		c.History = append(c.History, ocispec.History{Created: c.Created, CreatedBy: "smith"})
	}
	return nil
}

// Blobs returns everything that the image consists of, its attachments too:
// manifest and config, then the attachments, then the layers, each once.
func (img *Image) Blobs() []Blob {
	all := []Blob{
		NewBlob(img.Descriptor.MediaType, img.ManifestBytes),
		NewBlob(img.Manifest.Config.MediaType, img.ConfigBytes),
	}
	all = append(all, img.Attachments...)
	for _, l := range img.Layers {
		all = append(all, l.Blob)
	}
	return once(all)
}

// once drops blobs that stand further up already.
func once(blobs []Blob) []Blob {
	seen := map[digest.Digest]bool{}
	return slices.DeleteFunc(blobs, func(b Blob) bool {
		known := seen[b.Descriptor.Digest]
		seen[b.Descriptor.Digest] = true
		return known
	})
}
