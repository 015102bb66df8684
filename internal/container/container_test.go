package container

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
)

const sleeper = "package main\nimport (\"fmt\"; \"os\"; \"os/signal\"; \"syscall\"; \"time\")\n" +
	"func main() { signal.Ignore(syscall.SIGTERM); fmt.Println(os.Getpid(), \"is up\"); time.Sleep(time.Minute) }\n"

// A program that ignores the signal to end is killed, and nothing of it is left.
func TestStubbornProgram(t *testing.T) {
	for _, name := range []string{"runc", "podman"} {
		t.Run(name, func(t *testing.T) {
			r := needRuntime(t, name)
			files := programImage(t, "sleeper", sleeper)
			ctx, cancel := context.WithCancel(t.Context())
			var out bytes.Buffer
			up := writerFunc(func(p []byte) (int, error) {
				cancel()
				return out.Write(p)
			})
			_, err := Run(ctx, Options{
				Tree: files, Config: ocispec.ImageConfig{Entrypoint: []string{"/sleeper"}, User: "10:10"},
				Runtime: name, Grace: 500 * time.Millisecond, Stdout: up, Stderr: os.Stderr, Events: event.Silent{},
			})
			if err == nil || errors.Is(err, exec.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			if out.String() != "1 is up\n" {
				t.Errorf("the program said %q", out.String())
			}
			left, err := exec.CommandContext(t.Context(), "ps", "-eo", "args").Output()
			if err != nil || bytes.Contains(left, []byte("\n/sleeper")) {
				t.Errorf("%v: the program runs on (%s):\n%s", err, r.path, left)
			}
		})
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
