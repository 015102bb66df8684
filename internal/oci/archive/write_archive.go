package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/compress/gzip"
	"smith/internal/oci/image"
)

// writeArchive replaces the archive at a path. A link there stays, and what it
// points to is replaced.
func (c *content) writeArchive(ctx context.Context, path string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return errors.New("it is a folder")
	case err == nil && !info.Mode().IsRegular():
		return errors.New("something that is no file stands there")
	}
	dir, err := os.OpenRoot(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("its folder does not exist")
	}
	if err != nil {
		return plain(err)
	}
	defer dir.Close()
	name := filepath.Base(path)
	sweep(dir, ".", func(file string) bool { return isTemporary(file, name) })
	return replace(dir, name, func(w io.Writer) error {
		if strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".tgz") {
			return c.writeGzip(ctx, w)
		}
		b := bufio.NewWriterSize(w, 1<<20)
		if err := c.writeTar(ctx, b, func(bool) error { return nil }); err != nil {
			return err
		}
		return b.Flush()
	})
}

// writeGzip writes a compressed archive. What is compressed already is stored.
func (c *content) writeGzip(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	z := gzip.NewWriter(b)
	err := c.writeTar(ctx, z, z.Store)
	if closing := z.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

// writeTar writes the archive: what tells what is in it first, so that it can
// be read as a stream, then the blobs. It calls store before bytes that are
// compressed already, and after them.
func (c *content) writeTar(ctx context.Context, w io.Writer, store func(bool) error) error {
	index, err := image.EncodeIndex([]ocispec.Descriptor{c.entry})
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	for _, f := range []struct {
		name string
		data []byte
	}{{ocispec.ImageLayoutFile, layoutFile}, {ocispec.ImageIndexFile, index}, {"manifest.json", c.docker}} {
		if err := tw.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := tw.Write(f.data); err != nil {
			return err
		}
	}
	for _, name := range []string{"blobs/", "blobs/sha256/"} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755}); err != nil {
			return err
		}
	}
	for _, b := range c.blobs {
		if err := tw.WriteHeader(&tar.Header{Name: blobPath(b.Descriptor.Digest), Mode: 0o644, Size: b.Descriptor.Size}); err != nil {
			return err
		}
		if err := store(compressed(b.Descriptor.MediaType)); err != nil {
			return err
		}
		if err := c.copyBlob(ctx, tw, b); err != nil {
			return err
		}
		if err := store(false); err != nil {
			return err
		}
	}
	return tw.Close()
}

// forThisMachine returns the image of this machine's architecture, else the
// first. Containers are Linux' wherever smith runs.
func forThisMachine(images []*image.Image) *image.Image {
	for _, img := range images {
		if p := img.Descriptor.Platform; p != nil && p.OS == "linux" && p.Architecture == runtime.GOARCH {
			return img
		}
	}
	return images[0]
}
