package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// MaxJSON bounds every JSON document of an image, in bytes.
const MaxJSON = 8 << 20

// maxAttachments bounds what may travel with an image.
const maxAttachments = 64

// A Reader reads images from wherever their blobs lie: an archive, a registry.
// What an image says is checked; its layers are not read.
type Reader struct {
	// Blob returns the blob of a descriptor whose digest and size CheckBlob
	// accepts. Its bytes need not be there.
	Blob func(d ocispec.Descriptor) Blob
}

// Image reads the image of a manifest.
func (r Reader) Image(ctx context.Context, d ocispec.Descriptor) (*Image, error) {
	img := &Image{Descriptor: d}
	img.Descriptor.Annotations = maps.Clone(d.Annotations)
	var err error
	if img.ManifestBytes, err = r.document(ctx, d, "manifest", &img.Manifest); err != nil {
		return nil, err
	}
	m := img.Manifest
	switch {
	case m.MediaType != "" && m.MediaType != d.MediaType:
		return nil, fmt.Errorf("manifest %s: its media type is %.100q, its descriptor says %q", d.Digest, m.MediaType, d.MediaType)
	case m.Config.MediaType != ocispec.MediaTypeImageConfig && m.Config.MediaType != DockerConfig:
		return nil, fmt.Errorf("config %s: media type %.100q: %w", m.Config.Digest, m.Config.MediaType, errArtifact)
	}
	if img.ConfigBytes, err = r.document(ctx, m.Config, "config", nil); err != nil {
		return nil, err
	}
	if err := img.DecodeConfig(); err != nil {
		return nil, err
	}
	if err := r.layers(img); err != nil {
		return nil, err
	}
	return img, r.attachments(img)
}

// errArtifact is the error of a manifest that is not an image's.
var errArtifact = errors.New("not an image, but another artifact")

// DecodeConfig sets Config from ConfigBytes.
func (img *Image) DecodeConfig() error {
	if err := json.Unmarshal(img.ConfigBytes, &img.Config); err != nil {
		return fmt.Errorf("config %s: %w", digest.FromBytes(img.ConfigBytes), err)
	}
	return nil
}

// layers puts the layers of the manifest and the diff_ids of the config
// together.
func (r Reader) layers(img *Image) error {
	diffIDs := img.Config.RootFS.DiffIDs
	if got, want := len(img.Manifest.Layers), len(diffIDs); got != want {
		return fmt.Errorf("the manifest lists %d layers, the config %d", got, want)
	}
	for i, d := range img.Manifest.Layers {
		if err := CheckLayerType(d.MediaType); err != nil {
			return fmt.Errorf("layer %s: %w", d.Digest, err)
		}
		if err := CheckBlob(d); err != nil {
			return err
		}
		img.Layers = append(img.Layers, Layer{Blob: r.Blob(d), DiffID: diffIDs[i]})
	}
	return nil
}

// attachments finds what travels with the image. The annotation lists it, or,
// at an index that must not be changed, lists it by the image's digest.
func (r Reader) attachments(img *Image) error {
	text := img.Descriptor.Annotations[AnnotationAttachments]
	if text == "" {
		return nil
	}
	var list []ocispec.Descriptor
	var err error
	if strings.HasPrefix(text, "{") {
		var byImage map[digest.Digest][]ocispec.Descriptor
		err = json.Unmarshal([]byte(text), &byImage)
		list = byImage[img.Descriptor.Digest]
	} else {
		err = json.Unmarshal([]byte(text), &list)
	}
	if err != nil {
		return fmt.Errorf("annotation %s: %w", AnnotationAttachments, err)
	}
	if len(list) > maxAttachments {
		return fmt.Errorf("annotation %s: more than %d attachments", AnnotationAttachments, maxAttachments)
	}
	for _, d := range list {
		if err := CheckBlob(d); err != nil {
			return err
		}
		img.Attachments = append(img.Attachments, r.Blob(d))
	}
	return nil
}

// document reads a JSON blob and checks it.
func (r Reader) document(ctx context.Context, d ocispec.Descriptor, what string, to any) ([]byte, error) {
	data, err := r.readDocument(ctx, d)
	if err == nil && to != nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %.100s: %w", what, d.Digest, err)
	}
	return data, nil
}

func (r Reader) readDocument(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := CheckBlob(d); err != nil {
		return nil, err
	}
	if d.Size > MaxJSON {
		return nil, fmt.Errorf("its %d bytes are more than the %d allowed", d.Size, MaxJSON)
	}
	in, err := r.Blob(d).Open(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// CheckBlob refuses a descriptor whose digest or size is none, or whose digest
// is not SHA-256: that is what blobs are kept by.
func CheckBlob(d ocispec.Descriptor) error {
	if err := d.Digest.Validate(); err != nil {
		return fmt.Errorf("blob %.100q: %w", d.Digest, err)
	}
	if d.Digest.Algorithm() != digest.SHA256 {
		return fmt.Errorf("blob %.100q: only sha256 is supported", d.Digest)
	}
	if d.Size < 0 {
		return fmt.Errorf("blob %s: a size of %d", d.Digest, d.Size)
	}
	return nil
}
