package container

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/tree"
)

func TestMistakes(t *testing.T) {
	texts := golden.New(t)
	files := imageOf(t, [2]string{"/app", "/proc/self/exe"})
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"no program", Options{}},
		{"a user by name", Options{Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "www-data"}}},
		{"a group by name", Options{Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "10:www-data"}}},
		{"a program of the kernel's", Options{Config: ocispec.ImageConfig{Entrypoint: []string{"/app"}}}},
		{"a working directory of the kernel's", Options{Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, WorkingDir: "/proc/self/fd/7"}}},
	} {
		c.o.Tree = files
		_, err := newProcess(c.o)
		texts.Error(c.name, err)
	}
	_, err := find("jail")
	texts.Error("no such runtime", err)
	if _, err := podmanArgs(t.TempDir(), process{read: "/a:b"}); err == nil {
		t.Error("podman was given a directory with a colon")
	}
}

func TestUnprivilegedCapabilities(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may give capabilities")
	}
	o := Options{Tree: tree.New(), Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}}, Capabilities: []string{"net_raw"}}
	if _, err := newProcess(o); err == nil {
		t.Error("no error")
	}
}

func TestMistakesOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	fake := runtime{"runc", filepath.Join(dir, "runc")}
	behave := func(script string) {
		t.Helper()
		if err := os.WriteFile(fake.path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(n *tree.Node) error {
		files := tree.New()
		if err := files.Insert("/x", n); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), Options{Tree: files, Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}}, Runtime: "runc", Events: event.Silent{}})
		return err
	}
	none := filepath.Join(dir, "none")
	behave("#!" + none)
	noInterpreter := run(tree.NewFile(nil, 0o755))
	behave("#!/bin/sh\nkill -9 $$")
	killed := run(tree.NewFile(nil, 0o755))
	noContent := run(&tree.Node{Kind: tree.File, Size: 3})
	behave("#!/bin/sh\necho busy\nexit 1")
	_, config := fake.command(t.Context(), none, process{})
	t.Setenv("TMPDIR", none)
	noDirectory := run(tree.NewFile(nil, 0o755))
	texts := golden.New(t)
	errs := map[string]error{
		"the runtime cannot be executed": noInterpreter,
		"the runtime is killed":          killed,
		"a file without content":         noContent,
		"the container stays":            fake.remove(t.Context(), dir),
		"no config":                      config,
		"no temporary directory":         noDirectory,
		"the directory exists":           unpack(t.Context(), tree.New(), dir, 0),
	}
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		texts.Add(name, strings.ReplaceAll(errs[name].Error(), dir, "DIR"))
	}
}

// A container's files stay where something of them is in use.
func TestMistakeInRemoving(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := filepath.Join(t.TempDir(), "smith-run-1")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount: %s", out)
	}
	defer exec.CommandContext(context.WithoutCancel(t.Context()), "umount", dir).Run()
	if err := removeAll(dir); err == nil || !strings.HasPrefix(err.Error(), "cannot remove the container's files: ") {
		t.Errorf("got %v", err)
	}
}
