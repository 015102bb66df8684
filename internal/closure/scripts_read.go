package closure

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/lua"
	"smith/internal/closure/imports/node"
	"smith/internal/closure/imports/perl"
	"smith/internal/closure/imports/php"
	"smith/internal/closure/imports/python"
	"smith/internal/closure/imports/ruby"
	"smith/internal/closure/imports/shell"
	"smith/internal/closure/imports/tcl"
	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// A dialect is a language whose scripts are read for what they import and run.
type dialect struct {
	name string
	// suffixes are those of its modules' names, program matches the name of its
	// interpreter.
	suffixes []string
	program  *regexp.Regexp
	read     func(src []byte) []imports.Reference
	// paths are globs of the directories in which its modules are looked for, in
	// their order; variable is that of the environment which names more.
	paths    []string
	variable string
	// find returns what a module or a file of this language leads to.
	find func(q *query, ref imports.Reference) ([]target, error)
}

// dialects, with the manuals that say where modules are looked for. /usr/lib/*
// stands for Debian's multiarch directories.
func dialects() []*dialect {
	return []*dialect{
		{ // The Python Tutorial, "The Module Search Path"; Debian Python Policy, "Module Path"
			name: "python", suffixes: []string{".py"}, program: regexp.MustCompile(`^python[0-9.]*$`), read: python.Read, variable: "PYTHONPATH",
			paths: []string{
				"/usr/{lib,lib64}/python[0-9].[0-9]*", "/usr/{lib,lib64}/python[0-9].[0-9]*/lib-dynload",
				"/usr/local/{lib,lib64}/python[0-9].[0-9]*", "/usr/local/{lib,lib64}/python[0-9].[0-9]*/lib-dynload",
				"/usr/local/lib/python[0-9].[0-9]*/dist-packages", "/usr/lib/python[0-9]/dist-packages", "/usr/lib/python[0-9].[0-9]*/dist-packages",
				"/usr/local/{lib,lib64}/python[0-9].[0-9]*/site-packages", "/usr/{lib,lib64}/python[0-9].[0-9]*/site-packages",
			},
			find: findPython,
		},
		{ // perlvar(1) @INC, as Debian, Fedora and Alpine build perl
			name: "perl", suffixes: []string{".pm", ".pl", ".al", ".PL"}, program: regexp.MustCompile(`^perl[0-9.]*$`), read: perl.Read, variable: "PERL5LIB",
			paths: []string{
				"/etc/perl", "/usr/local/lib/*/perl/5.*", "/usr/local/share/perl/5.*", "/usr/lib/*/perl5/5.*", "/usr/share/perl5",
				"/usr/lib/*/perl-base", "/usr/lib/*/perl/5.*", "/usr/share/perl/5.*", "/usr/local/{lib64,share}/perl5{/5.*,}",
				"/usr/{lib64,share}/perl5/vendor_perl", "/usr/lib64/perl5", "/usr/lib/perl5/{site,vendor,core}_perl", "/usr/share/perl5/{vendor,core}_perl",
			},
			find: findPerl,
		},
		{ // Kernel#require; RbConfig's vendordir and sitedir of the distributions
			name: "ruby", suffixes: []string{".rb"}, program: regexp.MustCompile(`^ruby[0-9.]*$`), read: ruby.Read, variable: "RUBYLIB",
			paths: []string{
				"/usr/local/lib/site_ruby{/[0-9]*,}", "/usr/lib/ruby/vendor_ruby{/[0-9]*,}", "/usr/lib/*/ruby/vendor_ruby/[0-9]*", "/usr/{lib,lib64,share}/ruby/vendor_ruby",
				"/usr/{lib,lib64}/ruby/[0-9]*", "/usr/lib/*/ruby/[0-9]*", "/usr/share/{ruby,rubygems}", "/usr/lib64/ruby",
			},
			find: findRuby,
		},
		{ // Lua Reference Manual, LUA_PATH_DEFAULT
			name: "lua", suffixes: []string{".lua"}, program: regexp.MustCompile(`^lua(jit)?[0-9.]*$`), read: lua.Read,
			paths: []string{"/usr/local/{share,lib}/lua/5.[0-9]", "/usr/share/lua/5.[0-9]", "/usr/lib/*/lua/5.[0-9]", "/usr/{lib,lib64}/lua/5.[0-9]", "/usr/share/lua/common"},
			find:  findLua,
		},
		{ // tclvars(n), auto_path and tcl_pkgPath; tm(n)
			name: "tcl", suffixes: []string{".tcl", ".tm"}, program: regexp.MustCompile(`^(tclsh|wish|expect)[0-9.]*$`), read: tcl.Read, variable: "TCLLIBPATH",
			paths: []string{"/usr/{lib,lib64,share}/tcl{tk,8,8.*,9*}", "/usr/share/tcltk/tcl[0-9]*", "/usr/lib/*/{tcltk,tcl8.*}", "/usr/lib/tcltk/*", "/usr/{lib,lib64,share}", "/usr/lib/*-linux-*"},
			find:  findTcl,
		},
		{ // Node.js, "Loading from node_modules folders"; Debian's node looks into its own directories too
			name: "node", suffixes: []string{".js", ".cjs", ".mjs"}, program: regexp.MustCompile(`^node(js)?$`), read: node.Read, variable: "NODE_PATH",
			paths: []string{"/usr/lib/*/nodejs", "/usr/lib/nodejs", "/usr/share/nodejs", "/usr/{local/,}{lib,share}/node_modules"},
			find:  findNode,
		},
		{ // PHP Manual, include_path
			name: "php", suffixes: []string{".php", ".phtml"}, program: regexp.MustCompile(`^php[0-9.]*$`), read: php.Read,
			paths: []string{"/usr/share/php", "/usr/share/pear"},
			find:  findPHP,
		},
		{ // sh(1)
			name: "shell", suffixes: []string{".sh"}, program: regexp.MustCompile(`^(sh|bash|dash|ksh|ash|mksh)$`),
			find: findSourced,
		},
	}
}

// A moduleMemory is what a selection remembers of the modules of scripts.
type moduleMemory struct {
	dialects []*dialect
	mu       sync.Mutex
	paths    map[string][]string // directories by dialect
	found    map[string][]target // by dialect and module
	held     map[record.Origin][]string
}

func newModules() *moduleMemory {
	return &moduleMemory{dialects: dialects(), paths: map[string][]string{}, found: map[string][]target{}, held: map[record.Origin][]string{}}
}

// dialect returns the language that a file is to be read in, nil where it is no
// script. Modules have suffixes; programs, as which only what may be executed
// counts, say it in their first line.
func (s *selector) dialect(it *item) (*dialect, error) {
	for _, d := range s.modules.dialects {
		if it.dialect == d.name || slices.Contains(d.suffixes, path.Ext(it.path)) {
			return d, nil
		}
	}
	if !it.node.Executable() && !s.isEntry(it.node) {
		return nil, nil
	}
	line, err := program.Shebang(it.node)
	if line == "" || err != nil {
		return nil, err
	}
	for _, c := range program.Interpreters(line, s.in.Env) {
		for _, d := range s.modules.dialects {
			if d.program.MatchString(path.Base(c.Program)) {
				return d, nil
			}
		}
	}
	return nil, nil
}

// A reading is how closely a file is looked at for what it imports.
type reading uint8

const (
	// aside is for a file that only the directory around it brings; zero is
	// before any reading.
	aside reading = 1 + iota
	// plain is for one that something asks for.
	plain
	// sourced is for one that a script reads as its own.
	sourced
)

// reading returns how closely an item is to be read.
func (it *item) reading() reading {
	switch {
	case it.dialect != "":
		return sourced
	case it.wanted || it.root:
		return plain
	}
	return aside
}

// imported brings what a kept script imports, reads and runs. What only the
// interpreter's own library imports is a matter of the key interpreters.
func imported(ctx context.Context, s *selector, it *item, out *outcome) error {
	if it.node.Kind != tree.File || it.node.Size == 0 {
		return nil
	}
	d, err := s.dialect(it)
	if d == nil || err != nil {
		return err
	}
	if standard, err := s.isStandardLibrary(it, d); standard || err != nil {
		return err
	}
	if it.node.Size > imports.MaxSize {
		out.suspects = append(out.suspects, suspect{it.node, record.Finding{Name: it.path, From: it.path, Detail: "too large to be read for what it imports"}})
		return nil
	}
	script, err := remembered(s.in.Memory, d.name, it.node, func() (shell.Script, error) { return d.parse(it.node) })
	if err != nil {
		return err
	}
	q := &query{selector: s, item: it, dialect: d, out: out, env: s.in.Env, refs: script.References}
	if script.Path != "" {
		q.env = append(slices.Clone(q.env), "PATH="+script.Path+":"+program.SearchPath(q.in.Env))
	}
	for _, ref := range q.refs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := q.follow(ref); err != nil {
			return err
		}
	}
	return q.besides()
}

// isStandardLibrary reports whether a file is of the library of an interpreter,
// which is there as a whole unless the spec asks for less.
func (s *selector) isStandardLibrary(it *item, d *dialect) (bool, error) {
	if s.in.Interpreters == "minimal" {
		return false, nil
	}
	q := &query{selector: s, item: it, dialect: d}
	top, err := q.searchDirectory()
	return top != "" && isStandard(top), err
}

// A query is the reading of one script.
type query struct {
	*selector
	item    *item
	dialect *dialect
	out     *outcome
	refs    []imports.Reference
	env     []string // with the search path that the script sets
}

// parse reads a script.
func (d *dialect) parse(n *tree.Node) (shell.Script, error) {
	src, err := n.ReadAll(imports.MaxSize)
	if err != nil {
		return shell.Script{}, err
	}
	if d.read == nil {
		return shell.Read(src), nil
	}
	return shell.Script{References: d.read(src)}, nil
}

// A target is what a reference leads to.
type target struct {
	path string
	// unit says that what the same package has under the directory stays
	// together.
	unit bool
	// inner says that the target is a part of the standard library, which is
	// there anyway unless less is asked for.
	inner bool
	// dialect is the language in which the target is to be read, "" where its
	// name tells.
	dialect string
	rule    record.Rule
}

// follow brings what one reference leads to.
func (q *query) follow(ref imports.Reference) error {
	switch ref.Kind {
	case imports.Command:
		return q.command(ref)
	case imports.Library:
		return q.library(ref)
	case imports.Computed:
		return q.computed(ref)
	case imports.Directory:
		return nil // a part of the search path
	}
	found, err := q.dialect.find(q, ref)
	if err != nil {
		return err
	}
	if len(found) == 0 && ref.Kind == imports.Module && !ref.Optional && !ref.Late && q.item.wanted && !builtIn(q.dialect.name, ref.Name) {
		q.unmet(ref, "no module of that name is on offer")
	}
	for _, t := range found {
		if err := q.bringTarget(ref, t); err != nil {
			return err
		}
	}
	return nil
}

// bringTarget keeps a target, or lists it.
func (q *query) bringTarget(ref imports.Reference, t target) error {
	at, err := q.view.Lookup(t.path)
	if err != nil {
		return ignoreAbsent(err)
	}
	keeps, err := q.keeps(ref, t)
	if err != nil || t.inner && q.in.Interpreters != "minimal" {
		return err
	}
	if !keeps {
		q.out.suspects = append(q.out.suspects, suspect{at.Node, record.Finding{
			Name: ref.Name, From: q.item.path, Detail: fmt.Sprintf("%s (line %d); the source has %s", asked(ref), ref.Line, at.Path()),
		}})
		return nil
	}
	rule := t.rule
	if rule == "" {
		rule = record.RuleImport
	}
	q.out.needs(edge{
		to: t.path, names: []string{ref.Name}, unit: t.unit, broad: t.unit, dialect: t.dialect,
		reason: record.Reason{Rule: rule, From: q.item.path, Detail: fmt.Sprintf("%s, line %d", ref.Name, ref.Line)},
	})
	return nil
}

// asked tells in words how a script asks for what it can do without.
func asked(ref imports.Reference) string {
	switch {
	case ref.Kind == imports.Command && ref.Optional:
		return "run where it is there"
	case ref.Kind == imports.Command:
		return "may be run"
	case ref.Optional:
		return "imported where it is there"
	}
	return "may be imported"
}

// keeps reports whether a target is kept: what a script cannot do without, and
// of the rest what its package has itself or depends on. A script that only the
// directory around it brings may be one that nobody runs.
func (q *query) keeps(ref imports.Reference, t target) (bool, error) {
	if t.inner {
		return true, nil
	}
	if !ref.Optional && q.item.reading() > aside {
		return true, nil
	}
	at, err := q.view.Resolve(t.path)
	if err != nil {
		return false, ignoreAbsent(err)
	}
	n := at.Node
	if n.Kind == tree.Dir {
		if n, err = firstFile(n); n == nil || err != nil {
			return false, err
		}
	}
	return q.related(q.item.node, n), nil
}

// firstFile returns the first file under a directory, or nil.
func firstFile(dir *tree.Node) (*tree.Node, error) {
	names, err := dir.Names()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c, err := dir.Child(name)
		if err != nil {
			return nil, err
		}
		if c != nil && c.Kind == tree.Dir {
			if c, err = firstFile(c); err != nil {
				return nil, err
			}
		}
		if c != nil {
			return c, nil
		}
	}
	return nil, nil
}

// related reports whether a file is of the same package as another, or of one
// that this depends on. Where nothing is known of packages, files of one
// directory are related.
func (s *selector) related(of, on *tree.Node) bool {
	a, b := of.Origin, on.Origin
	switch {
	case a == nil || b == nil:
		return false
	case s.in.Depends == nil:
		return path.Dir(of.Path()) == path.Dir(on.Path()) || strings.HasPrefix(on.Path(), path.Dir(of.Path())+"/")
	}
	return *a == *b || s.in.Depends(a, b)
}

// unmet lists what a script needs and nothing on offer has.
func (q *query) unmet(ref imports.Reference, why string) {
	f := record.Finding{Name: ref.Name, From: q.item.path, Detail: fmt.Sprintf("%s, line %d: %s", ref.Kind, ref.Line, why)}
	q.out.suspects = append(q.out.suspects, suspect{Finding: f})
	if ref.Kind == imports.Command {
		q.out.commands = append(q.out.commands, f)
	}
}
