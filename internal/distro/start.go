package distro

import (
	"path"
	"slices"
	"strings"

	"smith/internal/distro/service"
	"smith/internal/tree"
)

// Main returns the programs of packages that may be the one to run: exactly one
// where the evidence is clear, else all of the first package asked for that has
// any. The evidence, the strongest first:
//
//  1. the distribution starts the program as a server;
//  2. a package asked for holds a program by its name, or by the name that a
//     server of the package would have;
//  3. a package of the same source does;
//  4. a package asked for holds one program only.
//
// Of several packages asked for, the first with evidence of a rank wins. files is
// the tree on offer, or nil to go by the names alone: then nothing is opened,
// and whether a program is at the path is for the caller to see.
func Main(all []Holding, files *tree.Tree) []string {
	m := &choosing{all: all, files: files}
	for _, rank := range []func(Holding) string{m.server, m.namesake, m.siblings, m.single} {
		for _, h := range all {
			if !h.Own() {
				continue
			}
			if found := rank(h); found != "" {
				return []string{found}
			}
		}
	}
	for _, h := range all {
		if found := m.programs(h); h.Own() && len(found) > 0 {
			return found
		}
	}
	return nil
}

// choosing is the state of Main.
type choosing struct {
	all   []Holding
	files *tree.Tree
}

// group returns a package asked for, first, and those that belong to it.
func (m *choosing) group(h Holding) []Holding {
	group := []Holding{h}
	for _, other := range m.all {
		if !other.Own() && other.For.Digest == h.Digest {
			group = append(group, other)
		}
	}
	return group
}

// server returns the program that the distribution starts as a server. Where it
// starts several, it is the one that has the package's name, or whose unit has.
func (m *choosing) server(h Holding) string {
	if m.files == nil {
		return ""
	}
	group := m.group(h)
	var held, executables []string
	for _, one := range group {
		held, executables = append(held, one.Held...), append(executables, one.Programs...)
	}
	var servers []service.Service
	for _, s := range service.Find(m.files, held) {
		if !s.Once && slices.Contains(executables, s.Program) && IsProgram(m.files, s.Program) {
			servers = append(servers, s)
		}
	}
	for _, want := range names(h.Name) {
		for _, s := range servers {
			if path.Base(s.Program) == want || s.Name == want {
				return s.Program
			}
		}
	}
	for _, s := range servers {
		if s.Program != servers[0].Program {
			return ""
		}
	}
	if len(servers) == 0 {
		return ""
	}
	return servers[0].Program
}

// namesake returns the package's own program that has one of the names that the
// package suggests.
func (m *choosing) namesake(h Holding) string { return m.named(h.Name, h.Programs) }

// siblings returns such a program of a package of the same source.
func (m *choosing) siblings(h Holding) string {
	var all []string
	for _, other := range m.group(h)[1:] {
		all = append(all, other.Programs...)
	}
	return m.named(h.Name, all)
}

func (m *choosing) named(name string, programs []string) string {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, want := range names(name) {
			for _, p := range programs {
				if same(path.Base(p), want) && m.executable(p) {
					return p
				}
			}
		}
	}
	return ""
}

// single returns the only program of a package.
func (m *choosing) single(h Holding) string {
	if found := m.programs(h); len(found) == 1 {
		return found[0]
	}
	return ""
}

// programs returns the programs that a package holds, without those that are
// links to others of them.
func (m *choosing) programs(h Holding) []string {
	found := slices.DeleteFunc(slices.Clone(h.Programs), func(name string) bool { return !m.executable(name) })
	if m.files == nil {
		return found
	}
	return withoutAliases(m.files, found)
}

func (m *choosing) executable(name string) bool { return m.files == nil || IsProgram(m.files, name) }

// IsProgram reports whether a path is a program that is meant to be called.
func IsProgram(t *tree.Tree, name string) bool {
	if !isProgramPath(name) {
		return false
	}
	at, err := t.Resolve(name)
	return err == nil && at.Node.Executable()
}

// withoutAliases leaves out the programs that are links to others of them.
func withoutAliases(t *tree.Tree, programs []string) []string {
	return slices.DeleteFunc(slices.Clone(programs), func(p string) bool {
		at, err := t.Resolve(p)
		return err == nil && at.Path() != p && slices.Contains(programs, at.Path())
	})
}

// names returns how the main program of a package may be called, the best name
// first: the package's name or its first word, as apache2 of apache2-bin, each
// with the d of a daemon too. For a package that calls itself a server, that
// comes first.
func names(name string) []string {
	words := strings.Split(name, "-")
	first := words[0]
	all := []string{name, name + "d"}
	if slices.Contains(words, "server") || slices.Contains(words, "daemon") {
		all = append(all, first+"d", first)
	} else {
		all = append(all, first, first+"d")
	}
	for _, word := range words {
		switch word {
		case "jre", "jdk":
			all = append(all, "java")
		case "nodejs":
			all = append(all, "node")
		}
	}
	return all
}
