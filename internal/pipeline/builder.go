// Package pipeline builds an image from a request, in five stages, each a
// function from what it needs to what it returns:
//
//	open      names in the spec    → what the sources offer     (open.go)
//	select    offers, evidence     → files and their reasons    (select.go)
//	assemble  selected files       → the tree in normal form    (assemble.go)
//	pack      tree                 → layers                     (pack.go)
//	record    all of the above     → config, record, image      (record.go)
//
// No stage changes what an earlier one returned or calls back into it. The
// package holds the order and knows no file formats.
package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/network/fetch"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry"
	"smith/internal/reference"
	"smith/internal/source"
	"smith/record"
)

// A Builder is what every build works with. It is safe for concurrent use.
type Builder struct {
	Store *store.Store
	// Registry reads and writes images in registries.
	Registry *registry.Client
	// Network configures downloads.
	Network fetch.Options
	// Command runs the commands of mock.pre-build and mock.post-build in a
	// directory and shows their output; nil refuses them.
	Command func(ctx context.Context, dir, script string) error
	// Check may refuse images before they are written; nil accepts all.
	Check  func(ctx context.Context, images []Built) error
	Events event.Listener
}

// A Result is what a build produced.
type Result struct {
	Output
	Images []Built
	// Debug is the separate image with debug information, or nil.
	Debug *Output
}

// An Output is an image that was written.
type Output struct {
	Target reference.Reference
	// Digest is that of the manifest, or of the index where there are several
	// platforms: the digest that a registry will know the image by.
	Digest digest.Digest
	// Written is what was transferred to a registry, nil for other targets.
	Written *registry.Written
}

// A Built is the image of one platform.
type Built struct {
	Platform ocispec.Platform
	Image    *image.Image
	Record   *record.Record
	// Program is the path of the executable that the image runs, "" where the
	// new layer does not hold it.
	Program string
	// Unpacked is the size of all files in the new layer, in bytes.
	Unpacked int64
	// Files counts the files, symlinks and directories in the new layer.
	Files int
	// Debug is the image with one more layer of debug information, or nil:
	// its Unpacked and Files count that layer, its Record covers both.
	Debug *Built
	// unneeded are the names in allow-missing that this platform does not need.
	unneeded []string
}

// Build builds the image and writes it. A build that fails leaves the target
// as it was.
func (b *Builder) Build(ctx context.Context, r Request) (*Result, error) {
	mock := r.Spec.Mock
	if mock == nil {
		return b.again(ctx, r)
	}
	if err := b.command(ctx, r, "pre-build", mock.PreBuild); err != nil {
		return nil, err
	}
	result, err := b.again(ctx, r)
	if err != nil {
		return nil, err
	}
	return result, b.command(ctx, r, "post-build", mock.PostBuild)
}

// maxDamaged bounds how often a build is begun again: each time, at least one
// damaged entry has left the cache.
const maxDamaged = 8

// again builds, and begins again where an entry of the cache is found damaged
// while it is read: it is gone then, and is fetched or made anew.
func (b *Builder) again(ctx context.Context, r Request) (*Result, error) {
	for attempt := 0; ; attempt++ {
		result, err := b.build(ctx, r)
		if attempt == maxDamaged || !errors.Is(err, store.ErrDamaged) {
			return result, err
		}
		b.Events.Note(err.Error() + ": building again without it")
	}
}

// command runs commands of the spec, where there are any.
func (b *Builder) command(ctx context.Context, r Request, key, script string) error {
	if script == "" {
		return nil
	}
	if b.Command == nil {
		return fmt.Errorf("%s: mock.%s: commands are not run here", r.SpecName, key)
	}
	if err := b.Command(ctx, r.Dir, script); err != nil {
		return fmt.Errorf("%s: mock.%s failed: %w", r.SpecName, key, err)
	}
	return nil
}

func (b *Builder) build(ctx context.Context, r Request) (_ *Result, err error) {
	if r.debugInfo() == debugSeparate {
		if _, err := debugTarget(r.Target); err != nil {
			return nil, err // before any work
		}
	}
	if err := checkTarget(r.Target); err != nil {
		return nil, err
	}
	from, err := b.sources(r)
	if err != nil {
		return nil, err
	}
	var open closers
	defer func() { err = errors.Join(err, open.close()) }()
	result := &Result{}
	for _, platform := range from.platforms {
		built, err := b.image(ctx, &open, r, from, platform)
		if err != nil {
			if len(from.platforms) > 1 {
				err = fmt.Errorf("%s: %w", image.PlatformName(platform), err)
			}
			return nil, err
		}
		result.Images = append(result.Images, *built)
	}
	if err := b.checkUnneeded(r, result.Images); err != nil {
		return nil, err
	}
	if err := b.checkBudget(ctx, r, result.Images); err != nil {
		return nil, err
	}
	if b.Check != nil {
		if err := b.Check(ctx, result.Images); err != nil {
			return nil, err
		}
	}
	if result.Debug, err = b.writeDebug(ctx, r, result.Images); err != nil {
		return nil, err
	}
	images := make([]*image.Image, len(result.Images))
	for i, built := range result.Images {
		images[i] = built.Image
	}
	written, err := b.write(ctx, r.Target, r.labels(), images)
	if err != nil {
		return nil, err
	}
	result.Output = *written
	return result, nil
}

// image builds the image of one platform; the zero platform stands for the
// one of the package's image, or this machine's. If package lists turn out to
// be wrong, the image is built again without them.
func (b *Builder) image(ctx context.Context, open *closers, r Request, from *sources, platform ocispec.Platform) (*Built, error) {
	built, err := b.stages(ctx, open, r, from, platform)
	if listed, ok := from.pkg.(source.Listed); ok {
		if doubt := listed.Doubt(); doubt != "" {
			b.Events.Note(doubt + ": all packages are opened instead")
			return b.stages(ctx, open, r, from, platform)
		}
	}
	return built, err
}

// stages runs the five stages for one platform.
func (b *Builder) stages(ctx context.Context, open *closers, r Request, from *sources, platform ocispec.Platform) (*Built, error) {
	offered, err := b.open(ctx, open, r, from, platform)
	if err != nil {
		return nil, err
	}
	chosen, err := b.choose(ctx, open, r, offered)
	if err != nil {
		return nil, err
	}
	files, err := b.assemble(ctx, r, offered, chosen)
	if err != nil {
		return nil, err
	}
	layers, err := b.pack(ctx, offered.layers(), files.tree)
	if err != nil {
		return nil, err
	}
	built, err := b.record(r, offered, chosen, files, layers)
	if err != nil || r.debugInfo() != debugSeparate {
		return built, err
	}
	built.Debug, err = b.debugImage(ctx, r, offered, chosen, built)
	return built, err
}

// write writes images to a target.
func (b *Builder) write(ctx context.Context, target reference.Reference, labels image.Labels, images []*image.Image) (*Output, error) {
	out := &Output{Target: target}
	var err error
	if target.Kind != reference.Registry {
		out.Digest, err = archive.Write(ctx, target, image.Of(images...), labels, b.Events)
		return out, err
	}
	if out.Written, err = b.Registry.Write(ctx, target, image.Of(images...), image.OCI); err == nil {
		out.Digest = out.Written.Digest
	}
	return out, err
}

// checkUnneeded warns of names in allow-missing that are missing nowhere, or
// returns an error where the build is strict.
func (b *Builder) checkUnneeded(r Request, images []Built) error {
	times := map[string]int{}
	for _, built := range images {
		for _, name := range built.unneeded {
			times[name]++
		}
	}
	var all []error
	for i, name := range r.Spec.AllowMissing {
		if times[name] == len(images) {
			all = append(all, fmt.Errorf("%s: %s is allowed to be missing, but nothing lacks it", r.place("allow-missing", i), name))
		}
	}
	if r.Strict {
		return errors.Join(all...)
	}
	for _, err := range all {
		b.Events.Warn(err.Error())
	}
	return nil
}

// closers are what a build opened and must close once the image is written:
// layers are read from the sources until then.
type closers []func() error

// add notes what must be closed; nil is nothing.
func (c *closers) add(closer func() error) {
	if closer != nil {
		*c = append(*c, closer)
	}
}

// close closes everything once.
func (c *closers) close() error {
	var errs []error
	for _, done := range *c {
		errs = append(errs, done())
	}
	*c = nil
	return errors.Join(errs...)
}
