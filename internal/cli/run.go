package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"smith/internal/container"
	"smith/internal/oci/image"
	"smith/internal/program"
)

// A runCommand is smith run.
type runCommand struct {
	*app
	platform string
	read     string
	runtime  string
	network  bool
	caps     []string
	memory   sizeFlag
	limits   container.Limits
	watch    string
	learn    bool
	spec     specCommand
}

func (a *app) runCommand() *cobra.Command {
	r := &runCommand{app: a, spec: specCommand{app: a}}
	cmd := &cobra.Command{
		Use:   "run IMAGE [ARGS]",
		Short: "Try an image: run it as a microcontainer is meant to run",
		Long: `Run an image to try it, as a microcontainer is meant to run: a read-only root;
/write, /run, /tmp and the image's volumes writable in memory; no capability, no
network, and the system calls that container engines allow. smith run needs
crun, runc or podman and takes the first that is installed. It does not need
root where the machine lets users have namespaces. What follows the image are
arguments for its program, in place of the image's cmd; options of smith run
come before the image. Programs to which the image gives capabilities get those
that --cap-add names, for root only. The exit code is the program's.

Where the program fails, smith run says what it looked for and did not find, the
package that has it, and the line of smith.yaml that adds it; --learn writes
that line. --watch says it also where the program succeeds, of everything.`,
		Example: `  smith run image.tar.gz
  smith run image.tar.gz --help
  smith run --read ./config image.tar.gz
  smith run --learn image.tar.gz && smith`,
		Args: arguments(1, -1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), args[0], programArguments(args[1:]))
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&r.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.StringVar(&r.read, "read", "", "a directory that the program sees as /read")
	f.BoolVar(&r.network, "network", false, "let the program use this machine's network")
	f.StringSliceVar(&r.caps, "cap-add", nil, "a capability that the image's programs may have, such as net_raw")
	f.Var(&r.memory, "memory", "how much memory the program may use, files in memory included (default: half of this machine's)")
	f.Int64Var(&r.limits.Processes, "processes", 2048, "how many processes and threads the program may have")
	f.StringVar(&r.watch, "watch", watchError, "say what the program looked for and did not find: always, error (where it fails) or never")
	f.Lookup("watch").NoOptDefVal = watchAlways
	f.BoolVar(&r.learn, "learn", false, "add to smith.yaml what the program looked for and did not find")
	f.StringVarP(&r.spec.conf, "conf", "c", "", "the smith.yaml of the image (default: the one that the image carries; with --learn, smith.yaml)")
	f.StringVarP(&r.spec.dir, "dir", "d", ".", "directory that the file and its paths start from")
	f.StringVar(&r.runtime, "runtime", "", "crun, runc or podman (default: the first that is installed)")
	return cmd
}

// programArguments are those after the image, nil where there are none. "--"
// before them is allowed, as in earlier versions.
func programArguments(args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		return args[1:]
	}
	if len(args) == 0 {
		return nil
	}
	return args
}

func (r *runCommand) run(ctx context.Context, name string, args []string) error {
	if !slices.Contains([]string{watchAlways, watchError, watchNever}, r.watch) {
		return usagef("--watch %q: use always, error or never", r.watch)
	}
	if r.read != "" {
		if info, err := os.Stat(r.read); err != nil || !info.IsDir() {
			return fmt.Errorf("--read %s: no such directory", r.read)
		}
	}
	img, err := r.openImage(ctx, name, r.platform)
	if err != nil {
		return err
	}
	defer img.done()
	if err := holdsProgram(img, name, args); err != nil {
		return err
	}
	display := r.display()
	display.close() // the terminal is the program's
	r.limits.Memory = int64(r.memory)
	o := container.Options{
		Tree: img.Tree, Platform: img.Image.Config.Platform, Config: img.Image.Config.Config.ImageConfig, Args: args,
		Read: r.read, Network: r.network, Runtime: r.runtime, Capabilities: r.caps, Limits: r.limits,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())) && isTerminal(r.stdout),
		Stdin:    os.Stdin, Stdout: raw(r.stdout), Stderr: r.stderr, Events: display,
	}
	w := r.watcher(img)
	if r.watch != watchNever || r.learn {
		w.begin(&o)
		defer w.close()
	}
	code, err := container.Run(ctx, o)
	if err != nil {
		return err
	}
	if err := r.report(ctx, w, code); err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// When a run says what its program missed.
const (
	watchAlways = "always"
	watchError  = "error"
	watchNever  = "never"
)

func (r *runCommand) watcher(img *openedImage) *watcher {
	named := r.spec.conf != "" || r.learn
	if r.spec.conf == "" {
		r.spec.conf = "smith.yaml"
	}
	return &watcher{specCommand: &r.spec, img: img, named: named}
}

// report says what the program missed, and learns from it.
func (r *runCommand) report(ctx context.Context, w *watcher, code int) error {
	always := r.watch == watchAlways
	failed := code != 0 && code != 128+int(syscall.SIGINT) && code != 128+int(syscall.SIGTERM)
	if r.watch == watchNever && !r.learn || !always && !failed && !r.learn || r.quiet {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // the program was, the report is not
	misses, request, err := w.misses(ctx)
	shown, more := shownMisses(misses, always || r.verbose)
	if len(shown) > 0 {
		fmt.Fprintf(r.stderr, "smith: the program ended with exit code %d; it looked for and did not find:\n", code)
	}
	for _, m := range shown {
		fmt.Fprintln(r.stderr, "smith:  ", missLine(m, request))
	}
	if more > 0 {
		fmt.Fprintf(r.stderr, "smith:   and %d more (--watch shows more)\n", more)
	}
	if err != nil {
		fmt.Fprintf(r.stderr, "smith: warning: cannot look up which packages have it: %v\n", err)
	}
	if !r.learn {
		return nil
	}
	added, err := w.learn(misses, request)
	for _, a := range added {
		fmt.Fprintf(r.stderr, "smith: added to %s: %s: %s\n", w.conf, a.Key, a.Value)
	}
	return err
}

// holdsProgram returns an error where an image lacks the program that would be
// started; one in /read may come with the directory that is seen there.
func holdsProgram(img *openedImage, name string, args []string) error {
	config := img.Image.Config.Config.ImageConfig
	if args != nil {
		config.Cmd = args
	}
	words := image.Program(config)
	switch {
	case len(words) == 0:
		return fmt.Errorf("%s names no program to run; give one: smith run %[1]s PROGRAM", name)
	case strings.HasPrefix(words[0], "/read/"), program.Existing(img.Tree, config.Env, config.WorkingDir, words[0]) != "":
		return nil
	case len(config.Entrypoint) == 0:
		return fmt.Errorf("%s has no entry point, so its program comes first after the image, and the image has no %s", name, words[0])
	}
	return fmt.Errorf("%s does not contain %s, the program it runs", name, words[0])
}
