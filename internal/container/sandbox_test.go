package container

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"

	"smith/internal/event"
	"smith/internal/tree"
)

// A view is what a program in a container sees of its confinement.
type view struct {
	status map[string]string
	// mounts are the options of the file systems by mount point.
	mounts map[string][]string
	pids   string
}

// prober prints what a view is made of.
const prober = `package main
import ("fmt"; "os")
func main() { for _, f := range []string{"/proc/self/status", "/proc/self/mountinfo", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"} {
	b, _ := os.ReadFile(f); fmt.Printf("%s\x00", b) } }
`

func readView(t *testing.T, text string) view {
	t.Helper()
	parts := strings.Split(text, "\x00")
	if len(parts) != 5 {
		t.Fatalf("the program printed %q", text)
	}
	v := view{status: map[string]string{}, mounts: map[string][]string{}, pids: strings.TrimSpace(parts[2] + parts[3])}
	for line := range strings.Lines(parts[0]) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			v.status[name] = strings.TrimSpace(value)
		}
	}
	for line := range strings.Lines(parts[1]) {
		if f := strings.Fields(line); len(f) > 5 {
			v.mounts[f[4]] = strings.Split(f[5], ",")
		}
	}
	return v
}

// A container of smith's is confined at least as tightly as one that podman
// starts with a read-only root and its defaults.
func TestConfinement(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program and starts two containers")
	}
	needRuntime(t, "runc")
	podman := needRuntime(t, "podman")
	files := programImage(t, "prober", prober)
	var out bytes.Buffer
	code, err := Run(t.Context(), Options{
		Tree: files, Config: ocispec.ImageConfig{Entrypoint: []string{"/prober"}}, Runtime: "runc",
		Stdout: &out, Stderr: os.Stderr, Events: event.Silent{},
	})
	if err != nil || code != 0 {
		t.Fatal(code, err)
	}
	smith := readView(t, out.String())

	root := filepath.Join(t.TempDir(), "rootfs")
	if err := unpack(t.Context(), files, root, 0); err != nil {
		t.Fatal(err)
	}
	args := append(runtime{name: "podman"}.options(""), "run", "--rm", "--network=none", "--read-only")
	args = append(append(args, podmanLimits()...), "--rootfs", root, "/prober")
	printed, err := exec.CommandContext(t.Context(), podman.path, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	compareViews(t, smith, readView(t, string(printed)))
}

func compareViews(t *testing.T, smith, podman view) {
	t.Helper()
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		ours, err := strconv.ParseUint(smith.status[name], 16, 64)
		if theirs, _ := strconv.ParseUint(podman.status[name], 16, 64); err != nil || ours&^theirs != 0 {
			t.Errorf("%s: %x, podman %x", name, ours, theirs)
		}
	}
	for _, name := range []string{"Seccomp", "NoNewPrivs"} {
		if smith.status[name] < podman.status[name] {
			t.Errorf("%s: %q, podman %q", name, smith.status[name], podman.status[name])
		}
	}
	if podman.pids != "" && smith.pids == "" || smith.pids == "max" {
		t.Errorf("processes: %q, podman %q", smith.pids, podman.pids)
	}
	for point, options := range podman.mounts {
		if strings.HasPrefix(point, "/etc/") || strings.HasPrefix(point, "/run/") || point == "/var/tmp" {
			continue // files of podman's, and a directory that smith leaves read-only
		}
		ours, ok := smith.mounts[point]
		for _, o := range []string{"ro", "nosuid", "nodev", "noexec"} {
			if !ok || slices.Contains(options, o) && !slices.Contains(ours, o) {
				t.Errorf("%s: %v, podman %v", point, ours, options)
			}
		}
	}
}

// The filter allows no call that podman's refuses, but those that are younger
// than the profile that is installed.
func TestSeccompAgainstPodman(t *testing.T) {
	data, err := os.ReadFile("/usr/share/containers/seccomp.json")
	if err != nil {
		t.Skip("no profile of podman's is installed: ", err)
	}
	var profile struct {
		Syscalls []struct {
			Names    []string
			Action   string
			Includes struct{ Caps, Arches []string }
		}
	}
	if err := json.Unmarshal(data, &profile); err != nil {
		t.Fatal(err)
	}
	young := strings.Fields("cachestat fchmodat2 futex_requeue futex_wait futex_waitv futex_wake map_shadow_stack mseal process_mrelease set_mempolicy_home_node")
	for _, architecture := range []string{"amd64", "arm64"} {
		allowed := map[string]bool{}
		for _, s := range profile.Syscalls {
			if s.Action == "SCMP_ACT_ALLOW" && len(s.Includes.Caps) == 0 && (len(s.Includes.Arches) == 0 || slices.Contains(s.Includes.Arches, architecture)) {
				for _, name := range s.Names {
					allowed[name] = true
				}
			}
		}
		ours := allowedBy(t, architecture, nil)
		for name, ok := range ours {
			if ok && !allowed[name] && !slices.Contains(young, name) {
				t.Errorf("%s: %s is allowed, and podman refuses it", architecture, name)
			}
		}
		for name := range allowed {
			if !ours[name] {
				t.Errorf("%s: podman allows %s", architecture, name)
			}
		}
	}
}

func allowedBy(t *testing.T, architecture string, capabilities []string) map[string]bool {
	t.Helper()
	f, err := seccompFilter(architecture, capabilities, nil)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, s := range f.Syscalls {
		for _, name := range s.Names {
			allowed[name] = allowed[name] || s.Action == specs.ActAllow
		}
	}
	return allowed
}

func TestSeccompFilter(t *testing.T) {
	for _, c := range []struct {
		architecture, call string
		capabilities       []string
		want               bool
	}{
		{"amd64", "openat", nil, true},
		{"amd64", "arch_prctl", nil, true},
		{"arm64", "arch_prctl", nil, false},
		{"arm64", "sync_file_range2", nil, true},
		{"amd64", "chroot", nil, false},
		{"amd64", "chroot", []string{"sys_chroot"}, true},
		{"amd64", "bpf", nil, false},
		{"amd64", "keyctl", nil, true},
		{"amd64", "kexec_load", nil, false},
		{"amd64", "io_uring_setup", nil, false},
	} {
		if got := allowedBy(t, c.architecture, c.capabilities)[c.call]; got != c.want {
			t.Errorf("%s %s with %v: %v", c.architecture, c.call, c.capabilities, got)
		}
	}
	f, err := seccompFilter("arm64", nil, &Trace{Socket: "/s", Syscalls: []string{"openat"}})
	if err != nil || f.ListenerPath != "/s" || f.Syscalls[0].Action != specs.ActNotify {
		t.Errorf("%v, %+v", err, f.Syscalls[0])
	}
	for _, s := range f.Syscalls[1:] {
		if slices.Contains(s.Names, "openat") {
			t.Error("openat has two actions")
		}
	}
	if _, err := syscallLists("open\n"); err == nil {
		t.Error("a list without a section was read")
	}
}

// needRuntime skips a test where a runtime cannot be used; on the project's own
// machines it must be.
func needRuntime(t *testing.T, name string) runtime {
	t.Helper()
	r, err := find(name)
	if err == nil && os.Geteuid() == 0 {
		return r
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("root and ", name, " are needed: ", err)
	}
	t.Skip("root and ", name, " are needed: ", err)
	return r
}

// programImage is an image of one program in Go.
func programImage(t *testing.T, name, text string) *tree.Tree {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.go")
	program := strings.TrimSuffix(source, ".go")
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
	if err := files.Insert("/"+name, tree.NewFile(data, 0o755)); err != nil {
		t.Fatal(err)
	}
	return files
}
