package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"smith/internal/closure"
	"smith/internal/explain"
	"smith/internal/oci/image"
	"smith/record"
)

// A verifyCommand is smith verify.
type verifyCommand struct {
	*app
	platform string
	allow    []string
	strict   bool
	asJSON   bool
}

func (a *app) verifyCommand() *cobra.Command {
	v := &verifyCommand{app: a}
	cmd := &cobra.Command{
		Use:   "verify IMAGE",
		Short: "Check that an image is complete and keeps the principles",
		Long: `Check any image, made by smith or not: every interpreter, shared library,
symbol version, #! program and symbolic link must resolve inside it, and so
must the entry point. Links into directories that are filled when a container
starts are left alone. Of an image that smith has made, what its spec excludes
or allows to be missing is accepted and listed. All that is missing is told at
once, each with the chain of files that led to it and the places searched.

Then a line for the digests of all its blobs, and one for each principle of a
microcontainer: one owner, no special permissions, no capabilities and no shell
unless asked for, what a read-only root needs, nothing that depends on when it
was built.

The exit code is 1 if something is missing or a digest is wrong; with --strict
also if a principle is not kept.`,
		Example: `  smith verify image.tar.gz
  smith verify --strict image.tar.gz
  smith verify --allow-missing libfoo.so.1 image.tar.gz`,
		Args: arguments(1, 1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&v.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.StringSliceVar(&v.allow, "allow-missing", nil, "a library, path or symbol version that may be missing")
	f.BoolVar(&v.asJSON, "json", false, "print JSON, an object a line for each check")
	f.BoolVar(&v.strict, "strict", false, "fail where a principle of a microcontainer is not kept")
	return cmd
}

func (v *verifyCommand) run(ctx context.Context, name string) error {
	img, err := v.openImage(ctx, name, v.platform)
	if err != nil {
		return err
	}
	defer img.done()
	verdict, err := img.verdict(ctx, v.allow)
	if err != nil {
		return err
	}
	for _, name := range v.allow {
		if slices.Contains(verdict.Unneeded, name) {
			verdict.Warnings = append(verdict.Warnings, name+" is allowed to be missing, but nothing lacks it")
		}
	}
	explained, err := img.explain(ctx)
	if err != nil {
		return err
	}
	digests := img.digests(ctx)
	principles := explain.Principles(explained, img.Image.Config.Config.ImageConfig)
	if v.asJSON {
		err = v.encodeChecks(append(append(completeness(verdict), digests), principles...))
	} else {
		v.printVerdict(verdict)
		v.printChecks(append([]explain.Check{digests}, principles...))
	}
	if err != nil {
		return err
	}
	broken := func(c explain.Check) bool { return !c.OK }
	if len(verdict.Problems) > 0 || !digests.OK || v.strict && slices.ContainsFunc(principles, broken) {
		return errReported
	}
	return nil
}

// complete is what the first check is called.
const complete = "every interpreter, library, version, script and link resolves inside the image"

// completeness is a verdict as checks: one, or one for each problem.
func completeness(verdict *closure.Verdict) []explain.Check {
	checks := []explain.Check{{Name: complete, OK: true}}
	for i, p := range verdict.Problems {
		checks = append(checks[:i], explain.Check{Name: complete, Detail: p.String()})
	}
	return checks
}

// encodeChecks prints an object for each check.
func (v *verifyCommand) encodeChecks(checks []explain.Check) error {
	e := json.NewEncoder(v.stdout)
	e.SetEscapeHTML(false)
	for _, c := range checks {
		if err := e.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// digests reads all blobs of an image once more, as they lie there.
func (o *openedImage) digests(ctx context.Context) explain.Check {
	blobs := o.Image.Blobs()
	c := explain.Check{Name: "the bytes have their digests", OK: true, Detail: count(len(blobs), "blob")}
	for _, b := range blobs {
		r, err := b.Open(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			return explain.Check{Name: c.Name, Detail: err.Error()}
		}
	}
	return c
}

// verdict reports whether the image holds all that its files need.
func (o *openedImage) verdict(ctx context.Context, allow []string) (*closure.Verdict, error) {
	c := o.Image.Config.Config
	in := closure.Image{
		Tree: o.Tree, Env: c.Env, Dir: c.WorkingDir, Entrypoint: image.Program(c.ImageConfig), Platform: o.Platform,
		Mounts: slices.Sorted(maps.Keys(c.Volumes)), AllowMissing: allow,
	}
	if program := c.Healthcheck.Program(); program != "" {
		in.Commands = []closure.Command{{Name: program, Detail: "health check"}}
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

func (v *verifyCommand) printVerdict(verdict *closure.Verdict) {
	for _, text := range verdict.Warnings {
		fmt.Fprintf(v.stderr, "smith: %s %s\n", painted(v.stderr).warning("warning:"), safeText(text))
	}
	if !v.quiet {
		for _, f := range verdict.Excluded {
			fmt.Fprintf(v.stdout, "left out: %s\n", findingLine(f))
		}
		for _, f := range verdict.Allowed {
			fmt.Fprintf(v.stdout, "allowed missing: %s\n", findingLine(f))
		}
	}
	paint := painted(v.stdout)
	for _, p := range verdict.Problems {
		fmt.Fprintf(v.stdout, "%s %s\n", paint.bad("not ok:"), p)
	}
	switch n := len(verdict.Problems); {
	case n > 0:
		fmt.Fprintf(v.stdout, "%s missing; --allow-missing NAME accepts one\n", count(n, "thing"))
	case !v.quiet:
		fmt.Fprintln(v.stdout, paint.good("ok:")+" "+complete)
	}
}

// printChecks prints a line for each check; with -q only for those that fail.
func (v *verifyCommand) printChecks(checks []explain.Check) {
	paint := painted(v.stdout)
	for _, c := range checks {
		text := c.Name
		if c.Detail != "" {
			text += ": " + c.Detail
		}
		switch {
		case !c.OK:
			fmt.Fprintf(v.stdout, "%s %s\n", paint.bad("not ok:"), text)
		case !v.quiet:
			fmt.Fprintf(v.stdout, "%s %s\n", paint.good("ok:"), text)
		}
	}
}
