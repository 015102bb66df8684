package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/reference"
)

// A Written is what Write did.
type Written struct {
	// Name is the reference with the digest: HOST/NAME:TAG@DIGEST.
	Name string
	// Digest is the manifest's, or the index's of several platforms.
	Digest digest.Digest
	// Form is that in which the registry took the image.
	Form image.Form
	// Uploaded, Mounted and Existing are the layers, configs and attachments
	// that were sent, that the registry had elsewhere, and that it had there.
	Uploaded, Mounted, Existing Tally
}

// A Tally is a number of blobs and their size in bytes.
type Tally struct {
	Blobs int
	Bytes int64
}

// Write writes the images of a set to a registry in a form. A registry that
// refuses OCI's gets Docker's, with a warning. An original index is written byte
// for byte, with all that it leads to; where the form changes its images, a new
// one is written, with a warning. What travels with the images is attached as
// referrers.
//
// The tag comes last: at any time it names the old image or the new one, whole.
func (c *Client) Write(ctx context.Context, target reference.Reference, set image.Set, form image.Form) (*Written, error) {
	w := &writing{repo: c.open(ctx, target.Split()), done: map[digest.Digest]bool{}}
	err := w.write(ctx, set, form)
	if form == image.OCI && refused(err) {
		c.options.Events.Warn(fmt.Sprintf("%s does not take OCI images: the image is written in Docker's form", w.repo.name.Host))
		form = image.Docker
		err = w.write(ctx, set, form)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", target, plain(err))
	}
	w.result.Form = form
	return &w.result, nil
}

// errRefused says that a registry does not take manifests of a kind.
var errRefused = errors.New("refused")

func refused(err error) bool { return errors.Is(err, errRefused) }

// A writing is an image on its way into a repository.
type writing struct {
	repo *repository

	mu     sync.Mutex
	done   map[digest.Digest]bool // blobs that are there
	result Written
}

func (w *writing) write(ctx context.Context, set image.Set, form image.Form) error {
	if len(set.Images) == 0 {
		return errors.New("there is no image to write")
	}
	formed := make([]*image.Image, len(set.Images))
	for i, img := range set.Images {
		var err error
		if formed[i], err = img.In(form); err != nil {
			return err
		}
	}
	original := set.Original
	if original != nil && !set.Same(formed) {
		w.repo.options.Events.Warn(fmt.Sprintf("index %s is written anew: its images change with their form", original.Index.Descriptor.Digest))
		original = nil
	}
	top, err := topOf(formed, original)
	if err != nil {
		return err
	}
	if want := w.repo.name.Digest; want != "" && want != top.Descriptor.Digest.String() {
		return fmt.Errorf("the image has digest %s, not the one that the name asks for", top.Descriptor.Digest)
	}
	blobs := blobsOf(formed)
	if original != nil {
		blobs = append(blobs, original.Blobs...)
	}
	if err := w.blobs(ctx, blobs); err != nil {
		return err
	}
	if err := w.manifests(ctx, formed, original); err != nil {
		return err
	}
	return w.tag(ctx, top)
}

// topOf returns what the tag names: an index, or the manifest of one image.
func topOf(images []*image.Image, original *image.Original) (image.Blob, error) {
	switch {
	case original != nil:
		return original.Index, nil
	case len(images) > 1:
		return image.Index(images)
	}
	return image.NewBlob(images[0].Descriptor.MediaType, images[0].ManifestBytes), nil
}

// blobs writes what manifests name, several at once.
func (w *writing) blobs(ctx context.Context, blobs []image.Blob) error {
	var all []image.Blob
	var total int64
	for _, b := range blobs {
		if !w.done[b.Descriptor.Digest] {
			w.done[b.Descriptor.Digest] = true
			all = append(all, b)
			total += b.Descriptor.Size
		}
	}
	// The largest first, so that none is under way when all others are over.
	slices.SortStableFunc(all, func(a, b image.Blob) int { return cmp.Compare(b.Descriptor.Size, a.Descriptor.Size) })
	sum := w.repo.options.Events.Step(event.Upload, "", total)
	defer sum.Done()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, b := range all {
		group.Go(func() error {
			step := both{w.repo.options.Events.Step(event.Upload, b.Descriptor.Digest.Encoded()[:12], b.Descriptor.Size), sum}
			defer step.Done()
			how, err := w.repo.put(ctx, b, step)
			if err != nil {
				return fmt.Errorf("blob %s: %w", b.Descriptor.Digest, err)
			}
			if how != uploaded {
				step.Advance(b.Descriptor.Size)
			}
			w.count(how, b.Descriptor.Size)
			return nil
		})
	}
	return group.Wait()
}

// both is the progress of a blob, and that of all.
type both struct {
	event.Step
	sum event.Step
}

// Advance is event.Step's.
func (b both) Advance(n int64) {
	b.Step.Advance(n)
	b.sum.Advance(n)
}

func (w *writing) count(how outcome, size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tally := map[outcome]*Tally{existing: &w.result.Existing, mounted: &w.result.Mounted, uploaded: &w.result.Uploaded}[how]
	tally.Blobs++
	tally.Bytes += size
}

// blobsOf lists what must be there before the manifests are. A foreign layer
// stays where its descriptor says.
func blobsOf(images []*image.Image) []image.Blob {
	var all []image.Blob
	for _, img := range images {
		all = append(all, image.NewBlob(img.Manifest.Config.MediaType, img.ConfigBytes))
		if len(img.Attachments) > 0 {
			all = append(all, emptyConfig())
		}
		all = append(all, img.Attachments...)
		for _, l := range img.Layers {
			if !image.IsForeign(l.Descriptor.MediaType) || len(l.Descriptor.URLs) == 0 {
				all = append(all, l.Blob)
			}
		}
	}
	return all
}

// manifests writes those of the images by digest, what else an original index
// leads to, and what is attached to the images.
func (w *writing) manifests(ctx context.Context, images []*image.Image, original *image.Original) error {
	if len(images) == 1 && len(images[0].Attachments) == 0 && original == nil {
		return nil
	}
	for _, img := range images {
		if err := w.push(ctx, img.Descriptor, img.ManifestBytes, img.Descriptor.Digest.String()); err != nil {
			return err
		}
	}
	if original != nil {
		for _, m := range original.Manifests {
			data, err := read(ctx, m)
			if err != nil {
				return err
			}
			if err := w.push(ctx, m.Descriptor, data, m.Descriptor.Digest.String()); err != nil {
				return err
			}
		}
	}
	for _, img := range images {
		if err := w.attach(ctx, img); err != nil {
			return err
		}
	}
	return nil
}

// tag gives the image its name.
func (w *writing) tag(ctx context.Context, top image.Blob) error {
	data, err := read(ctx, top)
	if err != nil {
		return err
	}
	name := w.repo.name
	tag := name.Tag
	switch {
	case tag == "" && name.Digest != "":
		tag = name.Digest
	case tag == "":
		tag = image.DefaultTag
	}
	if err := w.push(ctx, top.Descriptor, data, tag); err != nil {
		return err
	}
	w.result.Digest = top.Descriptor.Digest
	w.result.Name = w.repo.path() + "@" + top.Descriptor.Digest.String()
	if !strings.Contains(tag, ":") {
		w.result.Name = w.repo.path() + ":" + tag + "@" + top.Descriptor.Digest.String()
	}
	return nil
}

// push writes a manifest or index under a tag or its digest.
func (w *writing) push(ctx context.Context, d ocispec.Descriptor, data []byte, name string) error {
	d = ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
	err := w.repo.remote.PushReference(ctx, d, bytes.NewReader(data), name)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*errcode.ErrorResponse](err); ok && takesNot(e) {
		return fmt.Errorf("%w: the registry %w", err, errRefused)
	}
	return fmt.Errorf("manifest %s: %w", d.Digest, plain(err))
}

// takesNot says whether a registry refuses a manifest for its kind. Those made
// before OCI call it invalid or unsupported.
func takesNot(e *errcode.ErrorResponse) bool {
	if e.StatusCode == http.StatusUnsupportedMediaType {
		return true
	}
	for _, said := range e.Errors {
		switch said.Code {
		case errcode.ErrorCodeManifestInvalid, errcode.ErrorCodeUnsupported:
			return e.StatusCode >= 400 && e.StatusCode < 500
		}
	}
	return false
}
