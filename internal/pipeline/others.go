package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro"
	"smith/internal/enumerate"
	"smith/internal/event"
	"smith/internal/program"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// An image is for its entry point. Another program of the same packages stays
// where all that it needs is kept anyway; where it would bring packages of its
// own, as the Perl scripts beside memcached do, it is left out.

// programsAll is the value of the key programs that keeps all programs.
const programsAll = "all"

// A spared is what is left out of an image because the entry point does not
// need it.
type spared struct {
	// programs are the paths by the package that they alone would bring.
	programs map[string][]string
	patterns map[string]bool // of their roots
}

// spare works out which programs of the packages asked for would bring packages
// that nothing else needs. It is empty where the image has no entry point. What a metapackage
// stands for, the digests of standIns, is asked for beside the entry point.
func spare(ctx context.Context, r Request, in closure.Input, sel *closure.Selection, known lister, standIns map[string]bool) (spared, error) {
	out := spared{programs: map[string][]string{}, patterns: map[string]bool{}}
	if len(in.Entrypoint) == 0 || known == nil || slices.Contains(r.Spec.Programs, programsAll) || r.Spec.Dependencies == dependenciesKeep {
		return out, nil
	}
	others, err := otherPrograms(in, r.Spec.Programs)
	if err != nil || len(others) == 0 {
		return out, err
	}
	free, err := everywhere(ctx, known)
	if err != nil {
		return out, err
	}
	configured, err := configuredPrograms(in, others)
	if err != nil {
		return out, err
	}
	g := newNeeds(sel)
	base := g.reach(g.roots(others))
	main := g.origin[program.Existing(in.Source, in.Env, in.Dir, in.Entrypoint[0])]
	own, limit := map[string]bool{}, int64(0)
	for name := range base {
		own[g.origin[name]] = true
		limit += g.size[name] / 10
	}
	limit = max(limit, mostBrought)
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if base[name] || configured[name] || standIns[g.origin[name]] && g.origin[name] != main {
			continue
		}
		brings, size := map[string]int64{}, int64(0)
		for path := range g.reach([]string{name}) {
			if d := g.origin[path]; d != "" && !own[d] && !free[d] && d != g.origin[name] {
				brings[g.names[d]] += g.size[path]
				size += g.size[path]
			}
		}
		if size > limit {
			by := slices.MaxFunc(slices.Sorted(maps.Keys(brings)), func(a, b string) int { return cmp.Compare(brings[a], brings[b]) })
			out.programs[by] = append(out.programs[by], name)
			out.patterns[others[name]] = true
		}
	}
	return out, nil
}

// A lister knows the packages that a source chose.
type lister interface {
	List(ctx context.Context) ([]source.Package, error)
}

// otherPrograms returns the patterns of the roots that are programs other than
// the entry point and those that the spec names, by path.
func otherPrograms(in closure.Input, keep []string) (map[string]string, error) {
	others := map[string]string{}
	entry := program.Existing(in.Source, in.Env, in.Dir, in.Entrypoint[0])
	target, err := in.Source.Resolve(entry)
	if err != nil {
		return nil, nil //nolint:nilerr // a program of rootfs/ or of the parent
	}
	for _, r := range in.Roots {
		if !r.Part {
			continue
		}
		name := unescaped(in.Source, r.Pattern)
		if name == entry || name == target.Path() {
			continue
		}
		other, err := isOther(in.Source, name)
		if err != nil {
			return nil, err
		}
		if other && !named(keep, name) {
			others[name] = r.Pattern
		}
	}
	return others, nil
}

// shellTools are what any shell script may count on, and small: the essential
// packages of Debian and their counterparts in distributions of RPM packages.
var shellTools = []string{
	"bash", "coreutils", "coreutils-single", "coreutils-common", "findutils", "gawk", "grep", "hostname", "sed", "util-linux-core", "which",
	"glibc", "glibc-common", "filesystem", "setup",
}

// everywhere returns the digests of the packages that a program may bring
// without being left out for it. An interpreter is not among them, although
// Debian's perl-base is essential: it is what scripts beside a server bring.
func everywhere(ctx context.Context, known lister) (map[string]bool, error) {
	list, err := known.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages: %w", err)
	}
	free := map[string]bool{}
	for _, p := range list {
		if p.Essential && p.Name != "perl-base" || slices.Contains(shellTools, p.Name) {
			free[p.Digest] = true
		}
	}
	return free, nil
}

// mostBrought is how many bytes of packages of its own a program may bring, or a
// tenth of the image, without being left out: a small library is no reason to
// miss a client.
const mostBrought = 2 << 20

// maxConfigured bounds a configuration file that is searched for programs.
const maxConfigured = 256 << 10

// configuredPrograms returns those of some programs that configuration of the
// packages names by their path, as lighttpd.conf does the script that lists
// types of media.
func configuredPrograms(in closure.Input, others map[string]string) (map[string]bool, error) {
	found := map[string]bool{}
	for _, r := range in.Roots {
		name := unescaped(in.Source, r.Pattern)
		if !r.Part || !strings.HasPrefix(name, "/etc/") {
			continue
		}
		at, err := in.Source.Resolve(name)
		if err != nil || at.Node.Kind != tree.File || at.Node.Size > maxConfigured || at.Node.Executable() {
			continue
		}
		text, err := at.Node.ReadAll(maxConfigured)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		for other := range others {
			if bytes.Contains(text, []byte(other)) {
				found[other] = true
			}
		}
	}
	return found, nil
}

// named reports whether a program is among those that the spec keeps, by its
// name or as a glob over paths.
func named(keep []string, name string) bool {
	return slices.ContainsFunc(keep, func(k string) bool {
		return k == path.Base(name) || strings.Contains(k, "/") && tree.Match(tree.Clean(k), name)
	})
}

// unescaped returns the path that the literal pattern of a root stands for.
func unescaped(t *tree.Tree, pattern string) string {
	if !strings.Contains(pattern, `\`) {
		return pattern
	}
	if paths, err := t.Glob(pattern); err == nil && len(paths) == 1 {
		return paths[0]
	}
	return pattern
}

// inPath reports whether a path lies in a directory where users look for
// programs. What lies in a bin of its own, as Erlang's emulator does, is called
// by other programs.
func inPath(name string) bool {
	switch path.Dir(name) {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin", "/usr/local/sbin":
		return true
	}
	return false
}

// isOther reports whether a path is a program that a user would start: one in a
// directory of programs, or a script.
func isOther(t *tree.Tree, name string) (bool, error) {
	if inPath(name) && distro.IsProgram(t, name) {
		return true, nil
	}
	at, err := t.Resolve(name)
	if err != nil || !at.Node.Executable() {
		return false, nil //nolint:nilerr // what the source lacks is not a program of it
	}
	line, err := program.Shebang(at.Node)
	return line != "", err
}

// needs is which kept path asks for which.
type needs struct {
	of     map[string][]string
	asked  []string          // by the spec
	origin map[string]string // the digest of the package
	size   map[string]int64
	names  map[string]string // of packages, by digest
}

func newNeeds(sel *closure.Selection) needs {
	g := needs{of: map[string][]string{}, origin: map[string]string{}, size: map[string]int64{}, names: map[string]string{}}
	for name, reasons := range sel.Files {
		for _, r := range reasons {
			switch {
			case r.From == "":
				g.asked = append(g.asked, name)
			case r.Rule != record.RuleWay:
				g.of[r.From] = append(g.of[r.From], name)
			}
		}
		if at, err := sel.Tree.Lookup(name); err == nil && at.Node.Kind != tree.Dir && at.Node.Origin != nil {
			d := at.Node.Origin.Digest
			g.size[name] = at.Node.Size
			g.origin[name], g.names[d] = d, at.Node.Origin.Package.Name
		}
	}
	return g
}

// roots are the paths that the spec asks for, but for others.
func (g needs) roots(others map[string]string) []string {
	return slices.DeleteFunc(slices.Clone(g.asked), func(name string) bool { return others[name] != "" })
}

// reach returns the paths that some need, and these.
func (g needs) reach(from []string) map[string]bool {
	reached := map[string]bool{}
	for queue := slices.Clone(from); len(queue) > 0; {
		name := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if reached[name] {
			continue
		}
		reached[name] = true
		queue = append(queue, g.of[name]...)
	}
	return reached
}

// mostSpared is how many programs one line names.
const mostSpared = 4

// tell warns of what a selection does not hold.
func (s spared) tell(sel *closure.Selection, events event.Listener) *closure.Selection {
	for _, text := range s.warnings() {
		events.Warn(text)
		sel.Warnings = append(sel.Warnings, text)
	}
	slices.Sort(sel.Warnings)
	return sel
}

// warnings tell of what is left out, and of the key that keeps it.
func (s spared) warnings() []string {
	var texts []string
	for _, by := range slices.Sorted(maps.Keys(s.programs)) {
		names := s.programs[by]
		verb := "needs"
		if len(names) > 1 {
			verb = "need"
		}
		texts = append(texts, fmt.Sprintf("left out %s, which %s %s and the entry point does not; programs: [%s] keeps it",
			enumerate.Brief(names, mostSpared), verb, by, path.Base(names[0])))
	}
	return texts
}

// without returns roots without those that are left out.
func (s spared) without(roots []closure.Root) []closure.Root {
	return slices.DeleteFunc(slices.Clone(roots), func(r closure.Root) bool { return r.Part && s.patterns[r.Pattern] })
}
