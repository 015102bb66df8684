package cli

import (
	"context"
	"fmt"
	"time"

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
		Long: `Write an image of a registry to a file or a layout folder, unchanged, with what
smith attached to it. Layers that the cache has are not fetched.

Printed is the reference with the digest that the tag stands for.`,
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
	images, err := imagesOf(ctx, opened, wanted)
	if err != nil {
		return err
	}
	name := from.Split()
	labels := image.Labels{Name: name.Host + "/" + name.Repository, Tag: name.Tag, Created: time.Now().UTC().Truncate(time.Second)}
	labels.Version, labels.SHA = d.version.Number, d.version.Commit
	ahead, stop := client.Ahead(ctx, images)
	_, err = archive.Write(ctx, target, ahead, labels, display)
	stop()
	if err != nil {
		return err
	}
	if _, err := st.Prune(ctx, int64(d.maxSize)); err != nil {
		display.Warn("cannot bound the cache: " + err.Error())
	}
	display.close()
	fmt.Fprintf(d.stdout, "%s@%s\n", named(name), opened.Digest())
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

// fetched opens an image in a registry for the platforms that are wanted, none
// of which are all.
func fetched(ctx context.Context, client *registry.Client, r reference.Reference, wanted []ocispec.Platform) ([]*image.Image, error) {
	opened, err := client.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	return imagesOf(ctx, opened, wanted)
}

func imagesOf(ctx context.Context, opened *registry.Image, wanted []ocispec.Platform) ([]*image.Image, error) {
	var images []*image.Image
	var err error
	if len(wanted) == 0 {
		images, err = opened.Images(ctx)
	}
	for _, p := range wanted {
		var img *image.Image
		if img, err = opened.Image(ctx, p); err != nil {
			break
		}
		images = append(images, img)
	}
	if err != nil {
		return nil, err
	}
	images = unique(images)
	for _, img := range images {
		if err := opened.Attach(ctx, img); err != nil {
			return nil, err
		}
	}
	return images, nil
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
