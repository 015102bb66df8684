package repodata

import (
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
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

// inferior reports how dnf treats a package of an architecture that fits the
// machine less well than another one of its name (libsolv's infarch rules).
// Where the better one has the same version, beside is what it comes along
// with; else it is not taken at all. Where a request names the package, every
// architecture is as good.
func (c *Catalogue) inferior(p *offered) (beside []resolve.ID, never bool, err error) {
	if p.rank == 0 || c.requested[p.Name] {
		return nil, false, nil
	}
	ids, err := c.indexed(keyName + p.Name)
	if err != nil {
		return nil, false, err
	}
	var others []resolve.ID
	native := false // noarch alone makes no other architecture inferior
	for _, id := range ids {
		o, err := c.find(id)
		if err != nil {
			return nil, false, err
		}
		_, runs := c.ranks[o.Arch]
		switch {
		case !runs || o.rank >= p.rank:
		case o.EVR == p.EVR:
			native = native || o.Arch != noarch
			if !o.out {
				beside = append(beside, id)
			}
		case o.Arch != noarch:
			others = append(others, id)
		}
	}
	// A better one counts although it is excluded, as it does for dnf.
	if native && len(beside) == 0 {
		return nil, true, nil
	}
	if native {
		return beside, false, nil
	}
	if len(others) == 0 {
		return nil, false, nil
	}
	reached, err := c.reached()
	never = slices.ContainsFunc(others, func(id resolve.ID) bool { return reached[id] })
	return nil, never, err
}

// withoutInferior leaves out the options that are never taken.
func (c *Catalogue) withoutInferior(options []option) ([]option, error) {
	var failed error
	return slices.DeleteFunc(options, func(o option) bool {
		_, never, err := c.inferior(o.offered)
		if err != nil {
			failed = err
		}
		return never
	}), failed
}

// besideFitter returns the clause by which a package of an inferior
// architecture comes only beside the better one of the same version.
func besideFitter(p *offered, beside []resolve.ID) resolve.Clause {
	return resolve.Clause{Text: "is for " + p.Arch + " and comes only beside the package for the machine's own architecture", Options: beside}
}

// sameName returns the conflicts of a package with others of its name that its
// slot does not exclude: of the other color, where one of both fits every
// machine.
func (c *Catalogue) sameName(p *offered) ([]resolve.Conflict, error) {
	if p.Arch != noarch {
		return nil, nil
	}
	ids, err := c.called(p.Name)
	var with []resolve.ID
	for _, id := range ids {
		if o := c.packages[id]; o.Arch != noarch && is64(o.Arch) != is64(c.options.Machine) {
			with = append(with, id)
		}
	}
	if err != nil || len(with) == 0 {
		return nil, err
	}
	return []resolve.Conflict{{Text: "cannot be installed beside another package of its name", With: with}}, nil
}

// reached returns the packages that the requests could bring in, by relations
// of every kind and with every choice: libsolv asks only among these whether
// an architecture is inferior. It looks at thousands of packages and is asked
// for only where a repository has two architectures of a name in different
// versions.
func (c *Catalogue) reached() (map[resolve.ID]bool, error) {
	if c.reachable != nil {
		return c.reachable, nil
	}
	var err error
	if c.reachable, err = c.unrestricted().reach(c.roots); err != nil {
		return nil, err
	}
	return c.reachable, nil
}

// unrestricted returns a catalogue of the same packages in which none is
// excluded: excluded ones count for libsolv when it asks what is in reach.
func (c *Catalogue) unrestricted() *Catalogue {
	repositories := make([]*Repository, len(c.repositories))
	for i, r := range c.repositories {
		plain := *r
		plain.Exclude, plain.Include, plain.Modules = nil, nil, nil
		repositories[i] = &plain
	}
	return newCatalogue(c.ctx, repositories, c.options)
}

// reach returns the packages that some packages could bring in, and these.
func (c *Catalogue) reach(todo []resolve.ID) (map[resolve.ID]bool, error) {
	reachable := map[resolve.ID]bool{}
	todo = slices.Clone(todo)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if reachable[id] {
			continue
		}
		reachable[id] = true
		p, err := c.find(id)
		if err != nil {
			return nil, err
		}
		for _, r := range p.Requires {
			options, err := c.alternatives(id, r)
			if err != nil {
				return nil, err
			}
			todo = append(todo, options...)
		}
		for _, r := range slices.Concat(p.Recommends, p.Suggests) {
			for _, leaf := range leaves(r) {
				fits, _, err := c.providing(leaf)
				if err != nil {
					return nil, err
				}
				todo = append(todo, fits...)
			}
		}
		more, err := c.drawn(p)
		if err != nil {
			return nil, err
		}
		todo = append(todo, more...)
	}
	return reachable, nil
}

// alternatives returns the packages that a requirement of a package may bring
// in, none where the package meets it by itself.
func (c *Catalogue) alternatives(id resolve.ID, r relation.Relation) ([]resolve.ID, error) {
	rich := relation.Rich{Relation: r}
	if relation.IsRich(r.Name) {
		var err error
		if rich, err = relation.ParseRich(r.Name); err != nil {
			return nil, err
		}
	}
	clauses, err := c.normal(rich, false)
	if err != nil {
		return nil, fmt.Errorf("rich dependency %.200s: %w", r.Name, err)
	}
	var all []resolve.ID
	for _, clause := range clauses {
		if !slices.Contains(clause.any, id) {
			all = append(all, clause.any...)
		}
	}
	return all, nil
}

// drawn returns the packages that come in sight with p without a relation of
// its own: those that supplement or enhance it, and its like of a better
// architecture.
func (c *Catalogue) drawn(p *offered) ([]resolve.ID, error) {
	var all []resolve.ID
	for _, r := range append([]relation.Relation{{Name: p.Name}}, p.Provides...) {
		for _, key := range []string{keySupplement, keyEnhance} {
			found, err := c.keyed(key + r.Name)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	ids, err := c.called(p.Name)
	for _, id := range ids {
		if o := c.packages[id]; o.EVR == p.EVR && o.rank < p.rank {
			all = append(all, id)
		}
	}
	return all, err
}
