package watch

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
)

// A Holder is a package that holds a path.
type Holder struct {
	// Path is where the package has it: /usr/bin/sed for /bin/sed.
	Path string
	// Package is its name; "" where the source has no packages.
	Package string
	// Offered reports whether the package is among those that the image was
	// made from.
	Offered bool
}

// Packages knows what packages hold.
type Packages interface {
	// Holders returns who holds each of some absolute paths. Paths that nothing
	// holds are not in the result. The paths come in the order of their
	// importance; where the effort has a bound, the first count.
	Holders(ctx context.Context, paths []string) (map[string][]Holder, error)
}

// A Miss is something that a program looked for and did not find.
type Miss struct {
	Kind Kind
	// Name is what was looked for: a path, or the name of a command, library or
	// module.
	Name string
	// By is the executable that looked for it, "" where only a message tells.
	By string
	// Mentioned reports whether the program said so itself.
	Mentioned bool
	// Optional reports whether programs look for it and do well without.
	Optional bool
	// Holders hold it.
	Holders []Holder

	// paths are where it was or may be looked for; order is that of the calls,
	// the last one first.
	paths []string
	order int
}

// Likely reports whether a miss may be why the program failed.
func (m Miss) Likely() bool {
	switch {
	case m.Optional:
		return false
	case m.Mentioned:
		return true
	case m.Kind == Unwritable:
		return true
	}
	return len(m.Holders) > 0 && (m.Kind == Command || m.Kind == Library || m.Holders[0].Offered)
}

// rank orders misses: the likely ones first.
func (m Miss) rank() int {
	held := len(m.Holders) > 0
	switch {
	case m.Optional:
		return 9
	case m.Mentioned && (held || m.Kind == Unwritable):
		return 0
	case m.Kind == Command && held, m.Kind == Library && held:
		return 1
	case m.Mentioned:
		return 2
	case held && m.Holders[0].Offered:
		return 3
	case m.Kind == Unwritable:
		return 4
	case held:
		return 5
	}
	return 6
}

// A Setting is what decides the meaning of calls: the search path for
// commands, and the home directory.
type Setting struct {
	Path []string
	Home string
	// Modules are the directories in which Python looks for modules.
	Modules []string
}

// Report returns what was looked for and not found, the likely causes of a
// failure first: from the calls (the last one first) and what the program
// printed. packages may be nil. The report is useful with an error too, which
// tells why packages were not asked.
func Report(ctx context.Context, calls []Call, printed string, s Setting, packages Packages) ([]Miss, error) {
	misses := s.group(calls)
	misses = s.mention(misses, Mentions(printed))
	sort(misses)
	var err error
	if packages != nil {
		err = hold(ctx, misses, packages)
	}
	sort(misses)
	return misses, err
}

func sort(misses []Miss) {
	slices.SortStableFunc(misses, func(a, b Miss) int {
		return cmp.Or(a.rank()-b.rank(), a.order-b.order, strings.Compare(a.Name, b.Name))
	})
}

// hold asks packages who holds what was missed.
func hold(ctx context.Context, misses []Miss, packages Packages) error {
	var paths []string
	for _, m := range misses {
		if !m.Optional && m.Kind != Unwritable {
			paths = append(paths, m.paths...)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	holders, err := packages.Holders(ctx, paths)
	for i := range misses {
		for _, name := range misses[i].paths {
			if misses[i].Kind != Unwritable {
				misses[i].Holders = append(misses[i].Holders, holders[name]...)
			}
		}
		slices.SortStableFunc(misses[i].Holders, func(a, b Holder) int {
			if a.Offered != b.Offered {
				return map[bool]int{true: -1, false: 1}[a.Offered]
			}
			return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Path, b.Path))
		})
		misses[i].Holders = slices.Compact(misses[i].Holders)
	}
	return err
}

// group joins the calls that look for one thing in several directories. What
// was found in one of them in the end was not missed.
func (s Setting) group(calls []Call) []Miss {
	found, stems := map[[2]string]bool{}, map[string]bool{}
	for _, c := range calls {
		if c.Outcome == Found {
			found[[2]string{c.Program, searched(c.Path)}] = true
			stems[stem(c.Path)] = true
		}
	}
	at := map[[3]string]int{}
	var misses []Miss
	for i, c := range calls {
		name := searched(c.Path)
		if c.Outcome == Found || c.Outcome == Missing && (found[[2]string{c.Program, name}] || stems[stem(c.Path)]) {
			continue
		}
		kind := s.kind(c)
		key := [3]string{c.Program, name, string(rune(kind))}
		if kind == Unwritable {
			key[1] = c.Path
		}
		k, known := at[key]
		if !known {
			k = len(misses)
			at[key] = k
			misses = append(misses, Miss{Kind: kind, Name: named(kind, c.Path), By: c.Program, order: i, Optional: s.optional(c.Path)})
		}
		misses[k].Optional = misses[k].Optional && s.optional(c.Path)
		misses[k].paths = append(misses[k].paths, c.Path)
	}
	for i := range misses {
		if m := &misses[i]; m.Kind == Command {
			m.paths = []string{"/usr/bin/" + m.Name, "/usr/sbin/" + m.Name}
		}
		slices.Sort(misses[i].paths) // the same whatever the order of threads
	}
	return misses
}

// named is how something is called: commands and libraries by their name.
func named(kind Kind, name string) string {
	if kind == Command || kind == Library {
		return path.Base(name)
	}
	return name
}

func (s Setting) kind(c Call) Kind {
	base := path.Base(c.Path)
	switch {
	case c.Intent == Write: // read-only, or in a directory that is missing
		return Unwritable
	case slices.Contains(s.Path, path.Dir(c.Path)):
		return Command
	case strings.Contains(base, ".so.") || strings.HasSuffix(base, ".so") && strings.HasPrefix(base, "lib"):
		return Library
	}
	return File
}

// searched is the part of a path that a search in several directories keeps:
// the base, and the directory's name where many files have the base.
func searched(name string) string {
	base := path.Base(name)
	switch s, _, _ := strings.Cut(base, "."); s {
	case "__init__", "index", "init", "package", "main", "pkgIndex", "METADATA":
		return path.Base(path.Dir(name)) + "/" + base
	}
	return base
}

// mention marks what a program said it misses, and adds what no call looked
// for.
func (s Setting) mention(misses []Miss, mentions []Mention) []Miss {
	for _, m := range mentions {
		known := false
		for i := range misses {
			if misses[i].is(m) {
				misses[i].Mentioned, misses[i].Optional, known = true, false, true
			}
		}
		if !known && (m.Kind == Module || m.Kind == Command || m.Kind == Library || path.IsAbs(m.Name)) && !ofKernel(m.Name) {
			misses = append(misses, Miss{Kind: m.Kind, Name: m.Name, Mentioned: true, paths: s.places(m)})
		}
	}
	return misses
}

// is reports whether a miss is what a program mentions.
func (m Miss) is(what Mention) bool {
	if what.Kind == Unwritable || m.Kind == Unwritable {
		return what.Kind == m.Kind && (what.Name == m.Name)
	}
	if what.Kind == Module {
		return false
	}
	return m.Name == what.Name || slices.ContainsFunc(m.paths, func(p string) bool {
		// Ruby, Node and Lua leave out the directory and the extension.
		return p == what.Name || strings.HasSuffix(p, "/"+what.Name) || strings.HasSuffix(stem(p), "/"+strings.ReplaceAll(what.Name, ".", "/"))
	})
}

// places are where packages may have what was mentioned.
func (s Setting) places(m Mention) []string {
	switch m.Kind {
	case Command:
		return []string{"/usr/bin/" + m.Name, "/usr/sbin/" + m.Name}
	case Library:
		return []string{m.Name}
	case Module:
		var all []string
		inside := strings.ReplaceAll(m.Name, ".", "/")
		for _, dir := range s.Modules {
			all = append(all, path.Join(dir, inside, "__init__.py"), path.Join(dir, inside)+".py")
		}
		return all
	}
	return []string{path.Clean(m.Name)}
}

// optional reports whether programs look for a path without needing it: what C
// libraries, interpreters and their caches probe, and a user's own settings.
func (s Setting) optional(name string) bool {
	base := path.Base(name)
	switch base {
	case "ld.so.preload", "ld.so.cache", "ld-musl-x86_64.path", "nscd", "socket", "localtime", "locale-archive", "locale.alias",
		"gconv-modules.cache", "gconv-modules", "pyvenv.cfg", "pybuilddir.txt", "gai.conf", "host.conf", "nsswitch.conf", "terminfo.src",
		"sitecustomize", "usercustomize", "inputrc", "charset.alias", "tls", "__pycache__", "Setup.local", "dist-packages", "site-packages":
		return true
	}
	for _, suffix := range []string{".pyc", ".mo", ".zip", "._pth", ".pth"} {
		if strings.HasSuffix(base, suffix) {
			return true
		}
	}
	for _, part := range []string{"/locale/", "/glibc-hwcaps/", "/__pycache__/", "sitecustomize", "usercustomize", "/usr/local/", "/.terminfo", "/gconv/"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	if s.Home != "" && s.Home != "/" && (name == s.Home || strings.HasPrefix(name, s.Home+"/")) {
		return true
	}
	return name == "/" || base != "" && base[0] == '.' || cpuDirectory(name)
}

// cpuDirectory reports whether a path is one that glibc's linker probes for the
// CPU (ld.so(8), "Hardware capabilities").
func cpuDirectory(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "tls", "haswell", "xeon_phi", "avx512_1", "x86_64":
			return true
		}
	}
	return false
}
