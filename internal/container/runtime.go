package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// A runtime is a program that starts containers.
type runtime struct {
	name, path string
}

// runtimes are those that Run knows, the lightest first.
var runtimes = []string{"crun", "runc", "podman"}

// find returns the runtime of a name, or the first that is there.
func find(name string) (runtime, error) {
	if goruntime.GOOS != "linux" {
		return runtime{}, errors.New("cannot run the image: this machine is no Linux; load it into a container engine instead (podman load, docker load)")
	}
	names := runtimes
	if name != "" {
		names = []string{name}
	}
	var tried []string
	for _, n := range names {
		path, err := lookPath(n)
		if err != nil {
			tried = append(tried, n+" is not installed")
			continue
		}
		// crun 1.8 refuses them, whoever calls it.
		if n == "crun" && name == "" && hybridCgroups() {
			tried = append(tried, "crun refuses this machine's mix of cgroups v1 and v2")
			continue
		}
		return runtime{n, path}, nil
	}
	return runtime{}, errors.New("cannot run the image: " + strings.Join(tried, ", ") + "; install crun, runc or podman")
}

// lookPath finds a program in PATH, or where distributions keep those of root.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	return path, err
}

// hybridCgroups says whether the machine has cgroups of both versions.
func hybridCgroups() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return errors.Is(err, os.ErrNotExist)
}

// command returns the command that runs a process in a bundle.
func (r runtime) command(ctx context.Context, bundle string, p process) (*exec.Cmd, error) {
	if r.name == "podman" {
		return exec.CommandContext(ctx, r.path, podmanArgs(bundle, p)...), nil
	}
	data, err := json.Marshal(runtimeSpec(p))
	if err == nil {
		err = os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write the container's config: %w", err)
	}
	args := append(r.options(bundle), "run", "--bundle", bundle, filepath.Base(bundle))
	return exec.CommandContext(ctx, r.path, args...), nil
}

// options are the runtime's own, that stand before what it is to do.
func (r runtime) options(bundle string) []string {
	switch {
	case r.name == "crun":
		return []string{"--cgroup-manager=disabled", "--root", filepath.Join(bundle, "state")}
	case r.name == "runc":
		return []string{"--root", filepath.Join(bundle, "state")}
	case hybridCgroups():
		return []string{"--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file"}
	}
	return nil
}

// remove ends what runs in a bundle, if anything does.
func (r runtime) remove(ctx context.Context, bundle string) error {
	words := []string{"delete", "--force"}
	if r.name == "podman" {
		words = []string{"rm", "--force", "--ignore", "--time=0"}
	}
	args := append(append(r.options(bundle), words...), filepath.Base(bundle))
	if out, err := exec.CommandContext(ctx, r.path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot end the container: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// podmanArgs are the words of podman-run(1) for what runtimeSpec says to a
// runtime.
func podmanArgs(bundle string, p process) []string {
	args := append(runtime{name: "podman"}.options(bundle),
		"run", "--rm", "--name="+filepath.Base(bundle), "--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
		"--interactive", "--entrypoint=", "--workdir="+p.dir, fmt.Sprintf("--user=%d:%d", p.uid, p.gid),
	)
	args = append(args, limits()...)
	for _, name := range bounding(p) {
		args = append(args, "--cap-add="+name)
	}
	if p.capabilities == 0 {
		args = append(args, "--security-opt=no-new-privileges")
	}
	if p.terminal {
		args = append(args, "--tty")
	}
	if !p.network {
		args = append(args, "--network=none")
	}
	if p.read != "" {
		args = append(args, "--volume="+p.read+":/read:ro")
	}
	for _, dir := range p.memory {
		args = append(args, "--tmpfs="+dir+":mode=1777")
	}
	for _, e := range p.env {
		args = append(args, "--env="+e)
	}
	return append(append(args, "--rootfs", filepath.Join(bundle, "rootfs")), p.args...)
}
