package container

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// rlimits are the program's resource limits.
func rlimits() []specs.POSIXRlimit {
	var list []specs.POSIXRlimit
	for _, l := range []struct {
		name   string
		number int
		most   uint64
	}{{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 10000}, {"RLIMIT_NPROC", unix.RLIMIT_NPROC, 4096}, {"RLIMIT_CORE", unix.RLIMIT_CORE, 0}} {
		var limit unix.Rlimit
		if unix.Getrlimit(l.number, &limit) == nil {
			list = append(list, rlimit(l.name, limit.Max, l.most))
		}
	}
	return list
}

// machineMemory is how many bytes of memory this machine has.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 4 << 30
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit)) //nolint:unconvert // the types differ between architectures
}

// canLimit reports whether this process may make cgroups that bound memory and
// processes: as root, where the file systems of cgroups are writable and have
// the controllers (cgroups(7)). In a container they often are not.
func canLimit() bool {
	if os.Geteuid() != 0 {
		return false
	}
	const base = "/sys/fs/cgroup"
	if controllers, err := os.ReadFile(filepath.Join(base, "cgroup.controllers")); err == nil {
		have := strings.Fields(string(controllers))
		return slices.Contains(have, "memory") && slices.Contains(have, "pids") && unix.Access(base, unix.W_OK) == nil
	}
	for _, controller := range []string{"memory", "pids", "devices"} {
		if unix.Access(filepath.Join(base, controller), unix.W_OK) != nil {
			return false
		}
	}
	return true
}

// emulated reports whether the kernel has an emulator, such as qemu-user,
// execute programs of an architecture in containers: an entry of binfmt_misc
// that is enabled and holds its interpreter open (flag F).
func emulated(name string) bool {
	data, err := os.ReadFile(filepath.Join("/proc/sys/fs/binfmt_misc", "qemu-"+name))
	if err != nil {
		return false
	}
	lines := strings.Split(string(data), "\n")
	return lines[0] == "enabled" && slices.ContainsFunc(lines, func(l string) bool {
		flags, ok := strings.CutPrefix(l, "flags: ")
		return ok && strings.Contains(flags, "F")
	})
}
