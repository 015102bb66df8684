package archive

import (
	"context"
	"fmt"
	"io"
	"os"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
)

// Image returns the image that a tag names ("": "latest" if it is there, else
// the only one) for a platform. What it says is checked, its layers are not
// read yet; their blobs can be opened until the archive is closed.
func (a *Archive) Image(ctx context.Context, tag string, platform ocispec.Platform) (*image.Image, error) {
	all, err := a.candidates(ctx, tag)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", a.path, err)
	}
	img, err := a.reader().One(ctx, all, platform)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", a.path, err)
	}
	return img, nil
}

// Images returns the images of all platforms that a tag names, with the index
// that lists them where it is one.
func (a *Archive) Images(ctx context.Context, tag string) (image.Set, error) {
	set, err := a.set(ctx, tag)
	if err != nil {
		return image.Set{}, fmt.Errorf("cannot read image %s: %w", a.path, err)
	}
	return set, nil
}

func (a *Archive) set(ctx context.Context, tag string) (image.Set, error) {
	entries, err := a.choose(tag)
	if err != nil {
		return image.Set{}, err
	}
	if len(entries) == 1 && entries[0].docker == nil {
		return a.reader().Set(ctx, entries[0].desc)
	}
	all, err := a.candidates(ctx, tag)
	if err != nil {
		return image.Set{}, err
	}
	images, err := a.reader().Each(ctx, all)
	return image.Of(images...), err
}

// candidates lists the images that a tag names.
func (a *Archive) candidates(ctx context.Context, tag string) ([]image.Candidate, error) {
	entries, err := a.choose(tag)
	if err != nil {
		return nil, err
	}
	var all []image.Candidate
	for i, e := range entries {
		if e.docker == nil {
			if all, err = a.reader().Candidates(ctx, all, i, e.desc); err != nil {
				return nil, err
			}
			continue
		}
		img, err := a.dockerManifest(ctx, e.docker)
		if err != nil {
			return nil, err
		}
		img.Descriptor.Platform = &img.Config.Platform
		all = append(all, image.Candidate{Group: i, Descriptor: img.Descriptor, Image: img})
	}
	return all, nil
}

// reader reads images from the archive's blobs.
func (a *Archive) reader() image.Reader {
	return image.Reader{Blob: func(d ocispec.Descriptor) image.Blob { return a.blob(d, blobPath(d.Digest)) }}
}

func (a *Archive) blob(d ocispec.Descriptor, name string) image.Blob {
	open := func(ctx context.Context) (io.ReadCloser, error) {
		r, err := a.openBlob(ctx, d, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", a.path, name, err)
		}
		return r, nil
	}
	file := func() (*os.File, int64, error) {
		f, offset, err := a.files.section(name)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %s: %w", a.path, name, err)
		}
		return f, offset, nil
	}
	return image.Blob{Descriptor: d, Open: open, File: file}
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
