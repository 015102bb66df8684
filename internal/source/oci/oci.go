// Package oci offers the files of an OCI or Docker image: its layers, stacked
// as the image specification says, none of them unpacked.
package oci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/layer"
	"smith/internal/oci/registry"
	"smith/internal/reference"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// A Source is an image in an archive, a layout folder or a registry.
type Source struct {
	// Path is the file or folder, "" for a registry.
	Path string
	// Tag says which of its images; "" is "latest" if that is there, else the
	// only one.
	Tag string
	// Remote is the image in a registry, where Path is "", and Registry is
	// asked for it.
	Remote   reference.Reference
	Registry *registry.Client
	// Digest is which image of that name a registry is asked for, "" for what
	// the name stands for now.
	Digest string
	// Kind is what the record calls it: "image" or "parent".
	Kind record.Kind
	// Attachments says whether what travels with an image in a registry is
	// wanted too; in an archive it is always there.
	Attachments bool
	// Store is where layers are kept as plain tars.
	Store *store.Store
	// Events hears of the progress.
	Events event.Listener
}

var _ source.Source = (*Source)(nil)

// A found image is one with what the record says of it. Its blobs can be
// opened until close is called.
type found struct {
	image *image.Image
	input record.Input
	close func() error
}

// Open reads the image for a platform and stacks its layers. The nodes'
// origins, one for each layer, name the image without the folder it lies in.
func (s *Source) Open(ctx context.Context, platform ocispec.Platform) (*source.Offer, error) {
	find := s.inFile
	if s.Path == "" {
		find = s.inRegistry
	}
	f, err := find(ctx, platform)
	if err != nil {
		return nil, err
	}
	origin := record.Origin{Kind: s.Kind, Name: f.input.Name}
	stacked, closeTree, err := Stack(ctx, s.Store, f.image, origin, s.Events)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read image %s: %w", cmp.Or(s.Path, s.Remote.String()), err), f.close())
	}
	return &source.Offer{
		Tree: stacked, Image: f.image, Created: created(f.image), Platform: f.image.Config.Platform,
		Closer: closer(func() error { return errors.Join(closeTree(), f.close()) }),
		Inputs: []record.Input{f.input},
	}, nil
}

// A closer closes by a function.
type closer func() error

// Close calls it.
func (c closer) Close() error { return c() }

func (s *Source) inFile(ctx context.Context, platform ocispec.Platform) (*found, error) {
	a, err := archive.Open(ctx, s.Path, s.Store, s.Events)
	if err != nil {
		return nil, err
	}
	img, err := a.Image(ctx, s.Tag, platform)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	name := filepath.Base(s.Path)
	if s.Tag != "" {
		name += ":" + s.Tag
	}
	return &found{img, record.Input{Kind: s.Kind, Name: name, Digest: img.Descriptor.Digest.String()}, a.Close}, nil
}

// inRegistry finds an image by its name, whose digest the record keeps: that of
// the index where the name leads to one, so that it can be asked for again.
func (s *Source) inRegistry(ctx context.Context, platform ocispec.Platform) (*found, error) {
	wanted := s.Remote
	if s.Digest != "" && !strings.Contains(wanted.Remote, "@") {
		wanted.Remote += "@" + s.Digest
	}
	remote, err := s.Registry.Open(ctx, wanted)
	if err != nil {
		return nil, err
	}
	img, err := remote.Image(ctx, platform)
	if err == nil && s.Attachments {
		err = remote.Attach(ctx, img)
	}
	if err != nil {
		return nil, err
	}
	input := record.Input{Kind: s.Kind, Name: s.Remote.String(), Digest: remote.Digest().String(), Note: remote.Voucher()}
	return &found{img, input, func() error { return nil }}, nil
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
func Stack(ctx context.Context, st *store.Store, img *image.Image, origin record.Origin, events event.Listener) (*tree.Tree, func() error, error) {
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
