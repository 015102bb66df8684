package repodata

import (
	"slices"
	"strings"

	"smith/internal/distro/resolve"
)

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

// noarch is the architecture of packages that fit every machine.
const noarch = "noarch"

// is64 reports whether packages of an architecture are for 64 bits: rpm's
// color, as libsolv knows it from the name.
func is64(arch string) bool { return arch == "s390x" || strings.Contains(arch, "64") }

// called returns the packages on offer of a name.
func (c *Catalogue) called(name string) ([]resolve.ID, error) {
	if ids, known := c.names[name]; known {
		return ids, nil
	}
	ids, err := c.keyed(keyName + name)
	if err == nil {
		c.names[name] = ids
	}
	return ids, err
}

// fitter returns the packages of the name of p whose architecture fits the
// machine better, those of its version and those of other versions. Where a
// request names the package, every architecture is as good.
func (c *Catalogue) fitter(p *offered) (same, other []resolve.ID, err error) {
	if p.rank == 0 || c.requested[p.Name] {
		return nil, nil, nil
	}
	ids, err := c.called(p.Name)
	native := false
	for _, id := range ids {
		o := c.packages[id]
		if o.rank >= p.rank {
			continue
		}
		native = native || o.Arch != noarch
		if o.EVR == p.EVR {
			same = append(same, id)
		} else if o.Arch != noarch {
			other = append(other, id)
		}
	}
	if !native { // noarch alone makes no other architecture inferior
		return nil, nil, err
	}
	return same, other, err
}

// withoutInferior leaves out the options that dnf does not take because one of
// the same name has a better architecture (libsolv's infarch rules): with
// another version, only that one counts. With the same version both may be
// chosen together; Requires sees to that.
func (c *Catalogue) withoutInferior(options []option) ([]option, error) {
	better := map[string]int{}
	for _, o := range options {
		if least, known := better[o.Name]; o.Arch != noarch && (!known || o.rank < least) {
			better[o.Name] = o.rank
		}
	}
	var failed error
	return slices.DeleteFunc(options, func(o option) bool {
		if o.Arch == noarch || o.rank == better[o.Name] {
			return false
		}
		same, other, err := c.fitter(o.offered)
		if err != nil {
			failed = err
		}
		return len(same) == 0 && len(other) > 0
	}), failed
}

// besideFitter returns the clause by which a package of an inferior
// architecture comes only beside the better one of the same version.
func besideFitter(p *offered, same []resolve.ID) resolve.Clause {
	return resolve.Clause{Text: "is for " + p.Arch + " and comes only beside the package for the machine's own architecture", Options: same}
}

// sameName returns the conflicts of a package with others of its name that its
// slot does not exclude: of a better architecture in another version, and of
// the other color where one of both fits every machine.
func (c *Catalogue) sameName(p *offered) ([]resolve.Conflict, error) {
	_, with, err := c.fitter(p)
	if err != nil {
		return nil, err
	}
	if p.Arch == noarch {
		ids, err := c.called(p.Name)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if o := c.packages[id]; o.Arch != noarch && is64(o.Arch) != is64(c.options.Machine) {
				with = append(with, id)
			}
		}
	}
	if len(with) == 0 {
		return nil, nil
	}
	return []resolve.Conflict{{Text: "cannot be installed beside another package of its name", With: with}}, nil
}
