package closure

import (
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/elf"
	"smith/internal/elf/debuginfo"
	"smith/internal/elf/loader"
	"smith/internal/tree"
	"smith/record"
)

// An Image is a file tree as a container sees it, and how it is run.
type Image struct {
	Tree *tree.Tree
	// Commands are further programs that must run.
	Commands []Command
	// Env, Entrypoint, Mounts, Platform and AllowMissing are as in Input.
	Env, Entrypoint, Mounts []string
	Platform                ocispec.Platform
	AllowMissing            []string
	// Dir is the folder in which the program is started, "" for "/".
	Dir string
	// Excluded are the names that are missing because they were left out.
	Excluded []string
	// Reasons are the record's, by path; nil where there is no record.
	Reasons map[string][]record.Reason
}

// A Verdict is what Check found.
type Verdict struct {
	// Problems are what refuses the image, sorted.
	Problems []Problem
	// Excluded is what is missing and Excluded accepts.
	Excluded []record.Finding
	// Allowed is what is missing and AllowMissing accepts.
	Allowed []record.Finding
	// Unneeded are the names in AllowMissing that accepted nothing.
	Unneeded []string
	// Warnings are sorted.
	Warnings []string
}

// Check says whether every file of an image finds in the image what it needs:
// each interpreter, needed library, symbol version, "#!" program and link
// target, and the entry point itself. Links into folders that are filled when
// a container starts are left alone. It works on any image, whoever built it;
// it fails only where the image cannot be read.
func Check(ctx context.Context, img Image) (*Verdict, error) {
	c := newChecker(img)
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return c.verdict(), nil
}

// A checker is one check under way. Select sets the functions to what it knows
// beyond the image.
type checker struct {
	img    Image
	loader *loader.Loader
	// subject says whether a node is to be checked.
	subject func(*tree.Node) bool
	// harmless says that a link that leads nowhere does so in the source too,
	// and that nobody asked for it by name.
	harmless func(link *tree.Node) bool

	files, links []*tree.Node
	headers      map[*tree.Node]*elf.File
	loaded       map[*tree.Node]bool  // as a library of some program
	provided     map[string]string    // names under which a library is in the image → its path
	displaced    map[string][]Problem // libraries that are not where some objects search, by path
	astray       []*tree.Node         // harmless links that lead nowhere
	problems     map[string]Problem   // by name and asker
	warnings     map[string]bool
}

func newChecker(img Image) *checker {
	c := &checker{
		img: img, loader: loader.New(img.Tree, loader.Options{Env: img.Env, Dir: img.Dir}),
		subject: func(*tree.Node) bool { return true },
		headers: map[*tree.Node]*elf.File{}, loaded: map[*tree.Node]bool{}, provided: map[string]string{},
		displaced: map[string][]Problem{}, problems: map[string]Problem{}, warnings: map[string]bool{},
	}
	c.harmless = c.broughtByFolder
	return c
}

// broughtByFolder says of an image with a record whether only a path of the
// spec brought a link: its build has judged it. Without a record nobody knows
// that anything needs the link.
func (c *checker) broughtByFolder(link *tree.Node) bool {
	for _, r := range c.img.Reasons[link.Path()] {
		if r.Rule != record.RulePath {
			return false
		}
	}
	return true
}

func (c *checker) run(ctx context.Context) error {
	if err := c.collect(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{c.read, c.programs, c.libraries, c.dlopenNotes, c.scripts} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := c.symlinks(); err != nil {
		return err
	}
	c.gather()
	for _, command := range commands(c.img.Entrypoint, c.img.Commands) {
		if err := c.runnable(command); err != nil {
			return err
		}
	}
	return nil
}

// collect lists what is to be checked.
func (c *checker) collect() error {
	return c.img.Tree.Walk(func(n *tree.Node) error {
		if !c.subject(n) {
			return nil
		}
		switch n.Kind {
		case tree.File:
			if debuginfo.Holds(n.Path()) {
				return nil // its headers are those of the file that it tells of
			}
			c.files = append(c.files, n)
		case tree.Symlink:
			c.links = append(c.links, n)
		}
		return nil
	})
}

// each calls fn for every node, several at once.
func each(ctx context.Context, nodes []*tree.Node, fn func(i int, n *tree.Node) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range nodes {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return fn(i, n)
		})
	}
	return group.Wait()
}

// read reads the headers of all ELF files.
func (c *checker) read(ctx context.Context) error {
	headers, failed := make([]*elf.File, len(c.files)), make([]error, len(c.files))
	err := each(ctx, c.files, func(i int, n *tree.Node) error {
		headers[i], failed[i] = c.loader.ELF(n)
		return nil
	})
	if err != nil {
		return err
	}
	for i, n := range c.files {
		switch {
		case failed[i] == nil:
			c.headers[n] = headers[i]
			c.provided[n.Name()] = n.Path()
			if name := headers[i].Soname; name != "" {
				c.provided[name] = n.Path()
			}
		case !errors.Is(failed[i], elf.ErrNotELF):
			c.warnings[failed[i].Error()] = true
		}
	}
	return nil
}

// programs loads every program as its dynamic linker would.
func (c *checker) programs(ctx context.Context) error {
	return c.load(ctx, func(n *tree.Node, f *elf.File) bool { return f.Interpreter != "" }, c.missing)
}

// libraries loads the shared objects that no program loads at its start: what
// programs open by name. A library that such an object lacks on its own path,
// and that the image holds elsewhere, may have been loaded before it by the
// program: a warning.
func (c *checker) libraries(ctx context.Context) error {
	alone := func(n *tree.Node, f *elf.File) bool { return f.Interpreter == "" && f.Dynamic && !c.loaded[n] }
	err := c.load(ctx, alone, func(m loader.Missing, asker string) {
		if at, ok := c.provided[m.Name]; ok && m.Kind != loader.Linker {
			c.displaced[at] = append(c.displaced[at], Problem{Name: m.Name, From: asker, Searched: m.Searched})
			return
		}
		c.missing(m, asker)
	})
	return err
}

// load loads the ELF files that want accepts, and reports what they lack.
func (c *checker) load(ctx context.Context, want func(*tree.Node, *elf.File) bool, missing func(m loader.Missing, asker string)) error {
	var nodes []*tree.Node
	for _, n := range c.files {
		if f := c.headers[n]; f != nil && want(n, f) {
			nodes = append(nodes, n)
		}
	}
	processes := make([]*loader.Process, len(nodes))
	err := each(ctx, nodes, func(i int, n *tree.Node) (err error) {
		processes[i], err = c.loader.Load(ctx, n.Path())
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range processes {
		realPath := realPaths(p)
		for _, l := range p.Libraries {
			c.loaded[l.Node] = true
		}
		for _, m := range p.Missing {
			missing(m, realPath(m.NeededBy))
		}
		for _, v := range p.Versions {
			c.version(v, realPath(v.NeededBy))
		}
	}
	return nil
}

// realPaths returns a function from the paths at which a process opened its
// objects to where those are.
func realPaths(p *loader.Process) func(string) string {
	places := map[string]string{}
	for _, l := range p.Libraries {
		places[l.Path] = l.Node.Path()
	}
	return func(name string) string {
		if at, ok := places[name]; ok {
			return at
		}
		return name
	}
}

// missing reports an object that a linker does not find.
func (c *checker) missing(m loader.Missing, asker string) {
	p := Problem{Name: m.Name, From: asker, Text: "not found", Searched: m.Searched}
	if m.Reason != "" {
		p.Text += ": " + m.Reason
	}
	if m.Kind == loader.Linker {
		p.Text, p.Searched = "the interpreter is not there", nil
	}
	if !m.Fatal() {
		c.warnings[asker+" asks for "+m.Name+" ("+string(m.Kind)+"), which is not there; it goes on without"] = true
		return
	}
	c.problem(p)
}

// version reports a symbol version that a library does not define.
func (c *checker) version(v loader.VersionError, asker string) {
	if v.Weak {
		c.warnings[asker+" could use "+v.Version+", which "+v.Library+" does not define"] = true
		return
	}
	if v.Absent {
		c.problem(Problem{
			Name: v.Library, From: asker,
			Text: "not loaded, although " + asker + " needs symbol versions of it: glibc aborts (Assertion 'needed != NULL' failed); DT_NEEDED lacks the library",
		})
		return
	}
	c.problem(Problem{
		Name: v.Version, From: asker,
		Text: "not defined by " + v.Library + ": the two are not of the same distribution or release",
	})
}

// problem adds a problem; of several with the same asker and name the first counts.
func (c *checker) problem(p Problem) {
	key := p.From + "\x00" + p.Name
	if _, known := c.problems[key]; known {
		return
	}
	if p.From != "" {
		p.Chain, p.Root = chain(func(name string) []record.Reason { return c.img.Reasons[name] }, p.From)
	}
	c.problems[key] = p
}

// verdict sorts the problems into those that are accepted and those that are not.
func (c *checker) verdict() *Verdict {
	v := &Verdict{}
	used := map[string]bool{}
	for _, key := range sortedKeys(c.problems) {
		p := c.problems[key]
		if !p.runs && slices.Contains(c.img.Excluded, p.Name) {
			v.Excluded = append(v.Excluded, p.finding())
			continue
		}
		if name, ok := allowed(c.img.AllowMissing, p.Name); ok {
			used[name] = true
			v.Allowed = append(v.Allowed, p.finding())
			continue
		}
		v.Problems = append(v.Problems, p)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(c.img.AllowMissing))) {
		if !used[name] {
			v.Unneeded = append(v.Unneeded, name)
		}
	}
	v.Warnings = sortedKeys(c.warnings)
	return v
}

// allowed returns the entry of AllowMissing that accepts a name.
func allowed(list []string, name string) (string, bool) {
	for _, a := range list {
		if a == name || tree.Match(a, name) || (strings.HasPrefix(name, "/") && path.Clean(a) == path.Clean(name)) {
			return a, true
		}
	}
	return "", false
}
