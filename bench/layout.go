//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// layers returns the files that hold the layers of the one image in an OCI
// layout.
func layers(layout string) ([]string, error) {
	var index v1.Index
	if err := readJSON(filepath.Join(layout, v1.ImageIndexFile), &index); err != nil {
		return nil, err
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("%s: %d images, want one", layout, len(index.Manifests))
	}
	var manifest v1.Manifest
	if err := readJSON(blob(layout, index.Manifests[0].Digest), &manifest); err != nil {
		return nil, err
	}
	var files []string
	for _, layer := range manifest.Layers {
		files = append(files, blob(layout, layer.Digest))
	}
	return files, nil
}

func blob(layout string, d digest.Digest) string {
	return filepath.Join(layout, v1.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

func readJSON(name string, value any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, value); err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	return nil
}
