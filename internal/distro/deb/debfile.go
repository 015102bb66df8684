package deb

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/deb/control"
	"smith/internal/distro/deb/debfile"
)

// A debFile is a .deb of the user's.
type debFile struct {
	path      string // as the spec has it
	digest    digest.Digest
	size      int64
	paragraph control.Paragraph
}

// readFile reads a .deb of the user's into the cache.
func (f *family) readFile(ctx context.Context, path string) (*debFile, error) {
	at := path
	if !filepath.IsAbs(at) {
		at = filepath.Join(f.Dir, at)
	}
	file, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	digester := digest.SHA256.Digester()
	size, err := io.Copy(digester.Hash(), file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	opened, err := debfile.Open(ctx, f.Store, digester.Digest(), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(file), nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return &debFile{path, digester.Digest(), size, opened.Control}, opened.Close()
}
