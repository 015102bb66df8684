package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/compress"
	"smith/internal/oci/image"
)

// A dockerImage is an element of manifest.json, the form of `docker save`
// (Docker image specification 1.2, "Combined image JSON + filesystem changeset
// format").
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func (a *Archive) loadDocker(ctx context.Context) error {
	var images []dockerImage
	if err := a.decode(ctx, "manifest.json", &images); err != nil {
		return err
	}
	for i := range images {
		a.entries = append(a.entries, entry{names: images[i].RepoTags, docker: &images[i]})
	}
	if len(images) == 0 {
		return errors.New("manifest.json lists no image")
	}
	return nil
}

// dockerManifest gives an image of `docker save` the manifest that it lacks.
// Digests of plain layers are taken from the config, and checked when the
// layers are read.
func (a *Archive) dockerManifest(ctx context.Context, d *dockerImage) (*image.Image, error) {
	config := clean(d.Config)
	data, err := a.read(ctx, config)
	if err != nil {
		return nil, err
	}
	found := digest.FromBytes(data)
	if want := namedDigest(config); want != "" && want != found {
		return nil, fmt.Errorf("%s: its bytes have digest %s", config, found)
	}
	img := &image.Image{ConfigBytes: data}
	if err := img.DecodeConfig(); err != nil {
		return nil, err
	}
	if got, want := len(d.Layers), len(img.Config.RootFS.DiffIDs); got != want {
		return nil, fmt.Errorf("manifest.json lists %d layers, the config %d", got, want)
	}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
	m.SchemaVersion = 2
	m.Config = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: found, Size: int64(len(data))}
	for i, name := range d.Layers {
		l, err := a.dockerLayer(ctx, clean(name), img.Config.RootFS.DiffIDs[i])
		if err != nil {
			return nil, fmt.Errorf("layer %.100s: %w", name, err)
		}
		m.Layers = append(m.Layers, l.Descriptor)
		img.Layers = append(img.Layers, l)
	}
	img.Manifest = m
	if img.ManifestBytes, err = json.Marshal(m); err != nil {
		return nil, err
	}
	img.Descriptor = ocispec.Descriptor{
		MediaType: m.MediaType, Digest: digest.FromBytes(img.ManifestBytes), Size: int64(len(img.ManifestBytes)),
	}
	return img, nil
}

// namedDigest returns the digest that a config's name claims: docker save
// writes ID.json or blobs/sha256/ID, others sha256:ID.
func namedDigest(name string) digest.Digest {
	id := strings.TrimPrefix(strings.TrimSuffix(path.Base(name), ".json"), "sha256:")
	if d := digest.NewDigestFromEncoded(digest.SHA256, id); d.Validate() == nil {
		return d
	}
	return ""
}

func (a *Archive) dockerLayer(ctx context.Context, name string, diffID digest.Digest) (image.Layer, error) {
	none := image.Layer{}
	r, size, err := a.files.open(ctx, name)
	if err != nil {
		return none, reason(err)
	}
	head := make([]byte, compress.HeadSize)
	n, err := io.ReadFull(r, head)
	r.Close()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return none, err
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffID, Size: size}
	if compressed := compress.FormOf(head[:n]); compressed != compress.Plain {
		desc.MediaType += "+" + string(compressed)
		if desc.Digest, err = a.files.sum(ctx, name); err != nil {
			return none, err
		}
	}
	return image.Layer{Blob: a.blob(desc, name), DiffID: diffID}, nil
}
