package closure

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"smith/internal/elf/loader"
	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// A selector is one selection under way.
type selector struct {
	in       Input
	view     *view
	loader   *loader.Loader
	cache    *loader.Cache // that the loader goes by in place of the view's, or nil
	excludes excludes

	aside    bool // while roots are kept that nobody asks for by these very paths
	items    map[*tree.Node]*item
	queue    []*item
	excluded map[record.Finding]bool
	left     map[string]bool // names that are missing because they were excluded
	refused  []Problem       // what no allow-missing accepts
	modules  *moduleMemory
	outcome  // of all rules so far
}

// An outcome is what a rule found out.
type outcome struct {
	edges    []edge
	problems []Problem
	suspects []suspect
	warnings []string
	// commands are what shell scripts run and nothing on offer has.
	commands []record.Finding
}

// A suspect is a file that somebody may load, and that is not kept for that.
type suspect struct {
	node *tree.Node
	record.Finding
}

func (o *outcome) needs(e edge)     { o.edges = append(o.edges, e) }
func (o *outcome) lacks(p Problem)  { o.problems = append(o.problems, p) }
func (o *outcome) warn(text string) { o.warnings = append(o.warnings, text) }

// add takes over what another outcome holds beside its edges.
func (o *outcome) add(other outcome) {
	o.problems = append(o.problems, other.problems...)
	o.suspects = append(o.suspects, other.suspects...)
	o.warnings = append(o.warnings, other.warnings...)
	o.commands = append(o.commands, other.commands...)
}

// An item is a file, link or folder of the view that is kept.
type item struct {
	node    *tree.Node
	path    string
	holder  holder
	reasons []record.Reason
	// named is set where a root names exactly this path.
	named bool
	// wanted is set where something else than a folder or a glob asks for it.
	wanted bool
	// root is set where the spec asks for it, alone or with what lies around it.
	root bool
	// alone is set where the file is to be looked at as a program or a library
	// that is loaded by name, and not only as a library that some program
	// loads at its start, whose needs that program's search has found.
	alone, searched bool
	// examined is set once the rules for single files have seen it.
	examined bool
	// whole is set once everything under the folder is kept.
	whole bool
	// unit is set once what the same package has under the directory is kept.
	unit bool
	// dialect is the language in which the file is to be read, "" where its name
	// or its first line tells. read says how far it was read for what it imports.
	dialect string
	read    reading
	// imported are the symbols that it takes from others, nil before they were
	// asked for.
	imported *[]string
}

// An edge is a path that a rule names, and why.
type edge struct {
	to string
	// names are what a check would find missing without the path, if it is not
	// the path itself: a soname, a link's target.
	names  []string
	reason record.Reason
	// whole brings everything under a folder.
	whole bool
	// unit brings what the same package has under a directory, dialect is the
	// language in which a script is to be read.
	unit    bool
	dialect string
	// named says that a root names exactly this path.
	named bool
	// broad says that a folder or a glob of a root brings the path.
	broad bool
	// inner says that a program loads this library at its start.
	inner bool
}

// A rule looks at one kept file and adds what it needs. It runs beside others
// and only reads the selector.
type rule func(ctx context.Context, s *selector, it *item, out *outcome) error

// A worldRule looks at everything that is kept. It runs whenever the rules for
// single files have come to an end.
type worldRule func(ctx context.Context, s *selector, out *outcome) error

// work applies the rules until they name nothing new.
func (s *selector) work(ctx context.Context) error {
	for {
		if err := s.drain(ctx); err != nil {
			return err
		}
		for _, r := range worldRules() {
			var out outcome
			if err := r(ctx, s, &out); err != nil {
				return err
			}
			if err := s.take(out); err != nil {
				return err
			}
		}
		if len(s.queue) == 0 {
			return nil
		}
	}
}

// drain examines what was kept since, a generation at a time: its files side by
// side, then what they need in the generation's order, so that the result does
// not depend on which was done first.
func (s *selector) drain(ctx context.Context) error {
	for len(s.queue) > 0 {
		generation := s.queue
		s.queue = nil
		found := make([]outcome, len(generation))
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, it := range generation {
			group.Go(func() error { return s.examine(ctx, it, &found[i]) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, out := range found {
			if err := s.take(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// examine applies the rules for single files to a file.
func (s *selector) examine(ctx context.Context, it *item, out *outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !it.examined {
		it.examined = true
		for _, r := range fileRules() {
			if err := r(ctx, s, it, out); err != nil {
				return err
			}
		}
	}
	if now := it.reading(); now > it.read {
		it.read = now
		if err := imported(ctx, s, it, out); err != nil {
			return err
		}
	}
	if it.alone && !it.searched {
		it.searched = true
		return needs(ctx, s, it, out)
	}
	return nil
}

// take keeps what a rule found out.
func (s *selector) take(out outcome) error {
	s.add(out)
	for _, e := range out.edges {
		if err := s.bring(e, 0); err != nil {
			return err
		}
	}
	return nil
}

// bring keeps what a path leads to and every link on the way. A path that
// leads nowhere is passed over: what is needed and missing is found by the
// check of the finished tree.
func (s *selector) bring(e edge, depth int) error {
	at, err := s.view.Lookup(e.to)
	if err != nil || depth > tree.MaxLinks {
		return ignoreAbsent(err)
	}
	for _, link := range at.Links {
		s.onTheWay(link, e)
	}
	return s.bringNode(at.Node, e, depth)
}

// bringNode keeps a node, and what it leads to or holds.
func (s *selector) bringNode(n *tree.Node, e edge, depth int) error {
	if !s.keep(n, e) {
		return nil
	}
	switch {
	case n.Kind == tree.Symlink:
		return s.follow(n, e, depth)
	case n.Kind == tree.Dir && e.whole:
		return s.bringFolder(n, e)
	case n.Kind == tree.Dir && e.unit:
		return s.bringUnit(n, e)
	}
	return nil
}

// follow brings what a kept link points to.
func (s *selector) follow(link *tree.Node, e edge, depth int) error {
	to := linkTarget(link)
	at, err := s.view.Lookup(to)
	if err != nil {
		return ignoreAbsent(err)
	}
	if at.Node.Kind == tree.Dir && isAncestor(at.Node, link) || filledAtRunTime(at.Path(), s.in.Mounts) {
		return nil
	}
	return s.bring(edge{
		to: to, names: append(slices.Clone(e.names), e.to, tree.Clean(to)),
		reason: record.Reason{Rule: record.RuleSymlink, From: link.Path()}, whole: e.whole, broad: e.broad, inner: e.inner,
	}, depth+1)
}

// linkTarget returns the path that a link stands for.
func linkTarget(link *tree.Node) string {
	if len(link.Link) > 0 && link.Link[0] == '/' {
		return link.Link
	}
	return link.Parent().Path() + "/" + link.Link
}

// bringFolder keeps everything under a folder.
func (s *selector) bringFolder(dir *tree.Node, e edge) error {
	if it := s.items[dir]; it.whole {
		return nil
	}
	s.items[dir].whole = true
	children, err := dir.Children()
	if err != nil {
		return fmt.Errorf("cannot list %s: %w", dir.Path(), err)
	}
	e.named, e.broad, e.names = false, true, nil
	for _, c := range children {
		e.to = c.Path()
		if err := s.bringNode(c, e, 0); err != nil {
			return err
		}
	}
	return nil
}

// keep adds a node to the selection, or a further reason for it. It is false
// where the node is left out.
func (s *selector) keep(n *tree.Node, e edge) bool {
	it := s.items[n]
	if it == nil {
		if it = s.admit(n, e); it == nil {
			return false
		}
		s.items[n] = it
		if n.Kind == tree.File {
			s.queue = append(s.queue, it)
		}
	}
	if !slices.Contains(it.reasons, e.reason) {
		it.reasons = append(it.reasons, e.reason)
	}
	before := it.reading()
	it.named = it.named || e.named
	it.wanted = it.wanted || !e.broad
	it.root = it.root || e.reason.From == ""
	if it.dialect == "" {
		it.dialect = e.dialect
	}
	again := it.reading() > before
	if !e.inner && !it.alone {
		it.alone, again = true, true
	}
	if again && it.examined {
		s.queue = append(s.queue, it)
	}
	return true
}

// admit returns an item for a node that may be kept, or nil.
func (s *selector) admit(n *tree.Node, e edge) *item {
	it := &item{node: n, path: n.Path(), holder: s.view.holder(n)}
	if n.Kind == tree.Device || n.Kind == tree.FIFO || n.Kind == tree.Socket {
		s.in.Events.Note(fmt.Sprintf("left out %s: no image holds a %s", it.path, n.Kind))
		return nil
	}
	if it.holder != ofSource {
		return it
	}
	if s.leftAside(it, e) {
		return nil
	}
	if e.broad && (s.aside || isEvidence(e.reason.Rule)) && n.Kind == tree.Symlink && !s.view.Exists(it.path) {
		s.in.Events.Note(fmt.Sprintf("left out %s: a dangling symlink to %s, in its package too", it.path, n.Link))
		return nil
	}
	pattern, out := s.excludes.match(it.path)
	if !out {
		return it
	}
	for _, name := range append(e.names, e.to) {
		s.left[name] = true
	}
	if !e.broad {
		detail := describe(e.reason) + "; excluded by " + pattern
		s.excluded[record.Finding{Name: it.path, From: e.reason.From, Detail: detail}] = true
	}
	return nil
}

// onTheWay keeps a link that lies on the way to where an edge leads.
func (s *selector) onTheWay(link *tree.Node, e edge) {
	if s.items[link] != nil {
		return
	}
	if it := s.admit(link, e); it != nil {
		it.reasons = []record.Reason{{Rule: record.RuleWay, From: tree.Clean(e.to)}}
		s.items[link] = it
	}
}

// newSelector stacks the inputs. From here on the view does not change, which
// the loader relies on.
func newSelector(ctx context.Context, in Input) (*selector, error) {
	v, err := newView(in)
	if err != nil {
		return nil, err
	}
	s := &selector{
		in: in, view: v, excludes: newExcludes(v.Tree, in.Excludes),
		modules: newModules(),
		items:   map[*tree.Node]*item{}, excluded: map[record.Finding]bool{}, left: map[string]bool{},
	}
	if err := s.preferSource(); err != nil {
		return nil, err
	}
	s.loader = loader.New(v.Tree, loader.Options{Env: in.Env, Dir: in.Dir, Ahead: in.Ahead})
	s.lookAhead()
	if s.cache, err = s.linkerCache(ctx, s.loader); err != nil {
		return nil, fmt.Errorf("cannot work out %s: %w", loader.CachePath, err)
	}
	if s.cache != nil {
		s.loader = s.loader.With(s.cache)
	}
	return s, nil
}

// lookAhead reads the programs that are asked for before all else, so that the
// source has begun with what they need while the linkers' configuration is read.
// What cannot be read is told of when its turn comes.
func (s *selector) lookAhead() {
	if s.in.Ahead == nil {
		return
	}
	var programs []string
	if len(s.in.Entrypoint) > 0 {
		program, _ := program.Find(s.view.Tree, s.in.Env, s.in.Dir, s.in.Entrypoint[0])
		programs = append(programs, program)
	}
	for _, r := range s.in.Roots {
		if !r.Part {
			programs = append(programs, r.Pattern)
		}
	}
	for _, name := range programs {
		if at, err := s.view.Resolve(name); err == nil {
			_, _ = s.loader.ELF(at.Node)
		}
	}
}

// fileRules are the rules that look at each kept file once.
func fileRules() []rule {
	return []rule{scripts, dlopenNotes, threads, providers, entryShell, entryLocale, libraryTools, namedData}
}

// worldRules are the rules that look at all that is kept.
func worldRules() []worldRule {
	return []worldRule{interpreters, nss, plugins, gconv, bundleData, locales, hwcaps}
}

// sorted returns the items in the order of their paths.
func (s *selector) sorted() []*item {
	return slices.SortedFunc(maps.Values(s.items), func(a, b *item) int {
		return comparePaths(a.path, b.path)
	})
}
