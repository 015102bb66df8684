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

// masked are paths of the kernel that a container does not see, and readonly
// those that it only reads: the lists of podman and of Docker's engine
// together.
var (
	masked = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/dev/block", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux",
	}
	readonly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// unprivilegedPorts is the first port that a program may listen on without a
// capability (ip(7)): in a network of its own all of them, as Docker's engine
// has it.
const unprivilegedPorts = "net.ipv4.ip_unprivileged_port_start"

// A machine is what of this machine decides how a container is set up.
type machine struct {
	root bool
	// cgroups reports whether smith may make cgroups with limits.
	cgroups bool
	// seccomp reports whether the runtime applies filters of system calls.
	seccomp bool
}

// runtimeSpec returns the config.json of a bundle (OCI runtime specification,
// config.md and config-linux.md): no capability, no way to gain one but those
// that files may have, nothing writable but what is in memory.
func runtimeSpec(p process, m machine) (*specs.Spec, error) {
	var uids, gids []specs.LinuxIDMapping
	if !m.root {
		uids, gids = rootless(&p)
	}
	s := &specs.Spec{
		Version:  version,
		Hostname: hostname,
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Process: &specs.Process{
			Terminal: p.terminal, User: specs.User{UID: p.uid, GID: p.gid}, Args: p.args, Env: p.env, Cwd: p.dir,
			Capabilities: &specs.LinuxCapabilities{Bounding: bounding(p)}, NoNewPrivileges: p.capabilities == 0,
			Rlimits: rlimits(),
		},
		Mounts: mounts(p, m),
		Linux: &specs.Linux{
			Namespaces:    namespaces(p),
			MaskedPaths:   masked,
			ReadonlyPaths: readonly,
		},
	}
	if !p.network && m.root {
		s.Linux.Sysctl = map[string]string{unprivilegedPorts: "0"}
	}
	if m.cgroups {
		s.Linux.Resources = p.limits.resources()
	}
	if m.seccomp {
		var err error
		if s.Linux.Seccomp, err = seccompFilter(hostArchitecture, p.capabilities.Names(), p.trace); err != nil {
			return nil, err
		}
	}
	if len(uids) > 0 {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = uids, gids
	}
	return s, nil
}

func namespaces(p process) []specs.LinuxNamespace {
	types := []specs.LinuxNamespaceType{specs.PIDNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.MountNamespace, specs.CgroupNamespace}
	if !p.network {
		types = append(types, specs.NetworkNamespace)
	}
	var list []specs.LinuxNamespace
	for _, t := range types {
		list = append(list, specs.LinuxNamespace{Type: t})
	}
	return list
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

// resources are the limits as the specification has them. The container may use
// no device but those that every container has.
func (l Limits) resources() *specs.LinuxResources {
	l = l.withDefaults()
	return &specs.LinuxResources{
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
		Memory:  &specs.LinuxMemory{Limit: &l.Memory},
		Pids:    &specs.LinuxPids{Limit: &l.Processes},
	}
}

// withDefaults fills in the defaults.
func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = machineMemory() / 2
	}
	if l.Processes == 0 {
		l.Processes = 2048
	}
	return l
}

// mounts are the file systems that every container has (config-linux.md,
// "Default Filesystems"), and those of a microcontainer.
func mounts(p process, m machine) []specs.Mount {
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=64000k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	}
	switch {
	case p.network && !m.root:
		// Only the owner of a network namespace can mount a new sysfs. "ro" alone
		// would leave what is mounted below it writable.
		list = append(list, specs.Mount{Destination: "/sys", Type: "bind", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "rro"}})
	default:
		list = append(list, specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	if m.cgroups {
		// Programs such as Java's machine read their limits there.
		list = append(list, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}})
	}
	for _, s := range p.scratch {
		list = append(list, s.mount(p))
	}
	if p.read != "" {
		list = append(list, specs.Mount{Destination: "/read", Type: "bind", Source: p.read, Options: []string{"rbind", "rro", "nosuid", "nodev"}})
	}
	return list
}

// mount is the file system in memory at a writable directory.
func (s scratch) mount(p process) specs.Mount {
	options := []string{"nosuid", "nodev", fmt.Sprintf("size=%d", s.size), fmt.Sprintf("mode=%04o", s.mode())}
	if !s.open {
		options = append(options, fmt.Sprintf("uid=%d", p.uid), fmt.Sprintf("gid=%d", p.gid))
	}
	if s.filled {
		options = append(options, "tmpcopyup") // runc and crun beyond the specification
	}
	return specs.Mount{Destination: s.dir, Type: "tmpfs", Source: "tmpfs", Options: options}
}

func (s scratch) mode() uint32 {
	if s.open {
		return 0o1777
	}
	return 0o755
}

// own gives the directory below the mount the owner and mode of the mount:
// runtimes take them over.
func (s scratch) own(root *os.Root, p process) error {
	name := s.dir[1:]
	if os.Geteuid() == 0 && !s.open {
		if err := root.Lchown(name, int(p.uid), int(p.gid)); err != nil {
			return err
		}
	}
	mode := os.FileMode(s.mode() & 0o777)
	if s.open {
		mode |= os.ModeSticky
	}
	return root.Chmod(name, mode)
}
