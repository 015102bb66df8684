package container

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/tree"
)

// sleeper is an image of this test's own program, which sleeps.
func sleeper(t *testing.T) *tree.Tree {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.go")
	program := strings.TrimSuffix(source, ".go")
	const text = "package main\nimport (\"fmt\"; \"os\"; \"os/signal\"; \"syscall\"; \"time\")\n" +
		"func main() { signal.Ignore(syscall.SIGTERM); fmt.Println(os.Getpid(), \"is up\"); time.Sleep(time.Minute) }\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	files := tree.New()
	for _, dir := range []string{"/dev", "/proc", "/sys", "/run", "/write", "/read"} {
		if err := files.Insert(dir, &tree.Node{Kind: tree.Dir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Insert("/sleeper", tree.NewFile(data, 0o755)); err != nil {
		t.Fatal(err)
	}
	return files
}

// A program that does not end when it is told to is ended, and nothing is left
// of it.
func TestStubbornProgram(t *testing.T) {
	for _, name := range []string{"runc", "podman"} {
		t.Run(name, func(t *testing.T) {
			r, err := find(name)
			if err != nil || os.Geteuid() != 0 {
				if os.Getenv("CI") == "true" {
					t.Fatal("root and ", name, " are needed: ", err)
				}
				t.Skip("root and ", name, " are needed: ", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var out bytes.Buffer
			up := writerFunc(func(p []byte) (int, error) {
				cancel()
				return out.Write(p)
			})
			_, err = Run(ctx, Options{
				Tree: sleeper(t), Config: ocispec.ImageConfig{Entrypoint: []string{"/sleeper"}, User: "10:10"},
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
