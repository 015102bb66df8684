package pipeline

import (
	"context"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/internal/tree"
)

// offered is what the first stage returns: everything that an image of one
// platform may be made of.
type offered struct {
	platform    ocispec.Platform
	pkg, parent *source.Offer // empty where the spec names none
	overlay     *tree.Tree    // nil where there is no rootfs/
}

// layers are those that the image is built on.
func (o *offered) layers() []image.Layer {
	if o.parent.Image == nil {
		return nil
	}
	return o.parent.Image.Layers
}

// open opens the sources for one platform and settles which platform that is.
func (b *Builder) open(ctx context.Context, open *closers, r Request, from *sources, platform ocispec.Platform) (*offered, error) {
	o := &offered{platform: platform, overlay: from.overlay}
	var err error
	if o.pkg, err = b.offer(ctx, open, r, from.pkg, o.platform, packageNames(r)); err != nil {
		return nil, err
	}
	if from.pkg != nil {
		o.platform = o.pkg.Platform
	}
	if o.parent, err = b.offer(ctx, open, r, from.parent, o.platform, r.Spec.Parent); err != nil {
		return nil, err
	}
	if from.parent != nil {
		o.platform = o.parent.Platform
	}
	if o.platform.Architecture == "" {
		o.platform = thisMachine()
	}
	return o, nil
}

// offer opens a source, if there is one, and checks its image against the
// lock.
func (b *Builder) offer(ctx context.Context, open *closers, r Request, from source.Source, platform ocispec.Platform, names string) (*source.Offer, error) {
	if from == nil {
		return &source.Offer{}, nil
	}
	step := b.Events.Step(event.Resolve, names, 0)
	offer, err := lockedImage(r.Lock, from, platform).Open(ctx, platform)
	step.Done()
	if err != nil {
		return nil, err
	}
	open.add(offer.Close)
	return offer, checkImage(r.Lock, offer, offer.Platform)
}

// packageNames names the packages as the spec does.
func packageNames(r Request) string {
	if len(r.Spec.Packages) == 0 {
		return r.Spec.Type
	}
	return strings.Join(r.Spec.Packages, ", ")
}
