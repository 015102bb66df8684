package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/explain"
	"smith/internal/explain/report"
	"smith/internal/oci/image"
	"smith/record"
)

// A reportCommand is smith report.
type reportCommand struct {
	*app
	platform string
	output   string
}

func (a *app) reportCommand() *cobra.Command {
	r := &reportCommand{app: a}
	cmd := &cobra.Command{
		Use:   "report IMAGE",
		Short: "Write a page that shows what is in an image and why",
		Long: `Write one HTML page for people who would rather look than read: what the size
is made of, what brought what, packages, files, suspects and the findings of
smith verify. It needs no network and no other file.`,
		Example: `  smith report image.tar.gz
  smith report image.tar.gz -o nginx.html`,
		Args: arguments(1, 1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().StringVar(&r.platform, "platform", "", "which platform's image, such as linux/arm64")
	cmd.Flags().StringVarP(&r.output, "output", "o", "report.html", "the page to write; - is standard output")
	return cmd
}

func (r *reportCommand) run(ctx context.Context, name string) error {
	img, err := r.openImage(ctx, name, r.platform)
	if err != nil {
		return err
	}
	defer img.done()
	page, err := r.page(ctx, img)
	if err != nil {
		return err
	}
	if r.output == "-" {
		return report.Write(r.stdout, *page)
	}
	if err := writePage(r.output, *page); err != nil {
		return fmt.Errorf("cannot write the report %s: %w", r.output, bare(err))
	}
	if !r.quiet {
		fmt.Fprintln(r.stdout, r.output)
	}
	return nil
}

// page collects what the report shows.
func (r *reportCommand) page(ctx context.Context, img *openedImage) (*report.Report, error) {
	explained, err := img.explain(ctx)
	if err != nil {
		return nil, err
	}
	checks, err := img.checks(ctx, explained)
	if err != nil {
		return nil, err
	}
	config := img.Image.Config.Config
	page := &report.Report{
		Name: img.Name, Digest: img.Image.Descriptor.Digest.String(), Platform: image.PlatformName(img.Platform),
		Compressed: img.Image.LayersSize(), Image: explained, Checks: checks,
		Facts: []report.Fact{{Name: "entry point", Value: strings.Join(config.Entrypoint, " ")}, {Name: "cmd", Value: strings.Join(config.Cmd, " ")}, {Name: "user", Value: config.User}},
	}
	if img.Record != nil {
		page.Suspects, page.Warnings = img.Record.Suspects, img.Record.Warnings
		for _, in := range img.Record.Inputs {
			if in.Kind != record.KindPackage {
				page.Facts = append(page.Facts, report.Fact{Name: "made from", Value: string(in.Kind) + " " + in.Name})
			}
		}
	}
	page.Spec, err = img.Image.Attachment(ctx, image.MediaTypeSpec)
	return page, err
}

// writePage writes the page beside its place and moves it there when it is whole.
func writePage(name string, page report.Report) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return errors.New("it is a directory")
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".smith-report-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	out := bufio.NewWriter(f)
	err = report.Write(out, page)
	for _, step := range []func() error{out.Flush, func() error { return f.Chmod(0o644) }, f.Close} {
		err = cmp.Or(err, step())
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// bare is an error of the operating system without the name of the file, which
// may be a temporary one.
func bare(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}

// checks are the findings of the closure and of the principles.
func (o *openedImage) checks(ctx context.Context, explained *explain.Image) ([]explain.Check, error) {
	verdict, err := o.verdict(ctx, nil)
	if err != nil {
		return nil, err
	}
	checks := completeness(verdict)
	checks = append(checks, o.digests(ctx))
	return append(checks, explain.Principles(explained, o.Image.Config.Config.ImageConfig)...), nil
}
