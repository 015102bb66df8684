package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/image"
	"smith/internal/layer"
)

// Limits of an image, far above what images are.
const (
	maxDepth       = 4    // of indexes in indexes
	maxManifests   = 1024 // of one image, for all platforms
	maxAttachments = 64
)

// Docker's media types (distribution, "Image Manifest V 2, Schema 2").
const (
	dockerManifestType = "application/vnd.docker.distribution.manifest.v2+json"
	dockerListType     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfigType   = "application/vnd.docker.container.image.v1+json"
)

func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerListType
}

func isManifest(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageManifest || mediaType == dockerManifestType
}

// Image returns the image that a tag names ("": "latest" if it is there, else
// the only one) for a platform. What it says is checked, its layers are not
// read yet; their blobs can be opened until the archive is closed.
func (a *Archive) Image(ctx context.Context, tag string, platform ocispec.Platform) (*image.Image, error) {
	img, err := a.image(ctx, tag, platform)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", a.path, err)
	}
	return img, nil
}

// A candidate is an image for one platform.
type candidate struct {
	entry int
	desc  ocispec.Descriptor
	image *image.Image // nil until it had to be read
}

func (a *Archive) image(ctx context.Context, tag string, platform ocispec.Platform) (*image.Image, error) {
	entries, err := a.choose(tag)
	if err != nil {
		return nil, err
	}
	var all []candidate
	for i, e := range entries {
		if e.docker != nil {
			img, err := a.dockerManifest(ctx, e.docker)
			if err != nil {
				return nil, err
			}
			img.Descriptor.Platform = &img.Config.Platform
			all = append(all, candidate{i, img.Descriptor, img})
			continue
		}
		if all, err = a.candidates(ctx, all, i, e.desc, 0); err != nil {
			return nil, err
		}
	}
	best, err := pick(all, platform)
	if err != nil || best.image != nil {
		return best.image, err
	}
	return a.manifest(ctx, best.desc)
}

// candidates lists the images that a descriptor leads to. What the descriptor
// of an index says of all its images is passed on to them.
func (a *Archive) candidates(ctx context.Context, all []candidate, entry int, d ocispec.Descriptor, depth int) ([]candidate, error) {
	if isManifest(d.MediaType) {
		if attestation(d) {
			return all, nil
		}
		c := candidate{entry: entry, desc: d}
		if d.Platform == nil || d.Platform.OS == "" {
			img, err := a.manifest(ctx, d)
			if err != nil {
				return nil, err
			}
			img.Descriptor.Platform = &img.Config.Platform
			c.image, c.desc = img, img.Descriptor
		}
		if len(all) >= maxManifests {
			return nil, fmt.Errorf("more than %d manifests", maxManifests)
		}
		return append(all, c), nil
	}
	if !isIndex(d.MediaType) {
		return nil, fmt.Errorf("manifest %s: unknown media type %.100q", d.Digest, d.MediaType)
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("index %s: more than %d indexes in each other", d.Digest, maxDepth)
	}
	var index ocispec.Index
	if _, err := a.document(ctx, d, "index", &index); err != nil {
		return nil, err
	}
	for _, child := range index.Manifests {
		if child.Annotations == nil {
			child.Annotations = map[string]string{}
		}
		for key, value := range d.Annotations {
			if _, own := child.Annotations[key]; !own {
				child.Annotations[key] = value
			}
		}
		var err error
		if all, err = a.candidates(ctx, all, entry, child, depth+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// attestation says whether a manifest is no image, but says something of one:
// BuildKit gives those the platform unknown/unknown.
func attestation(d ocispec.Descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown" ||
		d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// pick returns the candidate that serves a platform best, of equal ones the
// first (image-index.md), as long as both are of the same entry. Who asks for
// no platform gets this machine's, or the only one that there is.
func pick(all []candidate, platform ocispec.Platform) (candidate, error) {
	if platform.Architecture == "" {
		platform = ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
		if len(all) == 1 {
			return all[0], nil
		}
	}
	var best candidate
	high := 0
	for _, c := range all {
		switch r := rank(platform, *c.desc.Platform); {
		case r > high:
			best, high = c, r
		case r == high && r > 0 && c.entry != best.entry && c.desc.Digest != best.desc.Digest:
			return best, fmt.Errorf("it holds several images for %s", platformName(platform))
		}
	}
	if high > 0 {
		return best, nil
	}
	var names []string
	for _, c := range all {
		names = append(names, platformName(*c.desc.Platform))
	}
	if len(names) == 0 {
		return best, errors.New("it holds no image, only statements about one")
	}
	slices.Sort(names)
	return best, fmt.Errorf("it has no image for %s; it has: %s", platformName(platform), strings.Join(slices.Compact(names), ", "))
}

// manifest reads the image of a manifest.
func (a *Archive) manifest(ctx context.Context, d ocispec.Descriptor) (*image.Image, error) {
	img := &image.Image{Descriptor: d}
	img.Descriptor.Annotations = maps.Clone(d.Annotations)
	var err error
	if img.ManifestBytes, err = a.document(ctx, d, "manifest", &img.Manifest); err != nil {
		return nil, err
	}
	m := img.Manifest
	switch {
	case m.MediaType != "" && m.MediaType != d.MediaType:
		return nil, fmt.Errorf("manifest %s: its media type is %.100q, its descriptor says %q", d.Digest, m.MediaType, d.MediaType)
	case m.Config.MediaType != ocispec.MediaTypeImageConfig && m.Config.MediaType != dockerConfigType:
		return nil, fmt.Errorf("config %s: unknown media type %.100q", m.Config.Digest, m.Config.MediaType)
	}
	if img.ConfigBytes, err = a.document(ctx, m.Config, "config", nil); err != nil {
		return nil, err
	}
	if err := decodeConfig(img); err != nil {
		return nil, err
	}
	if err := a.layers(img); err != nil {
		return nil, err
	}
	return img, a.attachments(img)
}

func decodeConfig(img *image.Image) error {
	if err := json.Unmarshal(img.ConfigBytes, &img.Config); err != nil {
		return fmt.Errorf("config %s: %w", digest.FromBytes(img.ConfigBytes), err)
	}
	return nil
}

// layers puts the layers of the manifest and the diff_ids of the config
// together.
func (a *Archive) layers(img *image.Image) error {
	diffIDs := img.Config.RootFS.DiffIDs
	if got, want := len(img.Manifest.Layers), len(diffIDs); got != want {
		return fmt.Errorf("the manifest lists %d layers, the config %d", got, want)
	}
	for i, d := range img.Manifest.Layers {
		if err := layer.CheckMediaType(d.MediaType); err != nil {
			return fmt.Errorf("layer %s: %w", d.Digest, err)
		}
		name, err := blobName(d)
		if err != nil {
			return err
		}
		img.Layers = append(img.Layers, image.Layer{Blob: a.blob(d, name), DiffID: diffIDs[i]})
	}
	return nil
}

// attachments finds what travels with the image.
func (a *Archive) attachments(img *image.Image) error {
	text := img.Descriptor.Annotations[image.AnnotationAttachments]
	if text == "" {
		return nil
	}
	var list []ocispec.Descriptor
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return fmt.Errorf("annotation %s: %w", image.AnnotationAttachments, err)
	}
	if len(list) > maxAttachments {
		return fmt.Errorf("annotation %s: more than %d attachments", image.AnnotationAttachments, maxAttachments)
	}
	for _, d := range list {
		name, err := blobName(d)
		if err != nil {
			return err
		}
		img.Attachments = append(img.Attachments, a.blob(d, name))
	}
	return nil
}

// document reads a JSON blob and checks it.
func (a *Archive) document(ctx context.Context, d ocispec.Descriptor, what string, to any) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("%s %.100s: %w", what, d.Digest, err) }
	name, err := blobName(d)
	if err != nil {
		return fail(err)
	}
	if d.Size > maxJSON {
		return fail(fmt.Errorf("its %d bytes are more than the %d allowed", d.Size, maxJSON))
	}
	r, err := a.openBlob(ctx, d, name)
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return fail(err)
	}
	if to != nil {
		if err := json.Unmarshal(data, to); err != nil {
			return fail(err)
		}
	}
	return data, nil
}

// blobName returns where a layout keeps a blob (image-layout.md, "Blobs").
func blobName(d ocispec.Descriptor) (string, error) {
	if err := d.Digest.Validate(); err != nil {
		return "", fmt.Errorf("blob %.100q: %w", d.Digest, err)
	}
	if d.Digest.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("blob %.100q: only sha256 is supported", d.Digest)
	}
	if d.Size < 0 {
		return "", fmt.Errorf("blob %s: a size of %d", d.Digest, d.Size)
	}
	return "blobs/sha256/" + d.Digest.Encoded(), nil
}

func (a *Archive) blob(d ocispec.Descriptor, name string) image.Blob {
	return image.Blob{Descriptor: d, Open: func(ctx context.Context) (io.ReadCloser, error) {
		r, err := a.openBlob(ctx, d, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", a.path, name, err)
		}
		return r, nil
	}}
}

func (a *Archive) openBlob(ctx context.Context, d ocispec.Descriptor, name string) (io.ReadCloser, error) {
	r, size, err := a.files.open(ctx, name)
	if err != nil {
		return nil, reason(err)
	}
	if size != d.Size {
		r.Close()
		return nil, fmt.Errorf("it has %d bytes, its descriptor says %d", size, d.Size)
	}
	return image.Verify(section{cancelled{ctx, r}, r}, d)
}
