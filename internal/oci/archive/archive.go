// Package archive reads and writes images as files: OCI archives (a tar of an
// OCI image layout), OCI layout folders, and the archives of `docker save`.
// It gives what an image says of itself, and its blobs unchanged; it does not
// know what becomes of them.
//
// Everything that is read is checked: sizes and digests, media types, the
// number of layers against the config. Nothing is unpacked: member names are
// only looked up, so no name and no link of an archive leads anywhere.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/event"
	"smith/internal/oci/image"
)

// An Archive is an image archive or layout folder, open for reading. It is
// safe for many goroutines.
type Archive struct {
	path    string
	files   members
	index   ocispec.Index
	entries []entry
}

// An entry is an image, for one or more platforms, that an archive holds.
type entry struct {
	names  []string           // the first is the one to show
	desc   ocispec.Descriptor // in OCI's forms
	docker *dockerImage       // in Docker's
}

// members are the files of an image, in whatever form it is kept. Names are
// slash-separated, relative and clean.
type members interface {
	// open returns the bytes of a member and their number. The error is
	// fs.ErrNotExist where there is none.
	open(ctx context.Context, name string) (io.ReadCloser, int64, error)
	// section opens the file in which a member's bytes lie as they are, and says
	// where they begin. It is nil where they lie in none.
	section(name string) (*os.File, int64, error)
	// sum returns the digest of a member's bytes.
	sum(ctx context.Context, name string) (digest.Digest, error)
	// close lets go of what is open.
	close() error
}

// Open opens the archive or layout folder at path. An archive that is
// compressed as a whole is read through once, unless the cache knows it, and
// its layers are brought to the cache on the way. The caller closes the
// Archive when its images' blobs are no longer used.
func Open(ctx context.Context, path string, st *store.Store, events event.Listener) (*Archive, error) {
	files, err := openMembers(ctx, path, st, events)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", path, err)
	}
	a := &Archive{path: path, files: files}
	if err := a.load(ctx); err != nil {
		files.close()
		return nil, fmt.Errorf("cannot read image %s: %w", path, err)
	}
	return a, nil
}

func openMembers(ctx context.Context, path string, st *store.Store, events event.Listener) (members, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, reason(err)
	}
	if info.IsDir() {
		return openFolder(path)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is neither a file nor a folder")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	head := make([]byte, compress.HeadSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, reason(err)
	}
	if compress.FormOf(head[:n]) == compress.Plain {
		return openTar(f, st)
	}
	return openStream(ctx, f, st, events)
}

// reason takes the path out of an error that is going to be named anyway.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// load reads what the archive says it holds.
func (a *Archive) load(ctx context.Context) error {
	switch err := a.decode(ctx, "index.json", &a.index); {
	case err == nil:
		return a.loadLayout(ctx)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	switch err := a.loadDocker(ctx); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it holds neither index.json nor manifest.json: it is no image archive or layout")
	default:
		return err
	}
}

// loadLayout lists the images of an OCI layout (image-layout.md).
func (a *Archive) loadLayout(ctx context.Context) error {
	var layout ocispec.ImageLayout
	if err := a.decode(ctx, ocispec.ImageLayoutFile, &layout); err != nil {
		return err
	}
	if layout.Version != ocispec.ImageLayoutVersion {
		return fmt.Errorf("%s: unknown version %.40q of the image layout", ocispec.ImageLayoutFile, layout.Version)
	}
	var other []string
	for _, d := range a.index.Manifests {
		if !image.IsIndex(d.MediaType) && !image.IsManifest(d.MediaType) {
			other = append(other, d.MediaType)
			continue
		}
		a.entries = append(a.entries, entry{names: layoutNames(d), desc: d})
	}
	if len(a.entries) == 0 && len(other) > 0 {
		return fmt.Errorf("index.json: unknown media type %.100q", other[0])
	}
	if len(a.entries) == 0 {
		return errors.New("index.json lists no image")
	}
	return nil
}

// layoutNames returns what an entry of index.json is called.
func layoutNames(d ocispec.Descriptor) []string {
	var names []string
	for _, key := range []string{image.AnnotationName, ocispec.AnnotationRefName} {
		if name := d.Annotations[key]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// decode reads a JSON member.
func (a *Archive) decode(ctx context.Context, name string, to any) error {
	data, err := a.read(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// read returns a small member.
func (a *Archive) read(ctx context.Context, name string) ([]byte, error) {
	r, size, err := a.files.open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	defer r.Close()
	if size > image.MaxJSON {
		return nil, fmt.Errorf("%s: its %d bytes are more than the %d allowed", name, size, image.MaxJSON)
	}
	data, err := io.ReadAll(io.LimitReader(r, image.MaxJSON+1))
	if err == nil && int64(len(data)) != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// Index returns index.json as it was read; it is empty for an archive of
// `docker save` that has none.
func (a *Archive) Index() ocispec.Index { return a.index }

// Close lets go of the files. Blobs cannot be opened afterwards.
func (a *Archive) Close() error { return a.files.close() }
