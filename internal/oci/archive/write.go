package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/reference"
)

// Write writes the images of a set to an archive or a layout directory, and
// returns the digest by which a registry will know it: the manifest's, or the
// index's where there is one. A tag of the target goes before that of the labels.
//
// The target is the old one or the new one at any time, whatever happens. An
// archive is replaced as a whole and gets mode 0644. In a layout folder, which
// is made where it is absent, an image takes the place of one of the same tag;
// blobs that nothing refers to any more stay.
//
// An archive's bytes follow from images and labels, and for several platforms
// from which of them is this machine's.
func Write(ctx context.Context, target reference.Reference, set image.Set, labels image.Labels, listener event.Listener) (digest.Digest, error) {
	if target.Tag != "" {
		labels.Tag = target.Tag
	}
	entry, blobs, err := image.Entry(set, labels)
	if err != nil {
		return "", err
	}
	var total int64
	for _, b := range blobs {
		total += b.Descriptor.Size
	}
	step := listener.Step(event.Write, target.String(), total)
	defer step.Done()
	c := content{entry: entry, blobs: blobs, step: step}
	switch target.Kind {
	case reference.Archive:
		if c.docker, err = dockerManifest(set.Images, labels); err == nil {
			err = c.writeArchive(ctx, target.Path)
		}
	case reference.Layout:
		err = c.writeLayout(ctx, target.Path)
	default:
		err = errors.New("it is neither an archive nor a layout folder")
	}
	if err != nil {
		return "", fmt.Errorf("cannot write %s: %w", target, err)
	}
	return entry.Digest, nil
}

// content is what is written, whatever the form.
type content struct {
	entry  ocispec.Descriptor // of index.json
	blobs  []image.Blob       // in the order in which a reader wants them
	docker []byte             // manifest.json
	step   event.Step
}

// layoutFile is the content of oci-layout (OCI image specification,
// image-layout.md).
var layoutFile = []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)

// blobPath returns where a layout keeps a blob.
func blobPath(d digest.Digest) string {
	return ocispec.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

// copyBlob writes a blob's bytes, exactly as many as its descriptor says.
func (c *content) copyBlob(ctx context.Context, w io.Writer, b image.Blob) error {
	r, err := b.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	var written int64
	buffer := make([]byte, min(256<<10, b.Descriptor.Size+1))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer)
		if written += int64(n); written > b.Descriptor.Size {
			return fmt.Errorf("blob %s has more than its %d bytes", b.Descriptor.Digest, b.Descriptor.Size)
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		c.step.Advance(int64(n))
		switch err {
		case nil:
			continue
		case io.EOF, io.ErrUnexpectedEOF: // ReadFull's own, unwrapped
			if written != b.Descriptor.Size {
				return fmt.Errorf("blob %s has %d of its %d bytes", b.Descriptor.Digest, written, b.Descriptor.Size)
			}
			return nil
		}
		return err
	}
}

// replace writes a file of a folder anew: to a temporary file beside it, which
// takes its place when fill has written it and it has reached the disk.
func replace(dir *os.Root, name string, fill func(w io.Writer) error) (err error) {
	f, temporary, err := createTemporary(dir, name)
	if err != nil {
		return plain(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = dir.Remove(temporary)
		}
	}()
	if err := fill(&early{File: f}); err != nil {
		return plain(err)
	}
	// The process' umask has no say in it.
	if err := f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return plain(err)
	}
	if err := f.Sync(); err != nil {
		return plain(err)
	}
	if runtime.GOOS == "windows" { // an open file cannot be renamed there
		if err := f.Close(); err != nil {
			return plain(err)
		}
		return plain(dir.Rename(temporary, name))
	}
	if err := dir.Rename(temporary, name); err != nil {
		return plain(err)
	}
	return plain(f.Close())
}

// plain takes the temporary file's name out of an error: nobody knows it.
func plain(err error) error {
	switch e := err.(type) { //nolint:errorlint // only the outermost error is about the temporary file
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// dockerManifest returns docker's manifest.json, whose paths lead to the same
// blobs. It describes one image: this machine's among several.
func dockerManifest(images []*image.Image, labels image.Labels) ([]byte, error) {
	name, err := labels.ShortName()
	if err != nil {
		return nil, err
	}
	img := forThisMachine(images)
	m := struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{Config: blobPath(img.Manifest.Config.Digest), Layers: []string{}}
	if name != "" {
		m.RepoTags = []string{name}
	}
	for _, l := range img.Layers {
		m.Layers = append(m.Layers, blobPath(l.Descriptor.Digest))
	}
	return json.Marshal([]any{m})
}

// compressed says whether a media type names bytes that are compressed.
func compressed(mediaType string) bool {
	return strings.HasSuffix(mediaType, "gzip") || strings.HasSuffix(mediaType, "zstd")
}
