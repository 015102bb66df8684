package cli

import (
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"smith/internal/explain"
	"smith/internal/size"
	"smith/record"
)

// A diffCommand is smith diff.
type diffCommand struct {
	*app
	platform string
	asJSON   bool
	exitCode bool
}

func (a *app) diffCommand() *cobra.Command {
	d := &diffCommand{app: a}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two images: files, packages, config, and what the size comes from",
		Long: `Compare two images: the files, packages and settings that differ. Every byte
gained or lost is attributed to what brought it: the path of smith.yaml, and
the first need on the way to the file that only one of the images has.`,
		Example: `  smith diff old.tar.gz new.tar.gz
  smith diff --exit-code old.tar.gz new.tar.gz`,
		Args: arguments(2, 2, "two images, such as old.tar.gz new.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.run(cmd.Context(), args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.platform, "platform", "", "which platform's images, such as linux/arm64")
	f.BoolVar(&d.asJSON, "json", false, "print JSON")
	f.BoolVar(&d.exitCode, "exit-code", false, "exit with 1 if the images differ")
	return cmd
}

func (d *diffCommand) run(ctx context.Context, before, after string) error {
	var explained [2]*explain.Image
	var configs [2]ocispec.ImageConfig
	for i, name := range []string{before, after} {
		img, err := d.openImage(ctx, name, d.platform)
		if err != nil {
			return err
		}
		defer img.done()
		if explained[i], err = img.explain(ctx); err != nil {
			return err
		}
		configs[i] = img.Image.Config.Config.ImageConfig
	}
	difference, err := explain.Diff(explained[0], explained[1], configs)
	if err != nil {
		return fmt.Errorf("cannot compare %s with %s: %w", before, after, err)
	}
	if d.asJSON {
		if err := d.printJSON(difference); err != nil {
			return err
		}
	} else {
		d.print(difference)
	}
	if d.exitCode && !difference.Empty() {
		return errReported
	}
	return nil
}

func (d *diffCommand) print(difference *explain.Difference) {
	if difference.Empty() {
		fmt.Fprintln(d.stdout, "the same files, packages and config")
		return
	}
	paint := painted(d.stdout)
	signs := map[string]string{"added": paint.good("+"), "removed": paint.bad("-"), "changed": paint.warning("~")}
	for _, f := range difference.Files {
		fmt.Fprintf(d.stdout, "%s %12s  %s", signs[f.Change], signed(f.Bytes), printable(f.Path))
		for i, what := range f.What {
			fmt.Fprintf(d.stdout, "%s%s", [2]string{"  ", ", "}[min(i, 1)], what)
		}
		fmt.Fprintln(d.stdout)
	}
	for _, p := range difference.Packages {
		fmt.Fprintf(d.stdout, "package %s: %s → %s\n", p.Name, absent(p.Before), absent(p.After))
	}
	for _, c := range difference.Config {
		fmt.Fprintf(d.stdout, "%s: %s → %s\n", c.Name, absent(c.Before), absent(c.After))
	}
	fmt.Fprintf(d.stdout, "size: %s → %s (%s)\n", size.Format(difference.Before), size.Format(difference.After), signed(difference.After-difference.Before))
	for _, c := range difference.Causes {
		if c.Bytes == 0 {
			continue
		}
		fmt.Fprintf(d.stdout, "  %12s  %s in %s: ", signed(c.Bytes), count(c.Files, "file"), printable(c.Path))
		if c.Root != "" && c.Root != c.Path {
			fmt.Fprintf(d.stdout, "%s (%s) → ", printable(c.Root), printable(c.Reason.String()))
		}
		fmt.Fprintln(d.stdout, why(c.Edge))
	}
}

// why describes the edge of a cause.
func why(edge record.Reason) string {
	if edge == (record.Reason{}) {
		return "unexplained"
	}
	return printable(edge.String())
}

func absent(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// signed shows by how much a size changed.
func signed(n int64) string {
	switch {
	case n < 0:
		return "-" + size.Format(-n)
	case n > 0:
		return "+" + size.Format(n)
	}
	return "0 B"
}
