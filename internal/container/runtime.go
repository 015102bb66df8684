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

// runtimes are those that Run supports, the lightest first.
var runtimes = []string{"crun", "runc", "podman"}

// find returns the runtime of a name, or the first that is installed.
func find(name string) (runtime, error) {
	if goruntime.GOOS != "linux" {
		return runtime{}, errors.New("cannot run the image: this machine does not run Linux; load it into a container engine instead (podman load, docker load)")
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
		// crun 1.8 refuses them even with --cgroup-manager=disabled.
		if n == "crun" && name == "" && hybridCgroups() {
			tried = append(tried, "crun does not support this machine's cgroups (v1 and v2 together)")
			continue
		}
		return runtime{n, path}, nil
	}
	return runtime{}, errors.New("cannot run the image: " + strings.Join(tried, ", ") + "; install crun, runc or podman")
}

// lookPath finds a program in PATH, or where distributions keep root's.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	return path, err
}

// hybridCgroups reports whether the machine has cgroups of both versions.
func hybridCgroups() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return errors.Is(err, os.ErrNotExist)
}

// command returns the command that runs a process in a bundle.
func (r runtime) command(ctx context.Context, bundle string, p process) (*exec.Cmd, error) {
	if r.name == "podman" {
		args, err := podmanArgs(bundle, p)
		return exec.CommandContext(ctx, r.path, args...), err
	}
	config, err := runtimeSpec(p, r.machine(ctx))
	if err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(bundle, "config.json"), config); err != nil {
		return nil, err
	}
	args := append(r.options(bundle), "run", "--bundle", bundle, filepath.Base(bundle))
	return exec.CommandContext(ctx, r.path, args...), nil
}

func writeJSON(file string, v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("cannot write the container's config: %w", err)
	}
	return nil
}

// machine finds out what decides how this runtime is used here.
func (r runtime) machine(ctx context.Context) machine {
	m := machine{root: os.Geteuid() == 0}
	// smith has crun manage no cgroups.
	m.cgroups = r.name == "runc" && canLimit()
	// Both may be built without libseccomp; runc names its version, crun the
	// feature.
	out, err := exec.CommandContext(ctx, r.path, "--version").Output()
	m.seccomp = err != nil || bytes.Contains(bytes.ToLower(out), []byte("seccomp"))
	return m
}

// options are the runtime's own, which come before the command.
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

// podmanArgs are the arguments of podman-run(1) for what runtimeSpec tells a
// runtime. None of the image's strings is the beginning of an option, and those
// within options were checked: see scratches and setEnv.
func podmanArgs(bundle string, p process) ([]string, error) {
	args := append(runtime{name: "podman"}.options(bundle),
		"run", "--rm", "--name="+filepath.Base(bundle), "--hostname="+hostname, "--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
		"--interactive", "--entrypoint=", "--workdir="+p.dir, fmt.Sprintf("--user=%d:%d", p.uid, p.gid),
	)
	args = append(args, podmanLimits()...)
	if canLimit() {
		l := p.limits.withDefaults()
		args = append(args, fmt.Sprintf("--memory=%db", l.Memory), fmt.Sprintf("--pids-limit=%d", l.Processes))
	}
	for _, name := range bounding(p) {
		args = append(args, "--cap-add="+name)
	}
	if p.capabilities == 0 {
		args = append(args, "--security-opt=no-new-privileges")
	}
	if p.trace != nil {
		profile, err := seccompFilter(hostArchitecture, p.capabilities.Names(), p.trace)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(bundle, "seccomp.json")
		if err := writeJSON(file, profile); err != nil {
			return nil, err
		}
		args = append(args, "--security-opt=seccomp="+file)
	}
	if p.terminal {
		args = append(args, "--tty")
	}
	args = append(args, "--network="+map[bool]string{true: "host", false: "none"}[p.network])
	if !p.network {
		args = append(args, "--sysctl="+unprivilegedPorts+"=0")
	}
	if p.read != "" {
		if strings.ContainsAny(p.read, ":,") {
			return nil, fmt.Errorf("--read %s: podman takes no directory with a colon or comma in its path", p.read)
		}
		args = append(args, "--volume="+p.read+":/read:ro")
	}
	for _, s := range p.scratch {
		// podman has no option for the owner.
		args = append(args, fmt.Sprintf("--tmpfs=%s:size=%d,mode=1777", s.dir, s.size))
	}
	for _, e := range p.env {
		args = append(args, "--env="+e)
	}
	return append(append(args, "--rootfs", filepath.Join(bundle, "rootfs")), p.args...), nil
}
