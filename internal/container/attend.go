package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Container is one whose program runs.
type Container struct {
	runtime runtime
	bundle  string
	process process
}

// Exec runs another program in the container and returns its exit code.
func (c *Container) Exec(ctx context.Context, args []string, output io.Writer) (int, error) {
	words := append(c.runtime.options(c.bundle), "exec")
	if c.runtime.name == "podman" {
		words = append(words, fmt.Sprintf("--user=%d:%d", c.process.uid, c.process.gid))
	}
	cmd := exec.CommandContext(ctx, c.runtime.path, append(append(words, filepath.Base(c.bundle)), args...)...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot run %s in the container: %w", args[0], err)
	}
	return 0, nil
}

// Dial connects to a TCP port of the container, on its loopback interface.
func (c *Container) Dial(ctx context.Context, port string) (net.Conn, error) {
	address := net.JoinHostPort("127.0.0.1", port)
	if c.process.network {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	pid, err := c.pid(ctx)
	if err != nil {
		return nil, err
	}
	return dialIn(ctx, pid, address)
}

// pid is that of the container's first process.
func (c *Container) pid(ctx context.Context) (int, error) {
	words := []string{"state"}
	if c.runtime.name == "podman" {
		words = []string{"inspect", "--format={{.State.Pid}}"}
	}
	words = append(append(c.runtime.options(c.bundle), words...), filepath.Base(c.bundle))
	out, err := exec.CommandContext(ctx, c.runtime.path, words...).Output()
	if err != nil {
		return 0, fmt.Errorf("cannot find the container's process: %w", err)
	}
	if c.runtime.name == "podman" {
		return strconv.Atoi(strings.TrimSpace(string(out)))
	}
	var state struct {
		PID    int
		Status string
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&state); err != nil {
		return 0, fmt.Errorf("cannot find the container's process: %w", err)
	}
	if state.PID <= 0 || state.Status != "running" {
		return 0, fmt.Errorf("cannot find the container's process: it is %s", state.Status)
	}
	return state.PID, nil
}

// attend calls o.Attend beside a program that was started, and stops it
// afterwards. The function that it returns waits for that.
func attend(ctx context.Context, o Options, cmd *exec.Cmd, c *Container) (wait func()) {
	if o.Attend == nil {
		return func() {}
	}
	running, ended := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.Attend(running, c)
		if running.Err() == nil {
			_ = cmd.Cancel() // it may have ended in the meantime
		}
		select {
		case <-running.Done():
		case <-time.After(cmd.WaitDelay):
			_ = c.runtime.remove(context.WithoutCancel(ctx), c.bundle) // its end is seen by the caller
		}
	}()
	return func() { ended(); <-done }
}
