package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
)

// command runs commands of the user's by the shell, in a folder. What they
// print is shown where errors are, a line at a time, above the progress: the
// output of smith is its own.
func (d *display) command(ctx context.Context, dir, script string) error {
	out := &lineWriter{out: d.out}
	c := exec.CommandContext(ctx, "/bin/sh", "-e", "-c", script)
	c.Dir, c.Stdout, c.Stderr = dir, out, out
	return errors.Join(c.Run(), out.flush())
}

// A lineWriter passes on whole lines.
type lineWriter struct {
	out  io.Writer
	rest []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	_, err := l.out.Write(l.rest[:end])
	l.rest = append(l.rest[:0], l.rest[end:]...)
	return len(p), err
}

// flush ends the last line.
func (l *lineWriter) flush() error {
	if len(l.rest) == 0 {
		return nil
	}
	_, err := l.out.Write(append(l.rest, '\n'))
	return err
}
