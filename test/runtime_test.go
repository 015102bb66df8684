package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// runRunc runs an image: `runc-run IMAGE [-read DIR] [-- ARGS]`.
func runRunc(ts *testscript.TestScript, neg bool, args []string) {
	needTools(ts, "runc")
	needRoot(ts, "runc with umoci's bundle")
	bundle := unpack(ts, parseRun(ts, args))
	state := filepath.Join(bundle, "state")
	finish(ts, neg, ts.Exec("runc", "--root", state, "run", "--bundle", bundle, containerName(bundle)))
}

// runCrun runs an image: `crun-run IMAGE [-read DIR] [-- ARGS]`.
func runCrun(ts *testscript.TestScript, neg bool, args []string) {
	needTools(ts, "crun")
	needRoot(ts, "crun with umoci's bundle")
	bundle := unpack(ts, parseRun(ts, args))
	state := filepath.Join(bundle, "state")
	crun := []string{"crun", "--cgroup-manager=disabled", "--root", state, "run", "--bundle", bundle, containerName(bundle)}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		// crun refuses a machine with cgroups of both versions; it sees
		// one that has only the second.
		crun = append([]string{"unshare", "--mount", "sh", "-c", `mount -t cgroup2 none /sys/fs/cgroup && exec "$@"`, "sh"}, crun...)
	}
	finish(ts, neg, ts.Exec(crun[0], crun[1:]...))
}

// containerName gives a container a name that no other on the machine has.
func containerName(bundle string) string {
	return fmt.Sprintf("smith-test-%d-%s", os.Getpid(), filepath.Base(filepath.Dir(bundle)))
}

// runPodman runs an image with podman reading it itself:
// `podman-run IMAGE [-read DIR] [-- ARGS]`.
func runPodman(ts *testscript.TestScript, neg bool, args []string) {
	needTools(ts, "podman", "runc", "skopeo")
	r := parseRun(ts, args)
	image := transport(ts, r.image)
	state, podman := podmanState(ts)
	// Limits that a machine without CAP_SYS_RESOURCE can set.
	podman = append(podman, "run", "--rm", "--network=none", "--read-only", "--read-only-tmpfs=false",
		"--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
	if strings.HasPrefix(image, "oci:") {
		// podman makes a name of a layout's path, and not each path is one.
		archive := "oci-archive:" + filepath.Join(state, "image.tar")
		prepare(ts, "skopeo", "--insecure-policy", "copy", "--quiet", image, archive)
		image = archive
	}
	podman = append(podman, engineFlags(r)...)
	if strings.HasPrefix(image, "docker://") {
		podman = append(podman, "--tls-verify=false")
	}
	podman = append(podman, image)
	finish(ts, neg, ts.Exec("podman", append(podman, r.args...)...))
}

// loadPodman has podman read archives into one storage, and lists what it then
// has: `podman-load FILE…`.
func loadPodman(ts *testscript.TestScript, neg bool, args []string) {
	needTools(ts, "podman")
	_, podman := podmanState(ts)
	for _, file := range args {
		if err := ts.Exec("podman", append(podman, "load", "--input", ts.MkAbs(file))...); err != nil || neg {
			finish(ts, neg, err)
		}
	}
	finish(ts, false, ts.Exec("podman", append(podman, "images", "--format", "{{.Repository}}:{{.Tag}}")...))
}

// podmanState returns a folder for podman's state and the options that keep it
// there, so that nothing of this machine is touched.
func podmanState(ts *testscript.TestScript) (dir string, options []string) {
	// Not in the script's folder: podman refuses a long --runroot.
	dir, err := os.MkdirTemp("/tmp", "smith-podman-")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	return dir, []string{
		"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
		"--storage-driver=vfs", "--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file",
	}
}

// engineFlags writes a request as podman's and docker's run want it.
func engineFlags(r runRequest) []string {
	var flags []string
	if r.read != "" {
		flags = append(flags, "--volume", r.read+":/read:ro")
	}
	if r.writable {
		flags = append(flags, "--tmpfs=/write:mode=1777", "--tmpfs=/run:mode=1777")
	}
	if r.capability != "" {
		flags = append(flags, "--cap-drop=all", "--cap-add="+r.capability)
	}
	if r.entrypoint != "" {
		flags = append(flags, "--entrypoint", r.entrypoint)
	}
	return flags
}
