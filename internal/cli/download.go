package cli

import (
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry"
	"smith/internal/reference"
)

// allPlatforms is the value of --platform for every platform that there is.
const allPlatforms = "all"

// A downloadCommand is smith download.
type downloadCommand struct {
	*app
	remote, image string
	platforms     []string
}

func (a *app) downloadCommand() *cobra.Command {
	d := &downloadCommand{app: a}
	cmd := &cobra.Command{
		Use:   "download -r HOST/NAME:TAG",
		Short: "Write an image of a registry to a file",
		Long: `Write an image of a registry to a file or a layout directory, unchanged, with what
smith attached to it. Layers that the cache has are not fetched.

With --platform all, an image index is written byte for byte, with everything
that it lists. Printed is the reference with the digest of what was written.`,
		Example: `  smith download -r registry.example.org/team/app:1.2 -i app.tar.gz
  smith download -r registry.example.org/team/app@sha256:… -i oci:layout --platform all`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVarP(&d.remote, "remote", "r", "", "the image: HOST/NAME:TAG or HOST/NAME@DIGEST; http://HOST/… without TLS")
	f.StringVarP(&d.image, "image", "i", "image.tar.gz", "where it goes: x.tar.gz, x.tar or oci:DIR, each with an optional :tag")
	f.StringSliceVar(&d.platforms, "platform", nil, "a platform, such as linux/arm64, or all (default: this machine's, or the only one)")
	d.maxSize = 10 << 30
	f.Var(&d.maxSize, "max-size", "bound of the cache's size")
	return cmd
}

func (d *downloadCommand) run(ctx context.Context) error {
	target, err := reference.ParseOutput(d.image)
	if err != nil {
		return usageError{err}
	}
	if target.Kind == reference.Registry {
		return usagef("-i %s is in a registry; smith upload -i takes one from there", d.image)
	}
	wanted, err := d.wanted()
	if err != nil {
		return err
	}
	epoch, err := sourceDate()
	if err != nil {
		return err
	}
	st, err := d.store()
	if err != nil {
		return err
	}
	display := d.display()
	defer display.close()
	client, err := d.registry(st, display)
	if err != nil {
		return err
	}
	from, err := remote(d.remote, client, display)
	if err != nil {
		return err
	}
	opened, err := client.Open(ctx, from)
	if err != nil {
		return err
	}
	set, err := imagesOf(ctx, opened, wanted)
	if err != nil {
		return err
	}
	name := from.Split()
	labels := image.Labels{Name: name.Host + "/" + name.Repository, Tag: name.Tag}
	if epoch != nil {
		labels.Created = *epoch
	}
	labels.Version, labels.SHA = d.version.Number, d.version.Commit
	var stop func()
	set.Images, stop = client.Ahead(ctx, set.Images)
	written, err := archive.Write(ctx, target, set, labels, display)
	stop()
	if err != nil {
		return err
	}
	if written != opened.Digest() {
		display.Note(fmt.Sprintf("%s is an image of index %s", written, opened.Digest()))
	}
	if _, err := st.Prune(ctx, int64(d.maxSize)); err != nil {
		display.Warn("cannot bound the cache: " + err.Error())
	}
	display.close()
	fmt.Fprintf(d.stdout, "%s@%s\n", named(name), written)
	return nil
}

// wanted reads --platform. No platform is this machine's; none are all.
func (d *downloadCommand) wanted() ([]ocispec.Platform, error) {
	switch {
	case len(d.platforms) == 0:
		return []ocispec.Platform{{}}, nil
	case len(d.platforms) == 1 && d.platforms[0] == allPlatforms:
		return nil, nil
	}
	return platforms(d.platforms)
}

// fetched opens an image in a registry for the platforms that are wanted; none
// are all.
func fetched(ctx context.Context, client *registry.Client, r reference.Reference, wanted []ocispec.Platform) (image.Set, error) {
	opened, err := client.Open(ctx, r)
	if err != nil {
		return image.Set{}, err
	}
	return imagesOf(ctx, opened, wanted)
}

func imagesOf(ctx context.Context, opened *registry.Image, wanted []ocispec.Platform) (image.Set, error) {
	set, err := chosen(wanted,
		func() (image.Set, error) { return opened.Images(ctx) },
		func(p ocispec.Platform) (*image.Image, error) { return opened.Image(ctx, p) })
	if err != nil {
		return image.Set{}, err
	}
	for _, img := range set.Images {
		if err := opened.Attach(ctx, img); err != nil {
			return image.Set{}, err
		}
	}
	return set, nil
}

// chosen reads the images of platforms, each once, or all where none are named.
func chosen(wanted []ocispec.Platform, all func() (image.Set, error), one func(ocispec.Platform) (*image.Image, error)) (image.Set, error) {
	if len(wanted) == 0 {
		return all()
	}
	var images []*image.Image
	for _, p := range wanted {
		img, err := one(p)
		if err != nil {
			return image.Set{}, err
		}
		images = append(images, img)
	}
	return image.Of(unique(images)...), nil
}

// named is a reference without its digest.
func named(r reference.Remote) string {
	name := r.Host + "/" + r.Repository
	if r.Tag != "" {
		name += ":" + r.Tag
	} else if r.Digest == "" {
		name += ":" + image.DefaultTag
	}
	return name
}
