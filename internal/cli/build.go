package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"smith/internal/lock"
	"smith/internal/pipeline"
	"smith/internal/reference"
)

// A buildCommand holds the flags of smith and smith build, which are the same.
type buildCommand struct {
	specCommand
	image, number        string
	fast, locked, strict bool
	test, asJSON         bool
}

func (b *buildCommand) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the image that smith.yaml describes",
		Long: `Build the image that smith.yaml describes: take the named files from the
package, add what they need, lay rootfs/ over them and write the image. A build
that fails leaves the old image as it was.

With -q only the name and digest of the image are printed, for scripts.`,
		Example: `  smith build
  smith build -c web.yaml -i web.tar.gz:1.2
  smith build -i oci:layout --platform linux/arm64
  smith build --test
  smith build -i registry.example.org/team/app:1.2`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	b.flags(cmd)
	return cmd
}

func (b *buildCommand) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	b.specFlags(cmd)
	f.BoolVar(&b.locked, "locked", false, "use exactly what smith.lock lists; fail if it does not exist")
	b.outputFlags(cmd)
	f.BoolVar(&b.test, "test", false, "run the spec's tests before the image is written, and write none where one fails")
	f.BoolVarP(&b.fast, "fast", "f", false, "no effect: every build uses the cache (accepted for users of the original smith)")
	f.BoolVar(&b.strict, "strict", false, "fail if allow-missing has a name that nothing lacks")
}

// outputFlags are those of every command that writes an image.
func (b *buildCommand) outputFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&b.image, "image", "i", "image.tar.gz", "where the image goes: x.tar.gz, x.tar or oci:DIR, each with an optional :tag, or HOST/NAME:TAG in a registry")
	f.StringVarP(&b.number, "buildnumber", "b", "", "build number, kept with the time in the index beside the image")
	b.maxSize = 10 << 30
	f.Var(&b.maxSize, "max-size", "maximum size of the cache")
	f.BoolVar(&b.asJSON, "json", false, "print JSON instead of the summary")
}

func (b *buildCommand) run(ctx context.Context) error {
	r, file, err := b.request()
	if err != nil {
		return err
	}
	r.Lock, err = lock.ReadFile(file)
	if lock.Absent(err) && b.locked {
		return fmt.Errorf("%s does not exist; run \"smith lock\" to create it", file)
	}
	if err != nil && !lock.Absent(err) {
		return err
	}
	r.Strict = b.strict
	return b.build(ctx, r)
}

// build completes the request from the flags, builds, and prints the result.
func (b *buildCommand) build(ctx context.Context, r pipeline.Request) error {
	var err error
	if r.Target, err = reference.ParseOutput(b.image); err != nil {
		return usageError{err}
	}
	if err := b.moment(&r); err != nil {
		return err
	}
	r.Labels.Version, r.Labels.SHA = b.version.Number, b.version.Commit
	builder, display, err := b.builder()
	if err != nil {
		return err
	}
	if b.test {
		builder.Check = func(ctx context.Context, images []pipeline.Built) error { return b.testBuilt(ctx, r, builder, images) }
	}
	began := time.Now()
	result, err := builder.Build(ctx, r)
	display.close()
	if err != nil {
		return err
	}
	if _, err := builder.Store.Prune(ctx, int64(b.maxSize)); err != nil {
		display.Warn("cannot bound the cache: " + err.Error())
	}
	switch {
	case b.asJSON:
		return b.printJSON(built(result))
	case b.quiet:
		_, err := fmt.Fprintln(b.stdout, nameWithDigest(result.Output))
		return err
	}
	b.summarise(r, result, display, time.Since(began))
	return nil
}

// moment sets the times that the image and its index get. An index names the
// time of the build only with a build number or SOURCE_DATE_EPOCH: otherwise two
// builds of one spec would give two archives.
func (b *buildCommand) moment(r *pipeline.Request) error {
	epoch, err := sourceDate()
	if err != nil {
		return err
	}
	r.Labels.Build = b.number
	switch {
	case epoch != nil:
		r.Epoch, r.Labels.Created = epoch, *epoch
	case b.number != "":
		r.Labels.Created = time.Now().UTC().Truncate(time.Second)
	}
	return nil
}

// sourceDate returns the time that SOURCE_DATE_EPOCH sets, nil where it is
// unset (https://reproducible-builds.org/specs/source-date-epoch/).
func sourceDate() (*time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<36 {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH is %q; it must be a number of seconds since 1970", text)
	}
	epoch := time.Unix(seconds, 0).UTC()
	return &epoch, nil
}

// count returns "1 layer" or "2 layers".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// shown returns the name by which an image that was written is read again.
func shown(r reference.Reference) string {
	if r.Kind == reference.Layout {
		return "oci:" + strings.TrimPrefix(r.String(), "oci:")
	}
	return r.String()
}
