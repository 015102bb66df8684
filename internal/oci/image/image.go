// Package image is an OCI image as bytes: layers packed from a file tree,
// config, manifest, index and attachments (OCI image specification 1.1). It
// does not know why a file is in a layer, nor where an image is kept.
package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/record"
)

// A Blob is a piece of an image whose bytes lie somewhere else: in the cache,
// in an archive, in memory.
type Blob struct {
	// Descriptor is what the manifest or index says of the blob.
	Descriptor ocispec.Descriptor
	// Open returns the blob's bytes as the descriptor has them, compressed if
	// the media type says so. They are checked against digest and size while
	// they are read: the last read fails where they do not match.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// File opens the file that holds the blob's bytes as they are, and says
	// where in it they begin, for who has the system move them. Nothing checks
	// them. It is nil where there is no such file. The caller closes the file.
	File func() (f *os.File, offset int64, err error)
	// Remote is the repository of a registry, HOST/NAME, that has the blob, or
	// "": the registry can put it into another of its repositories by itself.
	Remote string
}

// A Layer is a Blob with the digest of its plain tar.
type Layer struct {
	Blob
	DiffID digest.Digest
}

// An Image is one image for one platform.
type Image struct {
	// Descriptor is the manifest's, with the annotations and the platform that
	// the index gives it.
	Descriptor ocispec.Descriptor
	// Manifest and Config are as decoded from their bytes, which are kept: what
	// is read is passed on unchanged.
	Manifest      ocispec.Manifest
	ManifestBytes []byte
	Config        Config
	ConfigBytes   []byte
	// Layers are in the order in which they stack, the lowest first.
	Layers []Layer
	// Attachments travel with the image without being part of it: the
	// normalised spec, the package list, the build record.
	Attachments []Blob
}

// Media types of what smith attaches to an image.
const (
	MediaTypeSpec     = "application/vnd.smith.spec+json"
	MediaTypePackages = "application/vnd.smith.packages"
	MediaTypeRecord   = record.MediaType
)

// Config is an image's config: OCI's, and Docker's healthcheck, which OCI
// leaves to extensions.
type Config struct {
	ocispec.Image
	// Config shadows the embedded one.
	Config ContainerConfig `json:"config,omitempty"`
}

// ContainerConfig is how a container of the image is run.
type ContainerConfig struct {
	ocispec.ImageConfig
	Healthcheck *Healthcheck `json:"Healthcheck,omitempty"`
}

// Program returns what a container runs by default, and its arguments: the
// entry point, else what stands as its cmd.
func Program(c ocispec.ImageConfig) []string {
	if len(c.Entrypoint) > 0 {
		return c.Entrypoint
	}
	return c.Cmd
}

// Healthcheck is Docker's HEALTHCHECK, durations in nanoseconds.
type Healthcheck struct {
	Test          []string      `json:"Test,omitempty"`
	Interval      time.Duration `json:"Interval,omitempty"`
	Timeout       time.Duration `json:"Timeout,omitempty"`
	StartPeriod   time.Duration `json:"StartPeriod,omitempty"`
	StartInterval time.Duration `json:"StartInterval,omitempty"`
	Retries       int           `json:"Retries,omitempty"`
}

// Program returns the program that the check runs, "" where it runs none.
func (h *Healthcheck) Program() string {
	switch {
	case h == nil || len(h.Test) < 2: //nolint:mnd // the kind of the check and a word
	case h.Test[0] == "CMD":
		return h.Test[1]
	case h.Test[0] == "CMD-SHELL":
		return "/bin/sh"
	}
	return ""
}

// LayersSize returns the size of all layers as they are stored and
// transferred, in bytes.
func (img *Image) LayersSize() int64 {
	var n int64
	for _, l := range img.Layers {
		n += l.Descriptor.Size
	}
	return n
}

// Attachment returns the bytes of what is attached to the image under a media
// type, nil where there is none.
func (img *Image) Attachment(ctx context.Context, mediaType string) ([]byte, error) {
	for _, b := range img.Attachments {
		if b.Descriptor.MediaType != mediaType {
			continue
		}
		if b.Descriptor.Size > record.MaxSize {
			return nil, fmt.Errorf("cannot read its %s: its size of %d bytes exceeds the limit of %d", mediaType, b.Descriptor.Size, record.MaxSize)
		}
		r, err := b.Open(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot read its %s: %w", mediaType, err)
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, b.Descriptor.Size+1))
		if err != nil {
			return nil, fmt.Errorf("cannot read its %s: %w", mediaType, err)
		}
		return data, nil
	}
	return nil, nil
}
