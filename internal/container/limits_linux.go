package container

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// limits returns podman's options for resource limits that any process can
// set. podman's defaults are higher than what a process without
// CAP_SYS_RESOURCE may set, and podman itself runs with less than its caller.
func limits() []string {
	var options []string
	for _, l := range []struct {
		name   string
		number int
		most   uint64
	}{{"nofile", unix.RLIMIT_NOFILE, 10000}, {"nproc", unix.RLIMIT_NPROC, 4096}} {
		var limit unix.Rlimit
		if unix.Getrlimit(l.number, &limit) == nil {
			n := min(limit.Max, l.most)
			options = append(options, fmt.Sprintf("--ulimit=%s=%d:%d", l.name, n, n))
		}
	}
	return options
}
