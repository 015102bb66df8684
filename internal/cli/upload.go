package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry"
	"smith/internal/reference"
)

// An uploadCommand is smith upload.
type uploadCommand struct {
	*app
	remote, image string
	docker        bool
	asJSON        bool
	platforms     []string
}

func (a *app) uploadCommand() *cobra.Command {
	u := &uploadCommand{app: a}
	cmd := &cobra.Command{
		Use:   "upload -r HOST/NAME:TAG",
		Short: "Write an image to a registry",
		Long: `Copy an image from a file, a layout directory or a registry to a registry, for
all platforms that it has; an image index is copied byte for byte. Blobs that
the registry has are not sent again. What smith keeps beside an image (spec,
record) is attached to it.

The reference with the image's digest is printed, for scripts; with -q nothing
else.`,
		Example: `  smith upload -r registry.example.org/team/app:1.2 -i app.tar.gz
  smith upload -r registry.example.org/team/app:1.2 -d
  reference=$(smith upload -q -r registry.example.org/team/app:1.2)`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return u.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVarP(&u.remote, "remote", "r", "", "where the image goes: HOST/NAME:TAG; http://HOST/… without TLS")
	f.StringVarP(&u.image, "image", "i", "image.tar.gz", "the image: a file, oci:DIR or HOST/NAME:TAG")
	f.BoolVarP(&u.docker, "docker", "d", false, "write Docker's media types (schema 2) instead of OCI's")
	f.StringSliceVar(&u.platforms, "platform", nil, "a platform to write, such as linux/amd64 (default: all that the image has)")
	f.BoolVar(&u.asJSON, "json", false, "print JSON")
	return cmd
}

func (u *uploadCommand) run(ctx context.Context) error {
	st, err := u.store()
	if err != nil {
		return err
	}
	display := u.display()
	defer display.close()
	client, err := u.registry(st, display)
	if err != nil {
		return err
	}
	target, err := remote(u.remote, client, display)
	if err != nil {
		return err
	}
	set, done, err := u.images(ctx, client, st, display)
	if err != nil {
		return err
	}
	defer done()
	form := image.OCI
	if u.docker {
		form = image.Docker
	}
	w, err := client.Write(ctx, target, set, form)
	if err != nil {
		return err
	}
	display.close()
	if !u.quiet && !u.asJSON {
		fmt.Fprintf(u.stderr, "smith: %s\n", transfers(w))
	}
	if u.asJSON {
		return u.printJSON(uploadOutput{w.Name, w.Digest.String(), transferred(w)})
	}
	_, err = fmt.Fprintln(u.stdout, w.Name)
	return err
}

// images opens the image for the platforms that are wanted.
func (u *uploadCommand) images(ctx context.Context, client *registry.Client, st *store.Store, events event.Listener) (image.Set, func(), error) {
	wanted, err := platforms(u.platforms)
	if err != nil {
		return image.Set{}, nil, err
	}
	r, err := reference.ParseImage(u.image, os.Stat)
	if err != nil {
		return image.Set{}, nil, err
	}
	if r.Kind == reference.Registry {
		set, err := fetched(ctx, client, r, wanted)
		return set, func() {}, err
	}
	a, err := archive.Open(ctx, r.Path, st, events)
	if err != nil {
		return image.Set{}, nil, err
	}
	done := func() { _ = a.Close() } // it was only read
	set, err := chosen(wanted,
		func() (image.Set, error) { return a.Images(ctx, r.Tag) },
		func(p ocispec.Platform) (*image.Image, error) { return a.Image(ctx, r.Tag, p) })
	if err != nil {
		done()
		return image.Set{}, nil, err
	}
	return set, done, nil
}

// unique drops images that two platforms share.
func unique(images []*image.Image) []*image.Image {
	seen := map[digest.Digest]bool{}
	return slices.DeleteFunc(images, func(img *image.Image) bool {
		known := seen[img.Descriptor.Digest]
		seen[img.Descriptor.Digest] = true
		return known
	})
}
