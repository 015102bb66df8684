package container

import (
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// version is the specification's that the config keeps to: nothing in it is
// newer, and older runtimes refuse a newer number.
const version = "1.0.2"

// runtimeSpec returns the config.json of a bundle (OCI runtime specification,
// config.md and config-linux.md): no capability, no way to gain one but those
// that files may have, nothing writable but what is in memory.
func runtimeSpec(p process) *specs.Spec {
	var uids, gids []specs.LinuxIDMapping
	if os.Geteuid() != 0 {
		uids, gids = rootless(&p)
	}
	s := &specs.Spec{
		Version:  version,
		Hostname: "smith",
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Process: &specs.Process{
			Terminal: p.terminal, User: specs.User{UID: p.uid, GID: p.gid}, Args: p.args, Env: p.env, Cwd: p.dir,
			Capabilities: &specs.LinuxCapabilities{Bounding: bounding(p)}, NoNewPrivileges: p.capabilities == 0,
		},
		Mounts: mounts(p),
		Linux: &specs.Linux{
			Namespaces:    []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace}},
			MaskedPaths:   []string{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if !p.network {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	if len(uids) > 0 {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = uids, gids
	}
	return s
}

// bounding are the capabilities that the program may gain by executing a file,
// as the specification calls them.
func bounding(p process) []string {
	var all []string
	for _, name := range p.capabilities.Names() {
		all = append(all, "CAP_"+strings.ToUpper(name))
	}
	return all
}

// mounts are the file systems that every container has (config-linux.md,
// "Default Filesystems"), and those of a microcontainer.
func mounts(p process) []specs.Mount {
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	}
	switch {
	case p.network:
		// A new sysfs belongs to a network namespace of one's own.
		list = append(list, specs.Mount{Destination: "/sys", Type: "bind", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}})
	default:
		list = append(list, specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	for _, dir := range p.memory {
		owner := []string{"nosuid", "nodev", "mode=0755", fmt.Sprintf("uid=%d", p.uid), fmt.Sprintf("gid=%d", p.gid)}
		list = append(list, specs.Mount{Destination: dir, Type: "tmpfs", Source: "tmpfs", Options: owner})
	}
	if p.read != "" {
		list = append(list, specs.Mount{Destination: "/read", Type: "bind", Source: p.read, Options: []string{"rbind", "ro", "nosuid", "nodev"}})
	}
	return list
}
