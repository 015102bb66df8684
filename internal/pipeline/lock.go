package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/lock"
	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/internal/source/oci"
)

// A chooser is a source that chooses packages, which a lock can hold.
type chooser interface {
	source.Source
	// Lock returns what is chosen for a platform and opens none of it.
	Lock(ctx context.Context, platform ocispec.Platform) (*lock.Platform, error)
	// Fetch brings the files of what is chosen to the cache, and hands each
	// over.
	Fetch(ctx context.Context, platform ocispec.Platform, take func(lock.Package, *store.Entry) error) error
}

// Lock resolves the spec's packages and images as of now, for each of its
// platforms. The versions of Request.Keep stay where they can.
func (b *Builder) Lock(ctx context.Context, r Request) (_ *lock.Lock, err error) {
	from, err := b.sources(r)
	if err != nil {
		return nil, err
	}
	var open closers
	defer func() { err = errors.Join(err, open.close()) }()
	l := &lock.Lock{Version: lock.Version, Platforms: map[string]*lock.Platform{}}
	for _, platform := range from.platforms {
		one, name, err := b.lock(ctx, &open, r, from, platform)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		l.Platforms[name] = one
	}
	return l, nil
}

// lock returns what a platform's packages and images are, and its name.
func (b *Builder) lock(ctx context.Context, open *closers, r Request, from *sources, platform ocispec.Platform) (*lock.Platform, string, error) {
	one := &lock.Platform{}
	if c, ok := from.pkg.(chooser); ok {
		if platform.Architecture == "" {
			platform = thisMachine()
		}
		var err error
		if one, err = c.Lock(ctx, platform); err != nil {
			return nil, image.PlatformName(platform), err
		}
	}
	for _, s := range []struct {
		source.Source
		names string
	}{{from.pkg, packageNames(r)}, {from.parent, r.Spec.Parent}} {
		if _, ok := s.Source.(chooser); ok || s.Source == nil {
			continue
		}
		offer, err := b.offer(ctx, open, r, s.Source, platform, s.names)
		if err != nil {
			return nil, image.PlatformName(platform), err
		}
		platform = offer.Platform
		one.Images = append(one.Images, imageOf(offer)...)
	}
	if platform.Architecture == "" {
		platform = thisMachine()
	}
	return one, image.PlatformName(platform), nil
}

// imageOf is the image that a source offers, as a lock has it.
func imageOf(offer *source.Offer) []lock.Image {
	if offer.Image == nil || len(offer.Inputs) == 0 {
		return nil
	}
	return []lock.Image{{Reference: offer.Inputs[0].Name, Digest: offer.Inputs[0].Digest}}
}

// lockedImage is a source with the image that the lock has of it. Of a file
// there is only the one that lies there; checkImage judges it.
func lockedImage(l *lock.Lock, s source.Source, platform ocispec.Platform) source.Source {
	remote, ok := s.(*oci.Source)
	if !ok || l == nil || remote.Path != "" {
		return s
	}
	if platform.Architecture == "" {
		platform = thisMachine()
	}
	locked := *remote
	if one := l.Platforms[image.PlatformName(platform)]; one != nil {
		for _, at := range one.Images {
			if at.Reference == remote.Remote.String() {
				locked.Digest = at.Digest
			}
		}
	}
	return &locked
}

// checkImage says whether an image is the one that the lock has.
func checkImage(l *lock.Lock, offer *source.Offer, platform ocispec.Platform) error {
	if l == nil {
		return nil
	}
	for _, at := range imageOf(offer) {
		one := l.Platforms[image.PlatformName(platform)]
		if one == nil {
			return fmt.Errorf("smith.lock is out of date: it has nothing for %s; smith lock --update adds it", image.PlatformName(platform))
		}
		i := slices.IndexFunc(one.Images, func(i lock.Image) bool { return i.Reference == at.Reference })
		switch {
		case i < 0:
			return fmt.Errorf("smith.lock is out of date: the spec asks for image %s, which it does not have; smith lock --update adds it", at.Reference)
		case one.Images[i].Digest != at.Digest:
			return fmt.Errorf("smith.lock is out of date: image %s is %s now, and the lock has %s; smith lock --update takes the new one",
				at.Reference, at.Digest, one.Images[i].Digest)
		}
	}
	return nil
}

// Fetch brings the packages of the lock to the cache and passes each to take.
func (b *Builder) Fetch(ctx context.Context, r Request, take func(lock.Package, *store.Entry) error) error {
	if r.Lock == nil {
		return errors.New("there is no smith.lock: smith lock writes it")
	}
	from, err := b.sources(r)
	if err != nil {
		return err
	}
	for _, platform := range from.platforms {
		c, ok := from.pkg.(chooser)
		if !ok {
			continue
		}
		if platform.Architecture == "" {
			platform = thisMachine()
		}
		if err := c.Fetch(ctx, platform, take); err != nil {
			return fmt.Errorf("%s: %w", image.PlatformName(platform), err)
		}
	}
	return nil
}
