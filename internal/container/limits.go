package container

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// podmanLimits are podman's options for resource limits that any process can
// set. podman's defaults are higher than what a process without
// CAP_SYS_RESOURCE may set, and podman itself runs with less than its caller.
func podmanLimits() []string {
	var options []string
	for _, l := range rlimits() {
		name := strings.ToLower(strings.TrimPrefix(l.Type, "RLIMIT_"))
		options = append(options, fmt.Sprintf("--ulimit=%s=%d:%d", name, l.Soft, l.Hard))
	}
	return options
}

// rlimit is a limit that is no higher than smith's own.
func rlimit(name string, own, most uint64) specs.POSIXRlimit {
	n := min(own, most)
	return specs.POSIXRlimit{Type: name, Soft: n, Hard: n}
}
