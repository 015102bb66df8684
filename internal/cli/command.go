package cli

import (
	"context"
	"os/exec"
)

// command runs commands of the user's by the shell, in a folder. What they
// print is shown where errors are: the output of smith is its own.
func (a *app) command(ctx context.Context, dir, script string) error {
	c := exec.CommandContext(ctx, "/bin/sh", "-e", "-c", script)
	c.Dir, c.Stdout, c.Stderr = dir, a.stderr, a.stderr
	return c.Run()
}
