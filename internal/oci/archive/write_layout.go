package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/oci/image"
)

// maxIndex bounds the index.json of a layout folder: thousands of images.
const maxIndex = 16 << 20

// writeLayout adds the image to a layout folder (OCI image specification,
// image-layout.md). The index comes last and is replaced as a whole, so a
// reader never sees an image whose blobs are not there. Where the system can
// lock files, several processes may add images to one folder at once.
func (c *content) writeLayout(ctx context.Context, name string) error {
	dir, err := openLayout(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	sweep(dir, ".", func(file string) bool {
		return isTemporary(file, ocispec.ImageIndexFile) || isTemporary(file, ocispec.ImageLayoutFile)
	})
	sweep(dir, ocispec.ImageBlobsDir+"/sha256", temporaryBlob.MatchString)
	if err := c.addBlobs(ctx, dir); err != nil {
		return err
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := readBounded(dir, ocispec.ImageIndexFile, maxIndex)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	index, err := mergeIndex(old, c.entry)
	if err != nil {
		return fmt.Errorf("its %s: %w", ocispec.ImageIndexFile, err)
	}
	return replace(dir, ocispec.ImageIndexFile, write(index))
}

func write(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// openLayout opens a layout folder, or makes one where nothing stands or an
// empty folder.
func openLayout(name string) (*os.Root, error) {
	switch err := os.Mkdir(name, 0o777); { // the user's umask decides about a folder
	case err == nil, errors.Is(err, fs.ErrExist):
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder %s does not exist", path.Dir(name))
	default:
		return nil, plain(err)
	}
	dir, err := os.OpenRoot(name)
	if err != nil {
		return nil, plain(err)
	}
	if err := prepareLayout(dir); err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// prepareLayout sees to it that dir is a layout folder of the known version.
func prepareLayout(dir *os.Root) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	found, err := readBounded(dir, ocispec.ImageLayoutFile, 4096)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		entries, err := fs.ReadDir(dir.FS(), ".")
		if err != nil {
			return plain(err)
		}
		for _, e := range entries {
			if !isTemporary(e.Name(), ocispec.ImageLayoutFile) { // a killed process may have left that
				return fmt.Errorf("the folder holds other files, such as %s, and no %s", e.Name(), ocispec.ImageLayoutFile)
			}
		}
		if err := replace(dir, ocispec.ImageLayoutFile, write(layoutFile)); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		var layout ocispec.ImageLayout
		if err := json.Unmarshal(found, &layout); err != nil {
			return fmt.Errorf("its %s: %w", ocispec.ImageLayoutFile, err)
		}
		if layout.Version != ocispec.ImageLayoutVersion {
			return fmt.Errorf("its %s names version %q, known is %s", ocispec.ImageLayoutFile, layout.Version, ocispec.ImageLayoutVersion)
		}
	}
	return plain(dir.MkdirAll(ocispec.ImageBlobsDir+"/sha256", 0o777))
}

// blobsAtOnce is how many files of a layout are written side by side: each is
// waited for until it is on the disk.
const blobsAtOnce = 4

func (c *content) addBlobs(ctx context.Context, dir *os.Root) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blobsAtOnce)
	for _, b := range c.blobs {
		group.Go(func() error { return c.addBlob(ctx, dir, b) })
	}
	return group.Wait()
}

// addBlob writes a blob that the folder does not have.
func (c *content) addBlob(ctx context.Context, dir *os.Root, b image.Blob) error {
	if hasBlob(dir, b.Descriptor) {
		c.step.Advance(b.Descriptor.Size)
		return nil
	}
	return replace(dir, blobPath(b.Descriptor.Digest), func(w io.Writer) error { return c.copyBlob(ctx, w, b) })
}

// hasBlob says whether a folder has a blob, whole. A link is no blob: what it
// leads to may change.
func hasBlob(dir *os.Root, d ocispec.Descriptor) bool {
	name := blobPath(d.Digest)
	info, err := dir.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != d.Size {
		return false
	}
	f, err := dir.Open(name)
	if err != nil {
		return false
	}
	r, err := image.Verify(f, d)
	if err != nil {
		f.Close()
		return false
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err == nil
}

// readBounded reads a small file whole.
func readBounded(dir *os.Root, name string, limit int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("its %s has more than the %d bytes allowed", name, limit)
	}
	return data, nil
}

// An index is an index.json whose entries are passed on as they are.
type index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Manifests     []json.RawMessage `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// mergeIndex returns an index.json with an entry in place of those of the same
// tag, else behind the others. old is nil where there is none yet.
func mergeIndex(old []byte, entry ocispec.Descriptor) ([]byte, error) {
	merged := index{SchemaVersion: 2}
	if old != nil {
		if err := json.Unmarshal(old, &merged); err != nil {
			return nil, err
		}
	}
	if merged.SchemaVersion != 2 {
		return nil, fmt.Errorf("its schemaVersion is %d, known is 2", merged.SchemaVersion)
	}
	if m := merged.MediaType; m != "" && m != ocispec.MediaTypeImageIndex {
		return nil, fmt.Errorf("it is a %q, not an image index", m)
	}
	merged.MediaType = ocispec.MediaTypeImageIndex
	var kept []json.RawMessage
	for i, raw := range merged.Manifests {
		var d ocispec.Descriptor
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("entry %d is no descriptor: %w", i+1, err)
		}
		if d.Annotations[ocispec.AnnotationRefName] != entry.Annotations[ocispec.AnnotationRefName] {
			kept = append(kept, raw)
		}
	}
	raw, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	merged.Manifests = append(kept, raw)
	return json.Marshal(merged)
}
