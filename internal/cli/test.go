package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/container"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/source/oci"
	"smith/internal/trial"
	"smith/record"
)

// A testCommand is smith test.
type testCommand struct {
	specCommand
	platform, runtime, junit string
	json                     bool
}

func (a *app) testCommand() *cobra.Command {
	t := &testCommand{specCommand: specCommand{app: a}}
	cmd := &cobra.Command{
		Use:   "test IMAGE [NAME…]",
		Short: "Run the tests of an image",
		Long: `Run the tests that smith.yaml lists under the key test: each starts the image's
program in the sandbox of smith run, and compares its exit code, its output, its
answers and the image's files with what is expected. With names, only those tests
are run. The tests are those that the image carries, or those of the file that -c
names. The exit code is 1 where a test fails.

smith build --test does the same before it writes the image.`,
		Example: `  smith test image.tar.gz
  smith test -c smith.yaml --junit report.xml image.tar.gz`,
		Args: arguments(1, -1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd.Context(), args[0], args[1:]) },
	}
	f := cmd.Flags()
	f.StringVarP(&t.conf, "conf", "c", "", "the smith.yaml with the tests (default: the one that the image carries)")
	f.StringVarP(&t.dir, "dir", "d", ".", "directory that the file and its paths start from")
	f.StringVar(&t.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.StringVar(&t.runtime, "runtime", "", "crun, runc or podman (default: the first that is installed)")
	f.BoolVar(&t.json, "json", false, "print the results as JSON")
	f.StringVar(&t.junit, "junit", "", "file to write the results to as JUnit's XML")
	return cmd
}

func (t *testCommand) run(ctx context.Context, name string, names []string) error {
	img, err := t.openImage(ctx, name, t.platform)
	if err != nil {
		return err
	}
	defer img.done()
	tests, err := t.tests(ctx, img)
	if err == nil {
		tests, err = chosenTests(tests, names)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	run := &testRun{specCommand: &t.specCommand, runtime: t.runtime, named: t.conf != "", events: event.Silent{}}
	results, err := run.all(ctx, img, tests)
	if err != nil {
		return err
	}
	if err := t.print(name, results); err != nil {
		return err
	}
	if failures(results) > 0 {
		return errReported
	}
	return nil
}

// tests are those of the file that the user names, or of the image's spec.
func (t *testCommand) tests(ctx context.Context, img *openedImage) ([]smithfile.Test, error) {
	if t.conf != "" {
		r, _, err := t.request()
		if err != nil {
			return nil, err
		}
		return r.Spec.Tests, nil
	}
	data, err := img.Image.Attachment(ctx, image.MediaTypeSpec)
	if err != nil || data == nil {
		return nil, err
	}
	s, err := smithfile.Decode("the image's spec", data)
	if err != nil {
		return nil, err
	}
	return s.Tests, nil
}

// chosenTests returns the tests of some names, or all, each with a name, and an
// error where one contradicts itself.
func chosenTests(tests []smithfile.Test, names []string) ([]smithfile.Test, error) {
	var chosen []smithfile.Test
	for i, test := range tests {
		if test.Name == "" {
			test.Name = fmt.Sprintf("test %d", i+1)
		}
		if err := trial.Check(test); err != nil {
			return nil, fmt.Errorf("%s: %w", test.Name, err)
		}
		wanted := len(names) == 0
		for _, name := range names {
			wanted = wanted || name == test.Name
		}
		if wanted {
			chosen = append(chosen, test)
		}
	}
	switch {
	case len(tests) == 0:
		return nil, errors.New("no tests: list some under the key test of smith.yaml, or name a file with -c")
	case len(chosen) == 0:
		return nil, fmt.Errorf("no test is called %s", strings.Join(names, ", "))
	}
	return chosen, nil
}

func (t *testCommand) print(name string, results []trial.Result) error {
	if t.junit != "" {
		var out strings.Builder
		if err := trial.WriteJUnit(&out, name, results); err != nil {
			return err
		}
		if err := os.WriteFile(t.junit, []byte(out.String()), 0o666); err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
	}
	if t.json {
		return t.printJSON(struct {
			Image  string         `json:"image"`
			Failed int            `json:"failed"`
			Tests  []trial.Result `json:"tests"`
		}{name, failures(results), results})
	}
	if !t.quiet {
		printResults(t.stdout, results)
	}
	return nil
}

// printResults prints a line for each result, and what a program missed.
func printResults(w io.Writer, results []trial.Result) {
	for _, r := range results {
		if r.Passed() {
			fmt.Fprintln(w, "ok    "+r.Name)
			continue
		}
		fmt.Fprintln(w, "FAIL  "+r.Name+": "+strings.Join(r.Failures, "; "))
		for _, line := range r.Missing {
			fmt.Fprintln(w, "      not found: "+line)
		}
	}
	fmt.Fprintf(w, "%s, %d failed\n", count(len(results), "test"), failures(results))
}

func failures(results []trial.Result) (n int) {
	for _, r := range results {
		if !r.Passed() {
			n++
		}
	}
	return n
}

// A testRun runs tests of images.
type testRun struct {
	*specCommand
	runtime string
	// named reports whether the user named the file of the spec.
	named  bool
	events event.Listener
}

// all runs tests, one after the other.
func (t *testRun) all(ctx context.Context, img *openedImage, tests []smithfile.Test) ([]trial.Result, error) {
	base := container.Options{
		Tree: img.Tree, Platform: img.Image.Config.Platform, Config: img.Image.Config.Config.ImageConfig, Runtime: t.runtime, Events: t.events,
	}
	var results []trial.Result
	for _, test := range tests {
		r, err := trial.Test(ctx, test, img.Tree, base, func(ctx context.Context, o container.Options) (int, func() []string, error) {
			return t.one(ctx, img, o)
		})
		if err != nil {
			return nil, fmt.Errorf("cannot run %s: %w", test.Name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// one runs the program of a test, and watches it.
func (t *testRun) one(ctx context.Context, img *openedImage, o container.Options) (int, func() []string, error) {
	w := &watcher{specCommand: t.specCommand, img: img, named: t.named}
	w.begin(&o)
	code, err := container.Run(ctx, o)
	w.close()
	return code, func() []string {
		misses, request, err := w.misses(context.WithoutCancel(ctx))
		shown, _ := shownMisses(misses, false)
		var lines []string
		for _, m := range shown {
			lines = append(lines, missLine(m, request))
		}
		if err != nil {
			lines = append(lines, "cannot look up which packages have it: "+err.Error())
		}
		return lines
	}, err
}

// testBuilt runs the tests of a spec in images that were built and not written
// yet; it returns an error where one fails. Images for other architectures are
// not tested here.
func (b *buildCommand) testBuilt(ctx context.Context, r pipeline.Request, builder *pipeline.Builder, images []pipeline.Built) error {
	tests, err := chosenTests(r.Spec.Tests, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", r.SpecName, err)
	}
	failed := 0
	for _, built := range images {
		if err := container.CanExecute(built.Platform); err != nil {
			builder.Events.Warn(fmt.Sprintf("the image for %s is not tested: %v", image.PlatformName(built.Platform), err))
			continue
		}
		files, closeTree, err := oci.Stack(ctx, builder.Store, built.Image, record.Origin{}, builder.Events)
		if err != nil {
			return err
		}
		img := &openedImage{Offer: &source.Offer{Tree: files, Image: built.Image}, Record: built.Record}
		run := &testRun{specCommand: &b.specCommand, named: true, events: builder.Events}
		results, err := run.all(ctx, img, tests)
		if err = errors.Join(err, closeTree()); err != nil {
			return err
		}
		if failed += failures(results); !b.quiet || failures(results) > 0 {
			printResults(b.stderr, results)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s failed: %s was not written", count(failed, "test"), b.image)
	}
	return nil
}
