package cli

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"smith/internal/closure"
	"smith/internal/record"
)

func (a *app) verifyCommand() *cobra.Command {
	var platform string
	var allow []string
	cmd := &cobra.Command{
		Use:   "verify IMAGE",
		Short: "Check that an image holds all that its files need",
		Long: `Check any image, made by smith or not: every interpreter, shared library,
symbol version, #! program and symbolic link must resolve inside it, and so
must the entry point. Links into folders that are filled when a container
starts are left alone. Of an image that smith has made, what its spec excludes
or allows to be missing is accepted and listed.

All that is missing is told at once, each with the chain of files that led to
it and the places searched; the exit code is then 1.`,
		Example: `  smith verify image.tar.gz
  smith verify --allow-missing libfoo.so.1 image.tar.gz`,
		Args: arguments(1, 1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verify(cmd.Context(), args[0], platform, allow)
		},
	}
	cmd.Flags().StringVar(&platform, "platform", "", "which platform's image, such as linux/arm64")
	cmd.Flags().StringSliceVar(&allow, "allow-missing", nil, "a library, path or symbol version that may be missing")
	return cmd
}

func (a *app) verify(ctx context.Context, name, platform string, allow []string) error {
	img, err := a.openImage(ctx, name, platform)
	if err != nil {
		return err
	}
	defer img.done()
	verdict, err := img.verdict(ctx, allow)
	if err != nil {
		return err
	}
	for _, name := range allow {
		if slices.Contains(verdict.Unneeded, name) {
			verdict.Warnings = append(verdict.Warnings, name+" is allowed to be missing, but nothing lacks it")
		}
	}
	return a.printVerdict(verdict)
}

// verdict says whether the image holds all that its files need.
func (o *openedImage) verdict(ctx context.Context, allow []string) (*closure.Verdict, error) {
	c := o.Image.Config.Config
	in := closure.Image{
		Tree: o.Tree, Env: c.Env, Entrypoint: c.Entrypoint, Platform: o.Platform,
		Mounts: slices.Sorted(maps.Keys(c.Volumes)), AllowMissing: allow,
	}
	if len(in.Entrypoint) == 0 {
		in.Entrypoint = c.Cmd
	}
	if r := o.Record; r != nil {
		in.Reasons = map[string][]record.Reason{}
		for _, f := range r.Files {
			in.Reasons[f.Path] = f.Reasons
		}
		// What the build accepted is accepted; a library that was left out may
		// be missed by its name.
		for _, f := range r.Allowed {
			in.AllowMissing = append(in.AllowMissing, f.Name)
		}
		for _, f := range r.Excluded {
			in.Excluded = append(in.Excluded, f.Name, path.Base(f.Name))
		}
	}
	verdict, err := closure.Check(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("cannot verify %s: %w", o.Name, err)
	}
	return verdict, nil
}

func (a *app) printVerdict(v *closure.Verdict) error {
	for _, text := range v.Warnings {
		fmt.Fprintf(a.stderr, "smith: warning: %s\n", text)
	}
	if !a.quiet {
		for _, f := range v.Excluded {
			fmt.Fprintf(a.stdout, "left out: %s\n", findingLine(f))
		}
		for _, f := range v.Allowed {
			fmt.Fprintf(a.stdout, "allowed missing: %s\n", findingLine(f))
		}
	}
	for _, p := range v.Problems {
		fmt.Fprintf(a.stdout, "not ok: %s\n", p)
	}
	if len(v.Problems) > 0 {
		fmt.Fprintf(a.stdout, "%s missing; --allow-missing NAME accepts one\n", count(len(v.Problems), "thing"))
		return errReported
	}
	if !a.quiet {
		fmt.Fprintln(a.stdout, "ok: every interpreter, library, version, script and link resolves inside the image")
	}
	return nil
}
