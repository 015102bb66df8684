package container

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/tree"
)

// What is said of an image that cannot be run.
func TestMistakes(t *testing.T) {
	for want, o := range map[string]Options{
		"the image names no program to run; give one after --":                      {},
		`the image's user is "www-data"; smith run wants numbers, such as 10:10`:    {Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "www-data"}},
		`the image's user is "10:www-data"; smith run wants numbers, such as 10:10`: {Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "10:www-data"}},
	} {
		if _, err := newProcess(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := find("jail"); err == nil || err.Error() != "cannot run the image: jail is not installed; install crun, runc or podman" {
		t.Errorf("got %v", err)
	}
	if os.Geteuid() == 0 {
		return // who may give capabilities
	}
	o := Options{Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}}, Capabilities: []string{"net_raw"}}
	if _, err := newProcess(o); err == nil || err.Error() != "only root can give capabilities to files: run smith as root, or load the image into a container engine" {
		t.Errorf("got %v", err)
	}
}

// What is said where the machine or the runtime does not do its part.
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
	notAtHand := run(&tree.Node{Kind: tree.File, Size: 3})
	behave("#!/bin/sh\necho busy\nexit 1")
	_, config := fake.command(t.Context(), none, process{})
	t.Setenv("TMPDIR", none)
	noFolder := run(tree.NewFile(nil, 0o755))
	for _, c := range []struct {
		err  error
		want string
	}{
		{noInterpreter, "cannot run the image with runc: fork/exec " + fake.path + ": no such file or directory"},
		{killed, "cannot run the image with runc: signal: killed"},
		{notAtHand, "cannot unpack /x: cannot read /x: its 3 bytes are not at hand"},
		{fake.remove(t.Context(), dir), "cannot end the container: exit status 1: busy"},
		{config, "cannot write the container's config: open " + none + "/config.json: no such file or directory"},
		{noFolder, "cannot make a folder for the container: stat " + none + ": no such file or directory; TMPDIR names where it goes"},
		{unpack(t.Context(), tree.New(), dir, 0), "cannot unpack the image: mkdir " + dir + ": file exists"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}

// What is said where a container's files stay: something of them is in use.
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
	if err := removeAll(dir); err == nil || err.Error() != "cannot remove the container's files: unlinkat "+dir+": device or resource busy" {
		t.Errorf("got %v", err)
	}
}
