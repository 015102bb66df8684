// Package container runs an image on this machine, to try it: its files are
// written to a bundle in a temporary directory (OCI runtime specification,
// bundle.md), and crun, runc or podman starts its program there, with a
// read-only root, /write, /run, /tmp and the image's volumes in memory, no
// network, no capability, and the system calls that container engines allow.
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
	// Platform is the image's.
	Platform ocispec.Platform
	// Config is how the image is run.
	Config ocispec.ImageConfig
	// Args take the place of the config's Cmd, unless they are nil.
	Args []string
	// Read is a directory of this machine that is seen as /read, or "".
	Read string
	// Capabilities may be had by the programs to which the image gives them, by
	// name; nothing else gets any. Only root may ask for them.
	Capabilities []string
	// Network lets the program use this machine's network.
	Network bool
	// Limits bound what the program uses.
	Limits Limits
	// Runtime is "crun", "runc" or "podman"; "" is the first that is installed
	// and works on this machine.
	Runtime string
	// Trace has the program's system calls watched; nil where they are not.
	Trace *Trace
	// Attend is called beside the program, which is stopped when it returns; nil
	// lets the program run to its end. ctx ends with the program.
	Attend func(ctx context.Context, c *Container)
	// Grace is how long the program may take to end when it is asked to; 0 is
	// ten seconds.
	Grace time.Duration
	// Terminal reports whether the standard streams are a terminal.
	Terminal       bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Events hears which runtime it is, and what of the image's config is not
	// used.
	Events event.Listener
}

// Limits bound what a program uses, where the machine lets smith make cgroups
// (cgroups(7)). The zero value stands for the defaults.
type Limits struct {
	// Memory is how many bytes it may use, files in memory included; by default
	// half of this machine's.
	Memory int64
	// Processes is how many processes and threads it may have; by default 2048,
	// as podman has it.
	Processes int64
}

// Run starts the image's program and waits for its end. It returns the
// program's exit code; an error means that it could not be started, or that ctx
// ended and the program did not end by itself then.
func Run(ctx context.Context, o Options) (code int, err error) {
	runtime, err := find(o.Runtime)
	if err != nil {
		return 0, err
	}
	if err := CanExecute(o.Platform); err != nil {
		return 0, err
	}
	o.Events.Note("run by " + runtime.name)
	process, err := newProcess(o)
	if err != nil {
		return 0, err
	}
	for _, text := range process.ignored {
		o.Events.Warn(text)
	}
	dir, err := os.MkdirTemp("", "smith-run-")
	if err != nil {
		return 0, fmt.Errorf("cannot make a directory for the container: %w; TMPDIR names where it goes", err)
	}
	defer func() { err = errors.Join(err, removeAll(dir)) }()
	if err := prepare(ctx, o.Tree, filepath.Join(dir, "rootfs"), process); err != nil {
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
	if err = cmd.Start(); err == nil {
		wait := attend(ctx, o, cmd, &Container{runtime, dir, process})
		err = cmd.Wait()
		wait()
	}
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

// prepare writes the root that a runtime is given: the image's files, what a
// container engine provides, and a real directory under each mount.
func prepare(ctx context.Context, t *tree.Tree, dir string, p process) error {
	if err := unpack(ctx, t, dir, p.capabilities); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot prepare the container: %w", err)
	}
	defer root.Close()
	if err := furnish(root, p.network); err != nil {
		return err
	}
	points := []string{"/dev", "/proc", "/sys"}
	if p.read != "" {
		points = append(points, "/read")
	}
	for _, s := range p.scratch {
		points = append(points, s.dir)
	}
	if !t.Exists(p.dir) {
		points = append(points, p.dir)
	}
	for _, point := range points {
		if err := makeMountPoint(root, point); err != nil {
			return err
		}
	}
	for _, s := range p.scratch {
		if err := s.own(root, p); err != nil {
			return fmt.Errorf("cannot prepare %s for the container: %w", s.dir, err)
		}
	}
	return nil
}
