package image

import (
	"fmt"
	"maps"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Form is a family of media types. One image never mixes them.
type Form string

// The forms of images.
const (
	OCI    Form = "oci"    // OCI image specification
	Docker Form = "docker" // Docker's Image Manifest V 2, Schema 2
)

// In returns the image in a form: the same config and layers, described anew.
// An image that is in that form already is returned as it is.
func (img *Image) In(form Form) (*Image, error) {
	manifest, config, layerType := ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageConfig, layerMediaType
	if form == Docker {
		manifest, config, layerType = DockerManifest, DockerConfig, dockerLayer
	}
	same := img.Descriptor.MediaType == manifest && img.Manifest.Config.MediaType == config
	out := *img
	out.Layers = nil
	for _, l := range img.Layers {
		mediaType, known := layerType(l.Descriptor.MediaType)
		if !known {
			return nil, fmt.Errorf("layer %s has the unknown media type %q", l.Descriptor.Digest, l.Descriptor.MediaType)
		}
		same = same && mediaType == l.Descriptor.MediaType
		l.Descriptor.MediaType = mediaType
		out.Layers = append(out.Layers, l)
	}
	if same {
		return img, nil
	}
	out.Manifest = ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: manifest,
		Config:    ocispec.Descriptor{MediaType: config, Digest: img.Manifest.Config.Digest, Size: img.Manifest.Config.Size},
		Layers:    []ocispec.Descriptor{},
	}
	if form == OCI { // Docker's manifest has no place for them
		out.Manifest.Annotations = maps.Clone(img.Manifest.Annotations)
	}
	for _, l := range out.Layers {
		d := ocispec.Descriptor{MediaType: l.Descriptor.MediaType, Digest: l.Descriptor.Digest, Size: l.Descriptor.Size, URLs: l.Descriptor.URLs}
		out.Manifest.Layers = append(out.Manifest.Layers, d)
	}
	var err error
	if out.ManifestBytes, err = encode(out.Manifest); err != nil {
		return nil, err
	}
	d := NewBlob(manifest, out.ManifestBytes).Descriptor
	out.Descriptor.MediaType, out.Descriptor.Digest, out.Descriptor.Size = d.MediaType, d.Digest, d.Size
	return &out, nil
}

// dockerLayer returns Docker's media type for a layer's, and whether it is one.
func dockerLayer(mediaType string) (string, bool) {
	oci, known := layerMediaType(mediaType)
	if !known {
		return mediaType, false
	}
	return dockerLayers[oci], true
}
