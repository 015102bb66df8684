// Package container runs an image on this machine, to try it: its files are
// written to a bundle in a temporary folder (OCI runtime specification,
// bundle.md), and crun, runc or podman starts its program there, with a
// read-only root, /write and /run in memory, and no network.
package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/tree"
)

// An Options says what is run and how.
type Options struct {
	// Tree holds the image's files.
	Tree *tree.Tree
	// Config is how the image is run.
	Config ocispec.ImageConfig
	// Args take the place of the config's Cmd, unless they are nil.
	Args []string
	// Read is a folder of this machine that is seen as /read, or "".
	Read string
	// Capabilities may be had by the programs to which the image gives them, by
	// name; nothing else gets any. Only root may ask for them.
	Capabilities []string
	// Network lets the program use this machine's network.
	Network bool
	// Runtime is "crun", "runc" or "podman"; "" is the first that is there and
	// works on this machine.
	Runtime string
	// Grace is how long the program may take to end when it is told to; 0 is
	// ten seconds.
	Grace time.Duration
	// Terminal says that the standard streams are a terminal.
	Terminal       bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Events hears which runtime it is.
	Events event.Listener
}

// Run starts the image's program and waits for its end. It returns the
// program's exit code; an error means that it could not be started, or that ctx
// ended and the program did not end by itself then.
func Run(ctx context.Context, o Options) (code int, err error) {
	runtime, err := find(o.Runtime)
	if err != nil {
		return 0, err
	}
	o.Events.Note("run by " + runtime.name)
	process, err := newProcess(o)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "smith-run-")
	if err != nil {
		return 0, fmt.Errorf("cannot make a folder for the container: %w; TMPDIR names where it goes", err)
	}
	defer func() { err = errors.Join(err, removeAll(dir)) }()
	if err := unpack(ctx, o.Tree, filepath.Join(dir, "rootfs"), process.capabilities); err != nil {
		return 0, err
	}
	cmd, err := runtime.command(ctx, dir, process)
	if err != nil {
		return 0, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = o.Stdin, o.Stdout, o.Stderr
	// The runtime passes the signal on to the program.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = cmp.Or(o.Grace, 10*time.Second)
	err = cmd.Run()
	var left error
	if ctx.Err() != nil {
		// The runtime may have been ended before the program.
		left = runtime.remove(context.WithoutCancel(ctx), dir)
	}
	if cmd.ProcessState != nil && cmd.ProcessState.Exited() {
		return cmd.ProcessState.ExitCode(), left
	}
	err = errors.Join(err, left)
	if err != nil {
		return 0, fmt.Errorf("cannot run the image with %s: %w", runtime.name, err)
	}
	return 0, nil
}
