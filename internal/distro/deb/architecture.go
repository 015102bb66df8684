package deb

import (
	"fmt"
	"runtime"
	"strings"

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

// isArchitecture reports whether a word is one of Debian's names of architectures
// and their wildcards (dpkg-architecture(1)), those of its ports included.
func isArchitecture(word string) bool {
	switch word {
	case "all", "any", "native", "amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "ppc64el", "riscv64", "s390x",
		"alpha", "arc", "hppa", "ia64", "m68k", "mips", "mipsel", "powerpc", "ppc64", "sh4", "sparc64", "x32":
		return true
	}
	return strings.Contains(word, "-") // hurd-amd64, linux-any
}

// settled returns the platform that a zero one stands for.
func settled(p ocispec.Platform) ocispec.Platform {
	if p.Architecture == "" {
		p.OS, p.Architecture = "linux", runtime.GOARCH
	}
	return p
}
