package watch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/container"
	"smith/internal/event"
	"smith/internal/tree"
)

// looker looks for files in all the ways that there are.
const looker = `package main
import ("os"; "os/exec"; "runtime"; "syscall"; "unsafe")
func main() {
	os.Open("/missing/open"); os.Stat("/missing/stat"); os.Lstat("/missing/lstat"); os.Open("/looker")
	os.Chdir("/dir"); os.Open("relative"); os.Open("../dots")
	os.Create("/readonly"); os.Mkdir("/dir", 0o755); os.Mkdir("/newdir", 0o755); os.Create("/write/x"); os.Create("/nowhere/x")
	os.Open("/link/x"); os.Open("/proc/nothing"); syscall.Access("/missing/access", 0)
	d, _ := syscall.Open("/dir", syscall.O_DIRECTORY, 0); syscall.Openat(d, "at", 0, 0)
	p := func(name string) uintptr { b, _ := syscall.BytePtrFromString(name); return uintptr(unsafe.Pointer(b)) }
	var how, stat [64]uint64
	statx := map[string]uintptr{"amd64": 332, "arm64": 291}[runtime.GOARCH]
	syscall.Syscall6(437, uintptr(d), p("at2"), uintptr(unsafe.Pointer(&how)), 24, 0, 0)
	syscall.Syscall6(statx, uintptr(d), p("statx"), 0, 0, uintptr(unsafe.Pointer(&stat)), 0)
	exec.Command("/missing/exec").Run(); syscall.Exec("/missing/execve", []string{"x"}, nil)
	os.Exit(3)
}
`

func TestListener(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program and starts a container")
	}
	if _, err := exec.LookPath("runc"); err != nil || os.Geteuid() != 0 {
		t.Skip("root and runc are needed: ", err)
	}
	listener, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var out bytes.Buffer
	code, err := container.Run(t.Context(), container.Options{
		Tree: lookerImage(t), Config: ocispec.ImageConfig{Entrypoint: []string{"/looker"}, User: "10:10"}, Runtime: "runc",
		Trace:  &container.Trace{Socket: listener.Socket(), Syscalls: Syscalls()},
		Stdout: &out, Stderr: &out, Events: event.Silent{},
	})
	if err != nil || code != 3 {
		t.Fatalf("%d, %v: %s", code, err, out.String())
	}
	calls, all := listener.Calls()
	if !all {
		t.Error("calls were dropped")
	}
	for _, want := range []Call{
		{Look, Missing, "/missing/open", "/looker"},
		{Look, Missing, "/missing/stat", "/looker"},
		{Look, Missing, "/missing/lstat", "/looker"},
		{Look, Found, "/looker", "/looker"},
		{Look, Missing, "/dir/relative", "/looker"},
		{Look, Missing, "/dots", "/looker"},
		{Write, ReadOnly, "/readonly", "/looker"},
		{Write, Found, "/dir", "/looker"},
		{Write, ReadOnly, "/newdir", "/looker"},
		{Write, Found, "/write/x", "/looker"},
		{Write, Missing, "/nowhere/x", "/looker"},
		{Look, Missing, "/link/x", "/looker"},
		{Look, Missing, "/missing/access", "/looker"},
		{Look, Missing, "/dir/at", "/looker"},
		{Look, Missing, "/dir/at2", "/looker"},
		{Look, Missing, "/dir/statx", "/looker"},
		{Execute, Missing, "/missing/execve", "/looker"},
	} {
		if !slices.Contains(calls, want) {
			t.Errorf("not seen: %+v", want)
		}
	}
	for _, c := range calls {
		if ofKernel(c.Path) {
			t.Errorf("seen: %+v", c)
		}
	}
}

func lookerImage(t *testing.T) *tree.Tree {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte(looker), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "looker")
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
	for name, n := range map[string]*tree.Node{
		"/dir": {Kind: tree.Dir, Mode: 0o755}, "/link": {Kind: tree.Symlink, Link: "/etc/../../dir"}, "/looker": tree.NewFile(data, 0o755),
	} {
		if err := files.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
