package container

import (
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A cpu is an architecture under its names.
type cpu struct {
	// qemu is qemu-user's name of it.
	qemu string
	// also are the architectures whose programs it executes as well.
	also []string
}

// cpus are the architectures of images by Go's name.
var cpus = map[string]cpu{
	"386": {qemu: "i386"}, "amd64": {"x86_64", []string{"386"}}, "arm": {qemu: "arm"}, "arm64": {"aarch64", []string{"arm"}},
	"loong64": {qemu: "loongarch64"}, "mips64le": {qemu: "mips64el"}, "ppc64le": {qemu: "ppc64le"}, "riscv64": {qemu: "riscv64"}, "s390x": {qemu: "s390x"},
}

// CanExecute returns an error where this machine does not execute the programs
// of a platform.
func CanExecute(p ocispec.Platform) error {
	if p.OS != "" && p.OS != "linux" {
		return fmt.Errorf("cannot run the image: it is for %s, and smith runs images for Linux only", p.OS)
	}
	host := hostArchitecture
	if p.Architecture == "" || p.Architecture == host || slices.Contains(cpus[host].also, p.Architecture) {
		return nil
	}
	if name := cpus[p.Architecture].qemu; name != "" && emulated(name) {
		return nil
	}
	return fmt.Errorf("cannot run the image: it is for linux/%s and this machine is linux/%s; build it for this machine (--platform linux/%[2]s), or install qemu-user-static and binfmt-support, which execute programs of other architectures", p.Architecture, host)
}
