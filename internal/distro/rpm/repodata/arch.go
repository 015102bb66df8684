package repodata

// Arches are the architectures of packages that a machine runs, its own first
// (rpm's rpmrc, "arch_compat"). It is nil where the machine is not known.
func Arches(machine string) []string {
	for _, list := range [][]string{
		{"x86_64", "i686", "i586", "i486", "i386"},
		{"i686", "i586", "i486", "i386"},
		{"aarch64"},
		{"armv7hl", "armv6hl"},
		{"ppc64le"},
		{"s390x", "s390"},
		{"riscv64"},
		{"loongarch64"},
		{"mips64el"},
	} {
		if list[0] == machine {
			return append(list, "noarch")
		}
	}
	return nil
}

// Machine returns the name that RPM distributions have for a platform of OCI,
// "" where there is none.
func Machine(architecture, variant string) string {
	switch architecture {
	case "amd64":
		return "x86_64"
	case "386":
		return "i686"
	case "arm64":
		return "aarch64"
	case "arm":
		if variant == "v6" {
			return "armv6hl"
		}
		return "armv7hl"
	case "loong64":
		return "loongarch64"
	case "mips64le":
		return "mips64el"
	case "ppc64le", "s390x", "riscv64":
		return architecture
	}
	return ""
}

// An archRank says how well an architecture fits: 0 is the machine's own and
// noarch, which stand for each other, then come those of multilib.
type archRank map[string]int

func newArchRank(machine string) archRank {
	ranks := archRank{}
	for i, arch := range Arches(machine) {
		ranks[arch] = i
	}
	ranks["noarch"] = 0
	return ranks
}
