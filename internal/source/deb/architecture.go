package deb

import (
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Architecture returns what Debian calls a platform (Debian Policy, 5.6.8;
// dpkg-architecture(1)).
func Architecture(p ocispec.Platform) (string, error) {
	name := p.Architecture
	switch p.Architecture {
	case "386":
		name = "i386"
	case "arm":
		name = "armhf"
		if p.Variant == "v5" || p.Variant == "v6" {
			name = "armel"
		}
	case "ppc64le":
		name = "ppc64el"
	case "mips64le":
		name = "mips64el"
	case "loong64", "amd64", "arm64", "riscv64", "s390x":
	default:
		return "", fmt.Errorf("%s/%s: there are no Debian packages for this platform", p.OS, p.Architecture)
	}
	if p.OS != "linux" {
		return "", fmt.Errorf("%s/%s: Debian packages are for linux", p.OS, p.Architecture)
	}
	return name, nil
}
