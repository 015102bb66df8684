package closure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/elf"
	"smith/internal/enumerate"
	"smith/internal/program"
	"smith/internal/tree"
)

// scripts checks that what "#!" lines name is there and may be executed.
func (c *checker) scripts(context.Context) error {
	entry := c.entryNode()
	for _, n := range c.files {
		if c.headers[n] != nil || (!n.Executable() && n != entry) {
			continue
		}
		line, err := program.Shebang(n)
		if err != nil {
			return err
		}
		if line != "" {
			c.script(n, line)
		}
	}
	return nil
}

func (c *checker) script(n *tree.Node, line string) {
	for _, cmd := range program.Interpreters(line, c.img.Env) {
		if cmd.Search {
			if at, searched := program.Find(c.img.Tree, cmd.Env, "", cmd.Program); at == "" {
				c.noProgram(n, Problem{Name: cmd.Program, From: n.Path(), Text: "not found in PATH" + envHint(cmd.Program), Searched: searched})
			}
			continue
		}
		at, err := c.img.Tree.Resolve(cmd.Program)
		if err == nil && at.Node.Executable() {
			continue
		}
		text := fmt.Sprintf("not found, named after #! as %q", cmd.Program)
		if err == nil {
			text = "named after #!, but not executable"
		}
		c.noProgram(n, Problem{Name: tree.Clean(cmd.Program), From: n.Path(), Text: text})
	}
}

// noProgram reports that a script's program is missing. A module of an
// interpreter's library is read by that interpreter: where it begins with "#!"
// and may be executed, as some of Python's own are, that is a leftover.
func (c *checker) noProgram(n *tree.Node, p Problem) {
	if isModule(n.Path()) && n != c.entryNode() {
		return
	}
	c.problem(p)
}

// isModule says whether a path is that of a module in the library of Python,
// Perl or Ruby.
func isModule(name string) bool {
	for _, pattern := range []string{"/**/python[0-9]*/**/*.py", "/**/perl*/**/*.p[lm]", "/**/ruby/**/*.rb"} {
		if tree.Match(pattern, name) {
			return true
		}
	}
	return false
}

// envHint explains the commonest mistake in a line for env.
func envHint(program string) string {
	if strings.ContainsAny(program, " \t") {
		return ": the kernel hands the rest of the line over as one argument, env -S splits it"
	}
	return ""
}

// symlinks checks that links lead somewhere.
func (c *checker) symlinks() error {
	for _, n := range c.links {
		_, err := c.img.Tree.Resolve(n.Path())
		if err == nil {
			continue
		}
		var gone *tree.PathError
		if !errors.As(err, &gone) {
			return err
		}
		if filledAtRunTime(gone.At, c.img.Mounts) {
			continue
		}
		target := tree.Clean(linkTarget(n))
		if c.harmless(n) {
			c.astray = append(c.astray, n)
			continue
		}
		c.problem(Problem{Name: target, From: n.Path(), Text: "the link leads nowhere: " + reason(gone)})
	}
	return nil
}

// gather makes one warning of what was met many times, as in a folder of a
// package.
func (c *checker) gather() {
	switch len(c.astray) {
	case 0:
	case 1:
		c.warnings[c.astray[0].Path()+" is a symlink to "+c.astray[0].Link+", which does not exist"+bundleHint(c.astray)] = true
	default:
		var links []string
		for _, n := range c.astray {
			links = append(links, n.Path()+" → "+n.Link)
		}
		c.warnings[fmt.Sprintf("%d symlinks are dangling: %s", len(links), enumerate.Sentence(links, mostNamed))+bundleHint(c.astray)] = true
	}
	for at, list := range c.displaced {
		if loadsBefore(c.files, list[0].Name) {
			continue
		}
		var askers []string
		for _, p := range list {
			askers = append(askers, p.From)
		}
		slices.Sort(askers)
		text := list[0].From + " needs " + list[0].Name + ", which is not where it is searched (" + strings.Join(list[0].Searched, ", ") + "): it works"
		if askers = slices.Compact(askers); len(askers) > 1 {
			text = enumerate.Sentence(askers, mostNamed) + " need " + list[0].Name + ", which is not where they search: they work"
		}
		c.warnings[text+" in a program that has loaded "+at+" before"] = true
	}
}

// mostNamed is how many files a warning names.
const mostNamed = 3

func reason(e *tree.PathError) string {
	return strings.TrimPrefix((&tree.PathError{Path: e.At, At: e.At, Err: e.Err}).Error(), e.Path+": ")
}

// filledAtRunTime says whether a path lies in a folder that every container
// gets when it starts.
func filledAtRunTime(name string, mounts []string) bool {
	for _, dir := range append([]string{"/dev", "/proc", "/sys", "/run", "/read", "/write", "/tmp"}, mounts...) {
		dir = path.Clean("/" + dir)
		if dir != "/" && (name == dir || strings.HasPrefix(name, dir+"/")) {
			return true
		}
	}
	return false
}

// entryNode returns the file of the entry point, or nil.
func (c *checker) entryNode() *tree.Node {
	if len(c.img.Entrypoint) == 0 {
		return nil
	}
	return c.nodeOf(c.img.Entrypoint[0])
}

// leftOut reports whether a program is missing because it was excluded.
func (c *checker) leftOut(program string) bool {
	return slices.ContainsFunc(c.img.Excluded, func(name string) bool { return path.Base(name) == path.Base(program) })
}

// nodeOf returns the file of a program, or nil.
func (c *checker) nodeOf(command string) *tree.Node {
	name, _ := program.Find(c.img.Tree, c.img.Env, c.img.Dir, command)
	at, err := c.img.Tree.Resolve(name)
	if name == "" || err != nil {
		return nil
	}
	return at.Node
}

// runnable checks a program that the image runs: it exists, is executable, and
// of the image's architecture.
func (c *checker) runnable(command Command) error {
	name := command.Name
	fail := func(text string, searched []string) {
		if c.leftOut(name) {
			text, searched = "excludes leaves it out", nil
		}
		c.problem(Problem{Name: name, Text: command.Detail + " " + name + ": " + text, Searched: searched, runs: true})
	}
	at, searched := program.Find(c.img.Tree, c.img.Env, c.img.Dir, name)
	if at == "" {
		fail("not found in PATH", searched)
		return nil
	}
	if filledAtRunTime(at, c.img.Mounts) {
		return nil
	}
	n := c.nodeOf(name)
	switch {
	case n == nil:
		fail("not found", nil)
	case n.Kind == tree.Dir:
		fail("it is a folder, not a file", nil)
	case n.Kind != tree.File:
		fail("it is a "+n.Kind.String()+", not a file", nil)
	case !n.Executable():
		fail("it is not executable", nil)
	default:
		return c.entryFormat(n, fail)
	}
	return nil
}

// entryFormat checks that the kernel can execute a file.
func (c *checker) entryFormat(n *tree.Node, fail func(string, []string)) error {
	f, err := c.loader.ELF(n)
	if errors.Is(err, elf.ErrNotELF) {
		line, err := program.Shebang(n)
		if line == "" && err == nil {
			fail("it is neither an ELF program nor a script that begins with #!", nil)
		}
		return err
	}
	if err != nil {
		fail(err.Error(), nil)
		return nil
	}
	want := c.img.Platform.Architecture
	if have, _ := f.Platform(); want != "" && have != want {
		if have == "" {
			have = f.Machine.String()
		}
		fail("it is a program for "+have+", and the image is for "+want, nil)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
