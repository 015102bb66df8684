// Package pipeline is the way from a spec to an image: it opens the sources, has
// the closure choose, gives what was chosen its normal form, packs it and
// writes the image. It runs one way and holds no knowledge of formats.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry"
	"smith/internal/reference"
	"smith/internal/smithfile"
	"smith/record"
)

// Options are what a build needs to know beside the spec.
type Options struct {
	Spec *smithfile.Spec
	// SpecName is how the spec is called in reasons: "smith.yaml".
	SpecName string
	// Dir is the folder that paths in the spec count from; its rootfs/ is the
	// overlay. "" is the working folder, and no overlay.
	Dir string
	// Target is where the image goes.
	Target reference.Reference
	// Name is the image's name where the spec gives none.
	Name string
	// Platforms to build; empty means the spec's, else what the package has or
	// this machine is.
	Platforms []ocispec.Platform
	// Strict makes an error of a name in allow-missing that nothing lacks.
	Strict bool
	// BuildNumber, Created, Version and Commit are written to the index only,
	// so that they do not change the image.
	BuildNumber     string
	Created         time.Time
	Version, Commit string
	// Epoch is SOURCE_DATE_EPOCH, or nil: the time that stands where a time
	// must stand.
	Epoch *time.Time

	// Lock is what to use in place of what repositories have now, or nil.
	Lock *lock.Lock
	// Keep are versions that Lock keeps where it can.
	Keep *lock.Lock
	// Network says how files are fetched.
	Network fetch.Options
	// Command runs commands of the user's in a folder, for mock's pre-build and
	// post-build. Its output is shown.
	Command func(ctx context.Context, dir, script string) error

	Store *store.Store
	// Registry is asked for images in registries, and takes one.
	Registry *registry.Client
	Events   event.Listener
}

// A Result is what a build made.
type Result struct {
	Output
	Images []Built
	// Debug is the image with debug information that was written beside the
	// other, nil where there is none.
	Debug *Output
}

// An Output is an image that was written.
type Output struct {
	Target reference.Reference
	// Digest is that of the manifest, or of the index where there are several
	// platforms: what a registry will know the image by.
	Digest digest.Digest
	// Written is what was done in a registry, nil where Target is none.
	Written *registry.Written
}

// A Built is the image of one platform.
type Built struct {
	Platform ocispec.Platform
	Image    *image.Image
	Record   *record.Record
	// Program is the path of the program that the image runs, "" where the new
	// layer does not hold it.
	Program string
	// Unpacked is the size of all files of the image's new layer, in bytes.
	Unpacked int64
	// Files is how many files, links and folders the new layer holds.
	Files int
	// Debug is the image with one more layer of debug information, or nil:
	// Unpacked and Files are that layer's, Record is of both.
	Debug *Built
	// unneeded are the names in allow-missing that this platform does not need.
	unneeded []string
}

// Run builds the image and writes it. A build that fails leaves what stood at
// the target.
func Run(ctx context.Context, o Options) (*Result, error) {
	mock := o.Spec.Mock
	if mock == nil {
		return o.run(ctx)
	}
	if err := o.command(ctx, "pre-build", mock.PreBuild); err != nil {
		return nil, err
	}
	result, err := o.run(ctx)
	if err != nil {
		return nil, err
	}
	return result, o.command(ctx, "post-build", mock.PostBuild)
}

// command runs commands of the spec, where there are any.
func (o Options) command(ctx context.Context, key, script string) error {
	if script == "" {
		return nil
	}
	if o.Command == nil {
		return fmt.Errorf("%s: mock.%s: commands are not run here", o.SpecName, key)
	}
	if err := o.Command(ctx, o.Dir, script); err != nil {
		return fmt.Errorf("%s: mock.%s failed: %w", o.SpecName, key, err)
	}
	return nil
}

func (o Options) run(ctx context.Context) (*Result, error) {
	if o.debugInfo() == debugSeparate {
		if _, err := o.debugTarget(); err != nil {
			return nil, err // before any work
		}
	}
	p, err := newPlan(o)
	if err != nil {
		return nil, err
	}
	defer p.close()
	result := &Result{}
	for _, platform := range p.platforms {
		built, err := p.build(ctx, platform)
		if err != nil {
			if len(p.platforms) > 1 {
				err = fmt.Errorf("%s: %w", image.PlatformName(platform), err)
			}
			return nil, err
		}
		result.Images = append(result.Images, *built)
	}
	if err := o.checkUnneeded(result.Images); err != nil {
		return nil, err
	}
	if err := p.checkBudget(ctx, result.Images); err != nil {
		return nil, err
	}
	images := make([]*image.Image, len(result.Images))
	for i, b := range result.Images {
		images[i] = b.Image
	}
	if result.Debug, err = o.writeDebug(ctx, result.Images); err != nil {
		return nil, err
	}
	written, err := o.write(ctx, o.Target, o.labels(), images)
	if err != nil {
		return nil, err
	}
	result.Output = *written
	return result, p.close()
}

// write writes images to a target.
func (o Options) write(ctx context.Context, target reference.Reference, labels image.Labels, images []*image.Image) (*Output, error) {
	out := &Output{Target: target}
	var err error
	if target.Kind != reference.Registry {
		out.Digest, err = archive.Write(ctx, target, images, labels, o.Events)
		return out, err
	}
	if out.Written, err = o.Registry.Write(ctx, target, images, image.OCI); err == nil {
		out.Digest = out.Written.Digest
	}
	return out, err
}

// checkUnneeded warns of names in allow-missing that are missing nowhere, or
// returns an error where the build is strict.
func (o Options) checkUnneeded(images []Built) error {
	times := map[string]int{}
	for _, b := range images {
		for _, name := range b.unneeded {
			times[name]++
		}
	}
	var all []error
	for i, name := range o.Spec.AllowMissing {
		if times[name] != len(images) {
			continue
		}
		all = append(all, fmt.Errorf("%s: %s is allowed to be missing, but nothing lacks it", o.place("allow-missing", i), name))
	}
	if o.Strict {
		return errors.Join(all...)
	}
	for _, err := range all {
		o.Events.Warn(err.Error())
	}
	return nil
}

// labels are what the index says beside the image.
func (o Options) labels() image.Labels {
	name := o.Spec.Name
	if name == "" {
		name = image.NameOf(o.Name)
	}
	return image.Labels{
		Name: name, Tag: o.Target.Tag, Created: o.Created,
		Version: o.Version, SHA: o.Commit, Build: o.BuildNumber,
	}
}

// place tells a reader where a value of the spec stands.
func (o Options) place(key string, index int) string {
	if line := o.Spec.Line(key, index); line > 0 {
		return fmt.Sprintf("%s:%d", o.SpecName, line)
	}
	return o.SpecName
}
