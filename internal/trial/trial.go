// Package trial runs the tests of an image: it starts the image's program as a
// test of smith.yaml says, in the sandbox of smith run, and compares what comes
// of it. It knows nothing of where the image is from.
package trial

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"smith/internal/container"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

// A Result is what came of a test.
type Result struct {
	Name string `json:"name"`
	// Failures are what was not as expected, none where the test passed.
	Failures []string `json:"failures,omitempty"`
	// Missing are what the program looked for and did not find, where it failed.
	Missing []string `json:"missing,omitempty"`
	// Seconds is how long the test took.
	Seconds float64 `json:"seconds"`
}

// Passed reports whether all was as expected.
func (r Result) Passed() bool { return len(r.Failures) == 0 }

// A Run starts a program and waits for its end; missing is what it looked for
// and did not find. The options that it gets say what the test decides: the
// program, the environment, the streams and what attends it.
type Run func(ctx context.Context, o container.Options) (code int, missing func() []string, err error)

const (
	// defaultTimeout bounds a test that names no bound.
	defaultTimeout = 30 * time.Second
	// mostOutput bounds what is kept of a program's output and of an answer.
	mostOutput = 1 << 20
	// poll is the time between two attempts to connect.
	poll = 50 * time.Millisecond
)

// Check returns an error where a test contradicts itself.
func Check(t smithfile.Test) error {
	var all []error
	if len(t.Run) > 0 && len(t.Args) > 0 {
		all = append(all, errors.New("run holds the arguments, so args contradicts it"))
	}
	if t.HTTP != nil {
		if u, err := url.Parse(t.HTTP.URL); err != nil || u.Scheme != "http" || u.Host == "" {
			all = append(all, fmt.Errorf("http.url %q is not an address such as http://localhost:8080/", t.HTTP.URL))
		}
		all = append(all, checkOutput("http.body", t.HTTP.Body))
	}
	all = append(all, checkOutput("stdout", t.Stdout), checkOutput("stderr", t.Stderr))
	for _, f := range t.Files {
		if f.Path == "" {
			all = append(all, errors.New("an element of files has no path"))
		}
		all = append(all, checkOutput("files.content", f.Content))
	}
	return errors.Join(all...)
}

// Test runs one test of an image. An error means that it could not be run.
func Test(ctx context.Context, t smithfile.Test, files *tree.Tree, base container.Options, run Run) (Result, error) {
	began := time.Now()
	r := Result{Name: t.Name, Failures: testFiles(t.Files, files)}
	if !filesAlone(t) {
		if err := program(ctx, t, base, run, &r); err != nil {
			return r, err
		}
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// filesAlone reports whether a test only looks at files.
func filesAlone(t smithfile.Test) bool {
	return len(t.Files) > 0 && len(t.Run)+len(t.Args)+len(t.Exec)+len(t.Read) == 0 && t.Stdin == "" && t.Wait == "" && t.HTTP == nil && t.Stdout == nil && t.Stderr == nil && t.Exit == 0
}

// program runs the program of a test and adds what was not as expected.
func program(ctx context.Context, t smithfile.Test, o container.Options, run Run, r *Result) error {
	timeout := time.Duration(t.Timeout)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(timeout, defaultTimeout))
	defer cancel()
	if len(t.Read) > 0 {
		dir, err := readDir(t.Read)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.Read = dir
	}
	if len(t.Run) > 0 {
		o.Config.Entrypoint, o.Args = nil, t.Run
	} else if len(t.Args) > 0 {
		o.Args = t.Args
	}
	o.Config.Env = append(slices.Clone(o.Config.Env), t.Env...)
	o.Network = o.Network || t.Network
	stdout, stderr := &bounded{}, &bounded{}
	o.Stdin, o.Stdout, o.Stderr, o.Terminal = strings.NewReader(t.Stdin), stdout, stderr, false
	o.Grace = time.Second // what is process 1 often ignores SIGTERM
	served := t.Wait != "" || t.HTTP != nil || len(t.Exec) > 0
	attended, early := []string{"the program ended before it was tested"}, true
	if served {
		o.Attend = func(ctx context.Context, c *container.Container) {
			if failures := attend(ctx, t, c); ctx.Err() == nil || len(failures) == 0 {
				attended, early = failures, false
			}
		}
	}
	code, missing, err := run(ctx, o)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		r.Failures = append(r.Failures, fmt.Sprintf("not done after %s", cmp.Or(timeout, defaultTimeout)))
	case err != nil:
		return err
	case served:
		r.Failures = append(r.Failures, attended...)
		if len(attended) > 0 {
			if !early {
				code = 0 // it was stopped
			}
			r.Failures = append(r.Failures, printed(code, stderr.String())...)
		}
	case code != t.Exit:
		r.Failures = append(r.Failures, fmt.Sprintf("exit code %d, want %d", code, t.Exit))
		r.Failures = append(r.Failures, printed(0, stderr.String())...)
	}
	r.Failures = append(r.Failures, compare("stdout", t.Stdout, stdout.String())...)
	r.Failures = append(r.Failures, compare("stderr", t.Stderr, stderr.String())...)
	if !r.Passed() && missing != nil {
		r.Missing = missing()
	}
	return nil
}

// printed is what a program that failed said last.
func printed(code int, text string) []string {
	var all []string
	if code != 0 {
		all = append(all, fmt.Sprintf("exit code %d", code))
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if last := lines[len(lines)-1]; last != "" {
		all = append(all, fmt.Sprintf("it printed last: %s", short(last)))
	}
	return all
}

// readDir writes the files of a test to a directory that every user can read.
func readDir(files map[string]string) (string, error) {
	dir, err := os.MkdirTemp("", "smith-test-")
	if err != nil {
		return "", fmt.Errorf("cannot make a directory for the test's files: %w; TMPDIR names where it goes", err)
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		err = errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644))
	}
	err = errors.Join(err, os.Chmod(dir, 0o755))
	if err != nil {
		return "", errors.Join(fmt.Errorf("cannot write the test's files: %w", err), os.RemoveAll(dir))
	}
	return dir, nil
}

// attend tests a program that runs, and returns what was not as expected.
func attend(ctx context.Context, t smithfile.Test, c *container.Container) []string {
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	if t.Wait != "" {
		port, protocol, _ := strings.Cut(t.Wait, "/")
		if protocol != "" && protocol != "tcp" {
			return []string{"wait: only TCP ports can be waited for"}
		}
		if err := listening(ctx, c, port); err != nil {
			return []string{fmt.Sprintf("nothing listens on port %s: %v", port, err)}
		}
	}
	if t.HTTP != nil {
		failures = append(failures, request(ctx, *t.HTTP, c)...)
	}
	if len(t.Exec) > 0 {
		out := &bounded{}
		code, err := c.Exec(ctx, t.Exec, out)
		switch {
		case err != nil:
			fail("exec: %v", err)
		case code != 0:
			fail("exec: %s ended with exit code %d: %s", t.Exec[0], code, short(strings.TrimSpace(out.String())))
		}
	}
	return failures
}

// listening waits until a port can be connected to.
func listening(ctx context.Context, c *container.Container, port string) error {
	var last error
	for {
		connection, err := c.Dial(ctx, port)
		if err == nil {
			return connection.Close()
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return cmp.Or(last, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// request sends a request once the program listens, and compares its answer.
func request(ctx context.Context, want smithfile.HTTP, c *container.Container) []string {
	u, err := url.Parse(want.URL)
	if err != nil {
		return []string{"http: " + err.Error()}
	}
	port := cmp.Or(u.Port(), "80")
	if err := listening(ctx, c, port); err != nil {
		return []string{fmt.Sprintf("http: nothing listens on port %s: %v", port, err)}
	}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Dial(ctx, port) },
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, want.URL, nil)
	if err != nil {
		return []string{"http: " + err.Error()}
	}
	answer, err := client.Do(r)
	if err != nil {
		return []string{"http: " + err.Error()}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostOutput))
	if err != nil {
		return []string{"http: " + err.Error()}
	}
	var failures []string
	if status := cmp.Or(want.Status, http.StatusOK); answer.StatusCode != status {
		failures = append(failures, fmt.Sprintf("http: status %d, want %d", answer.StatusCode, status))
	}
	return append(failures, compare("http: body", want.Body, string(body))...)
}

// testFiles compares files of the image.
func testFiles(tests []smithfile.FileTest, files *tree.Tree) []string {
	var failures []string
	for _, f := range tests {
		at, err := files.Resolve(f.Path)
		switch {
		case f.Absent && err == nil:
			failures = append(failures, f.Path+" exists")
		case f.Absent:
		case err != nil:
			failures = append(failures, err.Error())
		case f.Executable && !at.Node.Executable():
			failures = append(failures, f.Path+" is not executable")
		case f.Content != nil:
			data, err := at.Node.ReadAll(mostOutput)
			if err != nil {
				failures = append(failures, err.Error())
				continue
			}
			failures = append(failures, compare(f.Path, f.Content, string(data))...)
		}
	}
	return failures
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

// Write keeps what fits.
func (b *bounded) Write(p []byte) (int, error) {
	if room := mostOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
