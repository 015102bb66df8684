package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
)

// What travels with an image is attached to it as referrers (OCI image
// specification, "Guidelines for Artifact Usage"): for each a manifest whose
// subject is the image's, whose artifact type is the attachment's media type,
// and whose one layer it is. The library keeps the list under a tag where the
// registry lacks the API (OCI distribution specification, "Referrers Tag
// Schema").

// emptyConfig is the config of an artifact that has none.
func emptyConfig() image.Blob {
	return image.NewBlob(ocispec.MediaTypeEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
}

// attach writes the attachments of an image that is in the repository. A
// registry that does not take them is warned of: the image is whole without.
func (w *writing) attach(ctx context.Context, img *image.Image) error {
	subject := ocispec.Descriptor{MediaType: img.Descriptor.MediaType, Digest: img.Descriptor.Digest, Size: img.Descriptor.Size}
	for _, a := range img.Attachments {
		data, err := json.Marshal(ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
			ArtifactType: a.Descriptor.MediaType, Config: emptyConfig().Descriptor,
			Layers: []ocispec.Descriptor{a.Descriptor}, Subject: &subject,
		})
		if err != nil {
			return fmt.Errorf("cannot describe an attachment: %w", err)
		}
		d := image.NewBlob(ocispec.MediaTypeImageManifest, data).Descriptor
		switch err := w.push(ctx, d, data, d.Digest.String()); {
		case refused(err):
			w.repo.options.Events.Warn(fmt.Sprintf("%s takes no attachments: the record of the build stays out", w.repo.name.Host))
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// maxReferrers bounds how many artifacts are looked at.
const maxReferrers = 256

// Attach finds what was attached to an image that was read from here and adds
// it to the image. An index may have listed it already. The image is whole
// without: a registry that does not answer as it should is warned of, and the
// only error is that of a context that is done. Such answers are common: 401 and
// 403 of registries with rules for each endpoint, 406, 429, and redirects that
// lead nowhere (go-containerregistry#2026).
func (i *Image) Attach(ctx context.Context, img *image.Image) error {
	if len(img.Attachments) > 0 {
		return nil
	}
	ours, err := i.referrers(ctx, img)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		i.repo.options.Events.Warn(fmt.Sprintf("cannot list what is attached to %s: %v", i.name, plain(err)))
	}
	found := map[string]image.Blob{} // by type; of several the last
	for _, d := range ours {
		b, err := i.attachment(ctx, img, d)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			i.repo.options.Events.Warn(fmt.Sprintf("cannot read what is attached to %s: %v", i.name, plain(err)))
		case strings.HasPrefix(b.Descriptor.MediaType, ourArtifacts):
			found[b.Descriptor.MediaType] = b
		}
	}
	for _, mediaType := range slices.Sorted(maps.Keys(found)) {
		img.Attachments = append(img.Attachments, found[mediaType])
	}
	return nil
}

// referrers lists the artifacts attached to an image that may be smith's, by
// the API, or by the tag schema where that fails with an answer.
func (i *Image) referrers(ctx context.Context, img *image.Image) ([]ocispec.Descriptor, error) {
	subject := ocispec.Descriptor{MediaType: img.Descriptor.MediaType, Digest: img.Descriptor.Digest, Size: img.Descriptor.Size}
	var ours []ocispec.Descriptor
	seen := 0
	add := func(page []ocispec.Descriptor) error {
		for _, d := range page {
			if seen++; seen > maxReferrers {
				return errEnough
			}
			// Some registries give the config's type in place of the artifact's.
			if strings.HasPrefix(d.ArtifactType, ourArtifacts) || d.ArtifactType == ocispec.MediaTypeEmptyJSON {
				ours = append(ours, d)
			}
		}
		return nil
	}
	err := i.repo.remote.Referrers(ctx, subject, "", add)
	if code := status(err); code >= 400 && i.repo.remote.SetReferrersCapability(false) == nil {
		if again := i.repo.remote.Referrers(ctx, subject, "", add); again == nil && len(ours) > 0 {
			err = nil
		}
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return ours, err
}

var errEnough = errors.New("enough")

// ourArtifacts begins the types of the artifacts that are smith's.
const ourArtifacts = "application/vnd.smith."

// attachment reads an artifact's manifest and returns the blob that it stands
// for, which is empty where it is not of smith's form.
func (i *Image) attachment(ctx context.Context, img *image.Image, d ocispec.Descriptor) (image.Blob, error) {
	none := image.Blob{}
	if err := image.CheckBlob(d); err != nil {
		return none, err
	}
	if d.Size > image.MaxJSON {
		return none, fmt.Errorf("artifact %s: its %d bytes are more than the %d allowed", d.Digest, d.Size, image.MaxJSON)
	}
	data, err := read(ctx, i.repo.blob(d))
	if err != nil {
		return none, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return none, fmt.Errorf("artifact %s: %w", d.Digest, err)
	}
	if len(m.Layers) != 1 || m.Layers[0].MediaType != m.ArtifactType || m.Subject == nil || m.Subject.Digest != img.Descriptor.Digest {
		return none, nil
	}
	return i.repo.blob(m.Layers[0]), image.CheckBlob(m.Layers[0])
}

// read returns a small blob whole.
func read(ctx context.Context, b image.Blob) ([]byte, error) {
	r, err := b.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
