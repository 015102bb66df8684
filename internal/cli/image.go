package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/reference"
	"smith/internal/source"
	"smith/internal/source/oci"
	"smith/record"
)

// An openedImage is an image that a command reads.
type openedImage struct {
	*source.Offer
	// Name is how the user called it.
	Name string
	// Record is the build record, nil where the image has none.
	Record *record.Record
}

// done lets go of the image's files. What goes wrong then changes nothing of
// what was read.
func (o *openedImage) done() {
	_ = o.Close()
}

// openImage opens an archive, a layout folder or an image in a registry for a
// platform ("" is this machine's, or the only one there is).
func (a *app) openImage(ctx context.Context, name, platform string) (*openedImage, error) {
	r, err := reference.ParseImage(name, os.Stat)
	if err != nil {
		return nil, err
	}
	var wanted ocispec.Platform
	if platform != "" {
		if wanted, err = pipeline.ParsePlatform(platform); err != nil {
			return nil, usageError{err}
		}
	}
	st, err := a.store()
	if err != nil {
		return nil, err
	}
	display := a.display()
	defer display.close()
	client, err := a.registry(st, display)
	if err != nil {
		return nil, err
	}
	s := &oci.Source{Path: r.Path, Tag: r.Tag, Remote: r, Registry: client, Kind: record.KindImage, Attachments: true, Store: st, Events: display}
	offer, err := s.Open(ctx, wanted)
	if err != nil {
		return nil, err
	}
	opened := &openedImage{Offer: offer, Name: name}
	if err := opened.readRecord(ctx); err != nil {
		opened.done()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return opened, nil
}

func (o *openedImage) readRecord(ctx context.Context) error {
	data, err := o.Image.Attachment(ctx, image.MediaTypeRecord)
	if data == nil || err != nil {
		return err
	}
	o.Record, err = record.Decode(data)
	return err
}

// isLayout says whether a folder is an OCI layout.
func isLayout(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ocispec.ImageLayoutFile))
	return err == nil
}

// printJSON prints a value for people and programs alike.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
