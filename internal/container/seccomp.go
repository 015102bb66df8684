package container

import (
	_ "embed"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// syscallText lists the system calls of a program in a container.
//
//go:embed syscalls.txt
var syscallText string

// A Trace has a runtime hand the system calls that look for files to whoever
// listens on a socket (OCI runtime specification, config-linux.md, "Seccomp",
// listenerPath), which lets each of them go on.
type Trace struct {
	// Socket is where the runtime sends the descriptor of the filter.
	Socket string
	// Syscalls are the calls, by name.
	Syscalls []string
}

// The numbers of socket(2) for the audit system.
const (
	netlink      = 16 // AF_NETLINK
	netlinkAudit = 9  // NETLINK_AUDIT
)

// seccompFilter returns the filter of a program that may have capabilities, on
// a machine of an architecture (Go's name).
func seccompFilter(architecture string, capabilities []string, trace *Trace) (*specs.LinuxSeccomp, error) {
	lists, err := syscallLists(syscallText)
	if err != nil {
		return nil, err
	}
	allowed := slices.Concat(lists["allow"], lists["allow on "+architecture])
	for _, name := range capabilities {
		allowed = append(allowed, lists["allow with "+name]...)
	}
	denied := lists["deny"]
	for section, names := range lists {
		if name, ok := strings.CutPrefix(section, "allow with "); ok && !slices.Contains(capabilities, name) {
			denied = append(denied, names...)
		}
	}
	enosys, eperm, einval := uint(38), uint(1), uint(22) // Linux
	f := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: &enosys, Architectures: seccompArchitectures(architecture)}
	add := func(action specs.LinuxSeccompAction, errno *uint, args []specs.LinuxSeccompArg, names ...string) {
		f.Syscalls = append(f.Syscalls, specs.LinuxSyscall{Names: names, Action: action, ErrnoRet: errno, Args: args})
	}
	if trace != nil {
		allowed = slices.DeleteFunc(allowed, func(name string) bool { return slices.Contains(trace.Syscalls, name) })
		add(specs.ActNotify, nil, nil, trace.Syscalls...)
		f.ListenerPath = trace.Socket
	}
	slices.Sort(allowed)
	slices.Sort(denied)
	add(specs.ActAllow, nil, nil, slices.Compact(allowed)...)
	add(specs.ActErrno, &eperm, nil, slices.Compact(denied)...)
	// personality(2): Linux, Linux in 32 bits, both without random addresses,
	// and the question what it is.
	for _, value := range []uint64{0, 0x8, 0x20000, 0x20008, 0xffffffff} {
		add(specs.ActAllow, nil, []specs.LinuxSeccompArg{{Index: 0, Value: value, Op: specs.OpEqualTo}}, "personality")
	}
	if slices.Contains(capabilities, "audit_write") {
		add(specs.ActAllow, nil, nil, "socket")
		return f, nil
	}
	// A socket of the audit system is refused with EINVAL, as where the kernel
	// has none: what asks for one goes on without.
	family := specs.LinuxSeccompArg{Index: 0, Value: netlink, Op: specs.OpEqualTo}
	protocol := specs.LinuxSeccompArg{Index: 2, Value: netlinkAudit, Op: specs.OpEqualTo}
	add(specs.ActErrno, &einval, []specs.LinuxSeccompArg{family, protocol}, "socket")
	family.Op, protocol.Op = specs.OpNotEqual, specs.OpNotEqual
	add(specs.ActAllow, nil, []specs.LinuxSeccompArg{family}, "socket")
	add(specs.ActAllow, nil, []specs.LinuxSeccompArg{protocol}, "socket")
	return f, nil
}

// seccompArchitectures are those whose programs a machine can execute.
func seccompArchitectures(architecture string) []specs.Arch {
	switch architecture {
	case "amd64":
		return []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	case "arm64":
		return []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	}
	return nil // the machine's own
}

// syscallLists reads syscalls.txt: the names by section.
func syscallLists(text string) (map[string][]string, error) {
	lists := map[string][]string{}
	section := ""
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		if name, ok := strings.CutSuffix(line, ":"); ok {
			section = name
			continue
		}
		if section == "" {
			return nil, fmt.Errorf("syscalls.txt:%d: no section", i+1)
		}
		lists[section] = append(lists[section], strings.Fields(line)...)
	}
	return lists, nil
}

// hostArchitecture is the architecture whose system calls the kernel sees.
const hostArchitecture = goruntime.GOARCH
