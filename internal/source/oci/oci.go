// Package oci offers the files of an OCI or Docker image: its layers, stacked
// as the image specification says, none of them unpacked.
package oci

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/archive"
	"smith/internal/event"
	"smith/internal/image"
	"smith/internal/layer"
	"smith/internal/record"
	"smith/internal/source"
	"smith/internal/store"
	"smith/internal/tree"
)

// A Source is an image in an archive or a layout folder.
type Source struct {
	// Path is the file or folder.
	Path string
	// Tag says which of its images; "" is "latest" if that is there, else the
	// only one.
	Tag string
	// Kind is what the record calls it: "image" or "parent".
	Kind string
	// Store is where layers are kept as plain tars.
	Store *store.Store
	// Events hears of the progress.
	Events event.Listener
}

var _ source.Source = (*Source)(nil)

// Open reads the image for a platform and stacks its layers. The nodes'
// origins, one for each layer, name the image without the folder it lies in.
func (s *Source) Open(ctx context.Context, platform ocispec.Platform) (*source.Offer, error) {
	a, err := archive.Open(ctx, s.Path, s.Store, s.Events)
	if err != nil {
		return nil, err
	}
	offer, err := s.offer(ctx, a, platform)
	if err != nil {
		a.Close()
		return nil, err
	}
	closeTree := offer.Close
	offer.Close = func() error {
		err := closeTree()
		if closed := a.Close(); err == nil {
			err = closed
		}
		return err
	}
	return offer, nil
}

func (s *Source) offer(ctx context.Context, a *archive.Archive, platform ocispec.Platform) (*source.Offer, error) {
	img, err := a.Image(ctx, s.Tag, platform)
	if err != nil {
		return nil, err
	}
	origin := tree.Origin{Kind: s.Kind, Name: s.name()}
	stacked, closeTree, err := Stack(ctx, s.Store, img, origin, s.Events)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", s.Path, err)
	}
	return &source.Offer{
		Tree: stacked, Image: img, Created: created(img), Platform: img.Config.Platform, Close: closeTree,
		Inputs: []record.Input{{Kind: s.Kind, Name: s.name(), Digest: img.Descriptor.Digest.String()}},
	}, nil
}

func (s *Source) name() string {
	name := filepath.Base(s.Path)
	if s.Tag != "" {
		name += ":" + s.Tag
	}
	return name
}

// created returns the date that an image carries: that of the config, else of
// an annotation of the manifest, else zero. What an index says of the image is
// not part of it: it may change while the image stays the same.
func created(img *image.Image) time.Time {
	if img.Config.Created != nil {
		return *img.Config.Created
	}
	t, err := time.Parse(time.RFC3339, img.Manifest.Annotations[ocispec.AnnotationCreated])
	if err != nil {
		return time.Time{}
	}
	return t
}

// Stack returns the file tree of an image. Its layers are brought to the cache
// where they are not there yet, as many at once as there are cores. A node's
// origin is the given one with the digest of its layer. The tree's files can be
// read until the returned function is called.
func Stack(ctx context.Context, st *store.Store, img *image.Image, origin tree.Origin, events event.Listener) (*tree.Tree, func() error, error) {
	layers, err := expand(ctx, st, img.Layers, events)
	closeAll := func() error {
		var first error
		for _, l := range layers {
			if err := l.Close(); first == nil {
				first = err
			}
		}
		return first
	}
	if err != nil {
		_ = closeAll()
		return nil, nil, err
	}
	stacked := tree.New()
	for _, l := range img.Layers {
		from := origin
		from.Digest = l.Descriptor.Digest.String()
		entries, err := layers[l.Descriptor.Digest].Entries(&from)
		if err == nil {
			err = stacked.Apply(entries)
		}
		if err != nil {
			_ = closeAll()
			return nil, nil, fmt.Errorf("layer %s: %w", l.Descriptor.Digest, err)
		}
	}
	return stacked, closeAll, nil
}

// expand returns the plain tars of layers by the digests of their blobs.
// After an error those that it has are still to be closed.
func expand(ctx context.Context, st *store.Store, layers []image.Layer, events event.Listener) (map[digest.Digest]*layer.Layer, error) {
	once := map[digest.Digest]image.Layer{}
	for _, l := range layers {
		if other, twice := once[l.Descriptor.Digest]; twice && other.DiffID != l.DiffID {
			return nil, fmt.Errorf("layer %s: the config gives it two diff_ids", l.Descriptor.Digest)
		}
		once[l.Descriptor.Digest] = l
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	expanded := map[digest.Digest]*layer.Layer{}
	for d, l := range once {
		group.Go(func() error {
			plain, err := layer.Expand(ctx, st, l.Blob, l.DiffID, events)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			expanded[d] = plain
			return nil
		})
	}
	return expanded, group.Wait()
}
