// Package census builds images of packages that people put into containers,
// each by nothing but its name, and asks whether they do their job.
package census

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A job is what an image must do.
type job struct {
	// Fast jobs are those of every run of the tests.
	Fast bool `json:"fast"`
	// Spec is what smith.yaml says beside the package.
	Spec string `json:"spec"`
	// Entrypoint is the program for packages without a clear one.
	Entrypoint []string          `json:"entrypoint"`
	Env        []string          `json:"env"`
	Args       []string          `json:"args"`
	Read       map[string]string `json:"read"`
	Stdin      string            `json:"stdin"`
	// Expect must match what the program prints or, where it serves, answers.
	Expect  string `json:"expect"`
	AnyExit bool   `json:"anyExit"`
	// Port is where it serves, Send what is sent to it.
	Port int    `json:"port"`
	Send string `json:"send"`
}

// jobTime bounds a job.
const jobTime = time.Minute

func cases(t *testing.T) map[string]job {
	t.Helper()
	data, err := os.ReadFile("cases.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]job{}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCensus does the fast jobs, or with CENSUS=all every one. CENSUS may also
// name some, separated by commas.
func TestCensus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a dozen images from packages of the network")
	}
	for _, tool := range []string{"apt-get", "runc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("runc needs root for the network of this machine")
	}
	smith := os.Getenv("SMITH")
	if smith == "" {
		t.Skip("SMITH does not name the program under test")
	}
	smith, err := filepath.Abs(smith)
	if err != nil {
		t.Fatal(err)
	}
	wanted := os.Getenv("CENSUS")
	all := cases(t)
	var names []string
	for name, j := range all {
		if wanted == "" && j.Fast || wanted == "all" || slices.Contains(strings.Split(wanted, ","), name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	dir := t.TempDir()
	works := 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r := try(t, smith, filepath.Join(dir, name), name, all[name])
			t.Logf("%s: %s", name, r)
			if r.failure != "" {
				t.Errorf("%s", r.failure)
				return
			}
			works++
		})
	}
	t.Logf("built and worked at the first try: %d of %d", works, len(names))
}

// A result is how a case ended.
type result struct {
	failure  string
	unpacked int64
}

func (r result) String() string {
	if r.failure != "" {
		return "fails"
	}
	return fmt.Sprintf("works, %.1f MB", float64(r.unpacked)/1e6)
}

// try builds an image and has it do its job.
func try(t *testing.T, smith, dir, name string, j job) result {
	t.Helper()
	spec := "package: " + name + "\n" + j.Spec
	if len(j.Entrypoint) > 0 {
		spec += "entrypoint: [" + strings.Join(j.Entrypoint, ", ") + "]\n"
	}
	for i, e := range j.Env {
		if i == 0 {
			spec += "env:\n"
		}
		spec += fmt.Sprintf("- %q\n", e)
	}
	read := filepath.Join(dir, "read")
	write(t, filepath.Join(dir, "smith.yaml"), spec)
	for p, text := range j.Read {
		write(t, filepath.Join(read, p), text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, smith, "build", "-q")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return result{failure: fmt.Sprintf("not built: %v\n%s", err, out)}
	}
	r := result{unpacked: unpacked(t, smith, dir)}
	args := []string{"run"}
	if len(j.Read) > 0 {
		args = append(args, "--read", read)
	}
	if j.Port > 0 {
		args = append(args, "--network")
	}
	args = append(append(args, "image.tar.gz", "--"), j.Args...)
	if j.Port > 0 {
		r.failure = serve(ctx, smith, dir, args, j)
	} else {
		r.failure = once(ctx, smith, dir, args, j)
	}
	return r
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func unpacked(t *testing.T, smith, dir string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), smith, "inspect", "--json", "image.tar.gz")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var image struct {
		Unpacked int64 `json:"unpacked"`
	}
	if err := json.Unmarshal(out, &image); err != nil {
		t.Fatal(err)
	}
	return image.Unpacked
}

// once runs a program that ends. It returns what is wrong, or "".
func once(ctx context.Context, smith, dir string, args []string, j job) string {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, smith, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(j.Stdin)
	out, err := cmd.CombinedOutput()
	if err != nil && !j.AnyExit {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return j.judge(out)
}

// judge returns what is wrong with the output of a program, or "".
func (j job) judge(out []byte) string {
	if !regexp.MustCompile("(?ms)" + j.Expect).Match(out) {
		return fmt.Sprintf("want %s in\n%s", j.Expect, out)
	}
	return ""
}

// serve starts a server and talks to it. It returns what is wrong, or "".
func serve(ctx context.Context, smith, dir string, args []string, j job) string {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	log := &strings.Builder{}
	cmd := exec.CommandContext(ctx, smith, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	answer, err := talk(ctx, j, ended)
	cancel()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, log)
	}
	return j.judge(answer)
}

// talk sends to a server as soon as it listens, and returns the answer.
func talk(ctx context.Context, j job, ended chan error) ([]byte, error) {
	dialer := net.Dialer{}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", j.Port))
		if err == nil {
			defer conn.Close()
			return answer(conn, j)
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("ended before it served: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
		if ctx.Err() != nil {
			return nil, errors.New("does not serve")
		}
	}
}

// answer sends what the job says and reads until the pattern matches.
func answer(conn net.Conn, j job) ([]byte, error) {
	if j.Send == "" {
		return nil, nil
	}
	if err := conn.SetDeadline(time.Now().Add(jobTime / 2)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, j.Send); err != nil {
		return nil, err
	}
	var got []byte
	block := make([]byte, 4096)
	for {
		n, err := conn.Read(block)
		got = append(got, block[:n]...)
		if err != nil || j.judge(got) == "" {
			return got, nil //nolint:nilerr // what was read is judged
		}
	}
}
