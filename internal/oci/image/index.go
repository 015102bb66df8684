package image

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/record"
)

// Annotations that smith gives to an image in an index.
const (
	// AnnotationAttachments is the JSON array of the descriptors of what
	// travels with the image.
	AnnotationAttachments = record.AnnotationAttachments
	AnnotationVersion     = "com.oracle.smith.version"
	AnnotationSHA         = "com.oracle.smith.sha"
	AnnotationBuild       = "com.oracle.smith.build"
	// AnnotationName is containerd's name of an image, which podman reads too.
	AnnotationName = "io.containerd.image.name"
)

// DefaultTag is an image's tag where none is named.
const DefaultTag = "latest"

// Labels are what an index says of an image. They stand beside the image and
// not in it, so that its digest does not depend on them. What is empty is left
// out.
type Labels struct {
	// Name is what the image is called where it is loaded, such as
	// "team/app:1.2"; without a tag it gets Tag.
	Name string
	// Tag is the image's tag in the archive; "" is DefaultTag.
	Tag string
	// Created is when the archive was made.
	Created time.Time
	// Version and SHA are smith's own, Build is the number of the build.
	Version, SHA, Build string
}

// tag returns the image's tag in the archive.
func (l Labels) tag() string {
	if l.Tag == "" {
		return DefaultTag
	}
	return l.Tag
}

// FullName returns the image's name with registry and tag, "" where it has
// none: "docker.io/library/app:1.2" for "app:1.2".
func (l Labels) FullName() (string, error) {
	named, err := l.named()
	if named == nil || err != nil {
		return "", err
	}
	return named.String(), nil
}

// ShortName returns the image's name as docker shows it, "" where it has none:
// "app:latest" for "docker.io/library/app".
func (l Labels) ShortName() (string, error) {
	named, err := l.named()
	if named == nil || err != nil {
		return "", err
	}
	return reference.FamiliarString(named), nil
}

func (l Labels) named() (reference.NamedTagged, error) {
	if l.Name == "" {
		return nil, nil
	}
	named, err := reference.ParseNormalizedNamed(l.Name)
	if err != nil {
		return nil, fmt.Errorf("cannot name the image %q: %w", l.Name, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, fmt.Errorf("cannot name the image %q: a name holds no digest", l.Name)
	}
	if tagged, ok := named.(reference.NamedTagged); ok {
		return tagged, nil
	}
	tagged, err := reference.WithTag(named, l.tag())
	if err != nil {
		return nil, fmt.Errorf("cannot name the image %q: %w", l.Name+":"+l.tag(), err)
	}
	return tagged, nil
}

// annotations returns the labels as an index has them.
func (l Labels) annotations() (map[string]string, error) {
	name, err := l.FullName()
	if err != nil {
		return nil, err
	}
	created := ""
	if !l.Created.IsZero() {
		created = l.Created.UTC().Format(time.RFC3339)
	}
	all := map[string]string{
		ocispec.AnnotationRefName: l.tag(),
		ocispec.AnnotationCreated: created,
		AnnotationName:            name,
		AnnotationVersion:         l.Version,
		AnnotationSHA:             l.SHA,
		AnnotationBuild:           l.Build,
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all, nil
}

// NameOf returns a name that an image can have, after that of a folder or a
// file: lower case, what cannot stand in a name replaced by "-". It is "image"
// where nothing is left.
func NameOf(text string) string {
	plain := strings.Map(func(r rune) rune {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return '-'
		}
		return r
	}, strings.ToLower(text))
	parts := strings.FieldsFunc(plain, func(r rune) bool { return r == '-' })
	if len(parts) == 0 {
		return "image"
	}
	name := strings.Join(parts, "-")
	return strings.TrimRight(name[:min(len(name), 128)], "-")
}

// Entry returns the one entry of index.json that describes the set, all but for
// the same program on different platforms, and all blobs that belong to it,
// small ones first. One image is the entry itself, with its attachments; several
// are in an image index of their own, in the order in which they are given, or
// in the original one.
func Entry(set Set, labels Labels) (ocispec.Descriptor, []Blob, error) {
	none := ocispec.Descriptor{}
	if len(set.Images) == 0 {
		return none, nil, errors.New("there is no image to write")
	}
	annotations, err := labels.annotations()
	if err != nil {
		return none, nil, err
	}
	small, layers := set.blobs()
	var entry ocispec.Descriptor
	switch {
	case set.Original != nil:
		o := set.Original
		entry = bare(o.Index.Descriptor)
		if entry.Annotations, err = attachmentsOf(set.Images); err != nil {
			return none, nil, err
		}
		small = slices.Concat([]Blob{o.Index}, o.Manifests, small)
		layers = append(layers, o.Blobs...)
	case len(set.Images) == 1:
		if entry, err = set.Images[0].child(); err != nil {
			return none, nil, err
		}
	default:
		index, err := Index(set.Images)
		if err != nil {
			return none, nil, err
		}
		entry = index.Descriptor
		small = append([]Blob{index}, small...)
	}
	if entry.Annotations == nil {
		entry.Annotations = map[string]string{}
	}
	maps.Copy(entry.Annotations, annotations)
	return entry, once(append(small, layers...)), nil
}

// blobs returns the blobs of the images: manifests, configs and attachments,
// and layers.
func (s Set) blobs() (small, layers []Blob) {
	for _, img := range s.Images {
		for _, b := range img.Blobs() {
			if slices.ContainsFunc(img.Layers, func(l Layer) bool { return l.Descriptor.Digest == b.Descriptor.Digest }) {
				layers = append(layers, b)
			} else {
				small = append(small, b)
			}
		}
	}
	return small, layers
}

// attachmentsOf returns the annotation that lists what is attached to each of
// several images, nil where that is nothing or where their own descriptors list
// it.
func attachmentsOf(images []*Image) (map[string]string, error) {
	byImage := map[digest.Digest][]ocispec.Descriptor{}
	for _, img := range images {
		if img.Descriptor.Annotations[AnnotationAttachments] != "" {
			continue
		}
		for _, a := range img.Attachments {
			byImage[img.Descriptor.Digest] = append(byImage[img.Descriptor.Digest], a.Descriptor)
		}
	}
	if len(byImage) == 0 {
		return nil, nil
	}
	text, err := encode(byImage)
	return map[string]string{AnnotationAttachments: string(text)}, err
}

// Index returns the index of images for several platforms, in their order: an
// OCI image index, or Docker's manifest list where all of them are in Docker's
// form.
func Index(images []*Image) (Blob, error) {
	list := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: DockerList}
	for _, img := range images {
		child, err := img.child()
		if err != nil {
			return Blob{}, err
		}
		if child.MediaType != DockerManifest {
			list.MediaType = ocispec.MediaTypeImageIndex
		}
		list.Manifests = append(list.Manifests, child)
	}
	data, err := encode(list)
	if err != nil {
		return Blob{}, err
	}
	return NewBlob(list.MediaType, data), nil
}

// child returns the image's descriptor in an index.
func (img *Image) child() (ocispec.Descriptor, error) {
	d := ocispec.Descriptor{
		MediaType: img.Descriptor.MediaType, Digest: img.Descriptor.Digest, Size: img.Descriptor.Size,
		Platform: img.Descriptor.Platform,
	}
	if len(img.Attachments) == 0 {
		return d, nil
	}
	list := make([]ocispec.Descriptor, len(img.Attachments))
	for i, a := range img.Attachments {
		list[i] = a.Descriptor
	}
	data, err := encode(list)
	d.Annotations = map[string]string{AnnotationAttachments: string(data)}
	return d, err
}

// EncodeIndex returns the bytes of an image index.
func EncodeIndex(manifests []ocispec.Descriptor) ([]byte, error) {
	return encode(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: manifests,
	})
}
