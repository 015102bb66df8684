package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"smith/internal/closure"
	"smith/internal/container"
	"smith/internal/oci/image"
)

// A runCommand is smith run.
type runCommand struct {
	*app
	platform string
	read     string
	runtime  string
	network  bool
	caps     []string
}

func (a *app) runCommand() *cobra.Command {
	r := &runCommand{app: a}
	cmd := &cobra.Command{
		Use:   "run IMAGE [-- ARGS]",
		Short: "Try an image: run it as a microcontainer is meant to run",
		Long: `Run an image to try it, as a microcontainer is meant to run: a read-only root,
/write and /run writable in memory, no capability, and no network. It takes
crun, runc or podman, whichever is there, and needs no root where the machine
lets users have namespaces. Programs to which the image gives capabilities get
those that --cap-add names; that alone needs root. The exit code is the
program's.`,
		Example: `  smith run image.tar.gz
  smith run --read ./config image.tar.gz -- --help`,
		Args: arguments(1, -1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 1 && dash != 1 {
				return usagef("%s takes one image; put the program's arguments after --", cmd.CommandPath())
			}
			if len(args) == 1 && cmd.ArgsLenAtDash() < 0 {
				return r.run(cmd.Context(), args[0], nil)
			}
			return r.run(cmd.Context(), args[0], args[1:])
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.StringVar(&r.read, "read", "", "a folder that the program sees as /read")
	f.BoolVar(&r.network, "network", false, "let the program use this machine's network")
	f.StringSliceVar(&r.caps, "cap-add", nil, "a capability that the image's programs may have, such as net_raw")
	f.StringVar(&r.runtime, "runtime", "", "crun, runc or podman (default: the first that is there)")
	return cmd
}

func (r *runCommand) run(ctx context.Context, name string, args []string) error {
	if r.read != "" {
		if info, err := os.Stat(r.read); err != nil || !info.IsDir() {
			return fmt.Errorf("--read %s: no such folder", r.read)
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
	code, err := container.Run(ctx, container.Options{
		Tree: img.Tree, Config: img.Image.Config.Config.ImageConfig, Args: args,
		Read: r.read, Network: r.network, Runtime: r.runtime, Capabilities: r.caps,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())) && isTerminal(r.stdout),
		Stdin:    os.Stdin, Stdout: r.stdout, Stderr: r.stderr, Events: display,
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// holdsProgram says whether an image has the program that would be started; one
// in /read may come with the folder that is seen there.
func holdsProgram(img *openedImage, name string, args []string) error {
	config := img.Image.Config.Config.ImageConfig
	if args != nil {
		config.Cmd = args
	}
	words := image.Program(config)
	switch {
	case len(words) == 0:
		return fmt.Errorf("%s names no program to run; give one: smith run %[1]s -- PROGRAM", name)
	case strings.HasPrefix(words[0], "/read/"), closure.Program(img.Tree, config.Env, config.WorkingDir, words[0]) != "":
		return nil
	case len(config.Entrypoint) == 0:
		return fmt.Errorf("%s has no entry point, so its program comes first after --, and it holds no %s", name, words[0])
	}
	return fmt.Errorf("%s holds no %s, which it would run", name, words[0])
}
