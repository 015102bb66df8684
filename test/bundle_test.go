package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
)

// A runRequest is what a script asks of a container tool:
// IMAGE [-read DIR] [-writable] [-entrypoint PROGRAM] [-with NAME] [-cap NAME] [-emulate ARCHITECTURE] [-- ARGS].
// The container's root is read-only, it has no network but loopback, and the
// user is the one of the image's config.
type runRequest struct {
	image      string
	read       string   // folder to be seen as /read
	writable   bool     // whether /write and /run take files
	with       string   // container whose loopback is shared
	entrypoint string   // a program in place of the image's
	capability string   // one that programs may get, such as NET_RAW
	emulate    string   // architecture of the image to take, run by qemu-user
	args       []string // in place of the image's Cmd
}

func parseRun(ts *testscript.TestScript, args []string) runRequest {
	const usage = "usage: IMAGE [-read DIR] [-writable] [-entrypoint PROGRAM] [-with NAME] [-cap NAME] [-emulate ARCHITECTURE] [-- ARGS]"
	var r runRequest
	for i := 0; i < len(args); i++ {
		value := func() string {
			if i++; i == len(args) {
				ts.Fatalf(usage)
			}
			return args[i]
		}
		switch arg := args[i]; {
		case arg == "--":
			r.args = args[i+1:]
			i = len(args)
		case arg == "-read":
			r.read = ts.MkAbs(value())
		case arg == "-entrypoint":
			r.entrypoint = value()
		case arg == "-with":
			r.with = value()
		case arg == "-cap":
			r.capability = value()
		case arg == "-emulate":
			r.emulate = value()
		case arg == "-writable":
			r.writable = true
		case r.image == "" && !strings.HasPrefix(arg, "-"):
			r.image = arg
		default:
			ts.Fatalf(usage)
		}
	}
	if r.image == "" {
		ts.Fatalf(usage)
	}
	return r
}

// transport writes an image's name as skopeo and podman want it: a folder is
// an OCI layout, a file an OCI archive. A name that has a transport stays.
func transport(ts *testscript.TestScript, image string) string {
	if strings.HasPrefix(image, "docker://") {
		return image
	}
	for _, prefix := range []string{"oci:", "oci-archive:", "docker-archive:"} {
		if path, ok := strings.CutPrefix(image, prefix); ok {
			return prefix + ts.MkAbs(path)
		}
	}
	path := ts.MkAbs(image)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "oci:" + path
	}
	return "oci-archive:" + path
}

// unpack makes a runtime bundle of an image with skopeo and umoci, and returns
// its folder.
func unpack(ts *testscript.TestScript, r runRequest) string {
	needTools(ts, "skopeo", "umoci")
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "bundle-")
	ts.Check(err)
	layout, bundle := filepath.Join(dir, "layout"), filepath.Join(dir, "bundle")
	copying := []string{"--insecure-policy"}
	if r.emulate != "" {
		copying = append(copying, "--override-arch", r.emulate)
	}
	prepare(ts, "skopeo", append(copying, "copy", "--quiet", transport(ts, r.image), "oci:"+layout+":image")...)
	args := []string{"unpack", "--image", layout + ":image"}
	if os.Getuid() != 0 {
		args = append(args, "--rootless")
	}
	prepare(ts, "umoci", append(args, bundle)...)
	adaptBundle(ts, bundle, r, imageConfig(ts, layout))
	return bundle
}

// imageConfig reads the config of the one image in a layout.
func imageConfig(ts *testscript.TestScript, layout string) v1.ImageConfig {
	out := prepare(ts, "skopeo", "inspect", "--config", "--raw", "oci:"+layout+":image")
	var config v1.Image
	ts.Check(json.Unmarshal(out, &config))
	return config.Config
}

// prepare runs a program for its output, unseen by the script where it works.
func prepare(ts *testscript.TestScript, name string, args ...string) []byte {
	path, err := lookPath(ts, name)
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "PATH="+ts.Getenv("PATH"))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		ts.Fatalf("%s: %v: %s", name, err, exit.Stderr)
	}
	ts.Check(err)
	return out
}

// adaptBundle changes what umoci put into the bundle's config.json: what it
// keeps, and this code does not know, stays.
func adaptBundle(ts *testscript.TestScript, bundle string, r runRequest, image v1.ImageConfig) {
	name := filepath.Join(bundle, "config.json")
	b, err := os.ReadFile(name)
	ts.Check(err)
	var config map[string]any
	ts.Check(json.Unmarshal(b, &config))
	config["root"].(map[string]any)["readonly"] = true
	process := config["process"].(map[string]any)
	process["terminal"] = false
	process["args"] = commandLine(r, image)
	// A small machine does not let limits be raised.
	delete(process, "rlimits")
	if r.capability != "" {
		process["capabilities"] = map[string]any{"bounding": []string{"CAP_" + r.capability}}
		process["noNewPrivileges"] = false
	}
	mounts := config["mounts"].([]any)
	if r.emulate != "" {
		const emulator = "/emulator"
		mounts = append(mounts, mount(emulator, "bind", emulatorOf(ts, r.emulate), "bind", "ro"))
		process["args"] = append([]string{emulator}, commandLine(r, image)...)
	}
	if r.read != "" {
		mounts = append(mounts, mount("/read", "bind", r.read, "bind", "ro"))
	}
	if r.writable {
		// runc gives a tmpfs the mode of the folder that it covers.
		user := process["user"].(map[string]any)
		owner := []string{fmt.Sprintf("uid=%v", user["uid"]), fmt.Sprintf("gid=%v", user["gid"]), "mode=0755"}
		mounts = append(mounts, mount("/write", "tmpfs", "tmpfs", owner...), mount("/run", "tmpfs", "tmpfs", owner...))
	}
	config["mounts"] = mounts
	if r.with != "" {
		shareNetwork(ts, config, r.with)
	}
	b, err = json.Marshal(config)
	ts.Check(err)
	ts.Check(os.WriteFile(name, b, 0o644))
}

// emulatorOf returns the path of the static qemu-user for an architecture.
func emulatorOf(ts *testscript.TestScript, architecture string) string {
	names := map[string]string{"arm64": "qemu-aarch64-static"}
	needTools(ts, names[architecture])
	path, err := lookPath(ts, names[architecture])
	ts.Check(err)
	return path
}

func mount(at, kind, source string, options ...string) map[string]any {
	return map[string]any{"destination": at, "type": kind, "source": source, "options": options}
}

// shareNetwork puts a container into the network namespace of another one.
func shareNetwork(ts *testscript.TestScript, config map[string]any, name string) {
	for _, space := range config["linux"].(map[string]any)["namespaces"].([]any) {
		if space := space.(map[string]any); space["type"] == "network" {
			space["path"] = fmt.Sprintf("/proc/%d/ns/net", started(ts, name).pid)
		}
	}
}

// commandLine is what container tools run: Entrypoint and Cmd, where
// arguments replace Cmd and another entry point drops both.
func commandLine(r runRequest, image v1.ImageConfig) []string {
	line, args := image.Entrypoint, image.Cmd
	if r.entrypoint != "" {
		line, args = []string{r.entrypoint}, nil
	}
	if r.args != nil {
		args = r.args
	}
	return append(append([]string{}, line...), args...)
}
