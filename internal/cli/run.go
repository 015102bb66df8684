package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"smith/internal/container"
)

// A runCommand is smith run.
type runCommand struct {
	*app
	platform string
	read     string
	runtime  string
	network  bool
}

func (a *app) runCommand() *cobra.Command {
	r := &runCommand{app: a}
	cmd := &cobra.Command{
		Use:   "run IMAGE [-- ARGS]",
		Short: "Try an image: run it as a microcontainer is meant to run",
		Long: `Run an image to try it, as a microcontainer is meant to run: a read-only root,
/write and /run writable in memory, no capability, and no network. It takes
crun, runc or podman, whichever is there, and needs no root where the machine
lets users have namespaces. The exit code is the program's.`,
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
	code, err := container.Run(ctx, container.Options{
		Tree: img.Tree, Config: img.Image.Config.Config.ImageConfig, Args: args,
		Read: r.read, Network: r.network, Runtime: r.runtime,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())) && isTerminal(r.stdout),
		Stdin:    os.Stdin, Stdout: r.stdout, Stderr: r.stderr,
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// isTerminal says whether an output is one.
func isTerminal(out any) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
