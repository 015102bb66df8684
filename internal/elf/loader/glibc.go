package loader

import (
	"context"
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"

	own "smith/internal/elf"
)

// maxObjects bounds how many objects one process can have; the largest known
// have some hundred.
const maxObjects = 1 << 12

// A session is a process while it is being put together.
type session struct {
	*Loader
	ld      *linker
	main    *object
	maps    []*object // every object, in the order of the linker's list
	missing []Missing
	work    int // steps taken
}

// maxWork bounds the steps that one process may take: places looked at, and
// objects compared. Objects, dependencies and search paths are bounded each by
// itself, but they multiply; the largest programs known take some ten thousand.
const maxWork = 500_000

// spend counts steps.
func (s *session) spend(steps int) error {
	if s.work += steps; s.work > maxWork {
		return fmt.Errorf("cannot load %s: the search for its libraries takes more than %d steps, with %d objects so far: its dependencies or search paths are excessive",
			s.main.Path, maxWork, len(s.maps))
	}
	return nil
}

// comparisons is how many objects are compared with a name in the time that a
// place is looked at.
const comparisons = 64

// report fills in the process.
func (s *session) report(p *Process) {
	for _, o := range s.maps {
		if o != s.main && o.Kind != Linker {
			p.Libraries = append(p.Libraries, o.Library)
		}
	}
	p.Missing = append(p.Missing, s.missing...)
}

// A glibc is a process as glibc's linker puts it together.
type glibc struct {
	session
	env   []place   // LD_LIBRARY_PATH
	queue []*object // the search list: breadth first, filters after what they stand for
	// auditing says that this is the world of an auditor.
	auditing bool
}

func newGlibc(l *Loader, ld *linker, main *object) *glibc {
	g := &glibc{session: session{Loader: l, ld: ld, main: main, maps: []*object{main}}, queue: []*object{main}}
	main.listed = true
	g.addLinker()
	if list := l.getenv("LD_LIBRARY_PATH"); list != "" {
		g.env = ld.places(splitAny(list, ":;"), main.origin, "LD_LIBRARY_PATH", "")
	}
	return g
}

// addLinker adds the linker itself, which is in every process.
func (g *glibc) addLinker() {
	if g.ld.node == nil {
		return
	}
	if f, err := g.ELF(g.ld.node); err == nil {
		g.maps = append(g.maps, &object{
			Library: Library{Name: g.ld.path, Path: g.ld.path, Node: g.ld.node, Kind: Linker},
			file:    f, names: []string{g.ld.path}, origin: path.Dir(g.ld.path),
		})
	}
}

// splitAny splits at any of the separators and keeps empty elements.
func splitAny(text, separators string) []string {
	var parts []string
	for {
		i := strings.IndexAny(text, separators)
		if i < 0 {
			return append(parts, text)
		}
		parts = append(parts, text[:i])
		text = text[i+1:]
	}
}

// run puts the process together.
func (g *glibc) run(ctx context.Context, p *Process) error {
	if err := g.preload(); err != nil {
		return err
	}
	if err := g.load(ctx); err != nil {
		return err
	}
	g.report(p)
	p.Versions = g.checkVersions()
	return g.loadAuditors(ctx, p)
}

// load maps, breadth first, what each object of the search list needs.
func (g *glibc) load(ctx context.Context) error {
	for len(g.maps) <= maxObjects {
		i := slices.IndexFunc(g.queue, func(o *object) bool { return !o.done })
		if i < 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		o := g.queue[i]
		o.done = true
		for _, d := range o.file.Dependencies {
			if err := g.depend(o, d); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("cannot load %s: it brings more than %d objects", g.main.Path, maxObjects)
}

// depend maps one dependency of an object. A name with a token that has no
// value is passed over.
func (g *glibc) depend(o *object, d own.Dependency) error {
	name, ok := g.ld.expand(d.Name, o.origin)
	if !ok || name == "" {
		return nil
	}
	kind := Needed
	switch d.Tag {
	case elf.DT_FILTER:
		kind = Filter
	case elf.DT_AUXILIARY:
		kind = Auxiliary
	}
	dep, err := g.mapObject(o, name, kind)
	if err != nil || dep.faked {
		return err
	}
	if kind == Needed {
		g.enqueue(dep)
	} else {
		g.enqueueBefore(dep, o)
	}
	return nil
}

// enqueue puts an object at the end of the search list, once.
func (g *glibc) enqueue(o *object) {
	if !o.listed {
		o.listed = true
		g.queue = append(g.queue, o)
	}
}

// enqueueBefore puts a filtee before its filter, in the search list and in the
// linker's own list, unless it stands before it already.
func (g *glibc) enqueueBefore(o, filter *object) {
	at := slices.Index(g.queue, filter)
	if o.listed {
		now := slices.Index(g.queue, o)
		if now <= at {
			return
		}
		g.queue = slices.Delete(g.queue, now, now+1)
	}
	o.listed = true
	g.queue = slices.Insert(g.queue, at, o)
	g.maps = slices.DeleteFunc(g.maps, func(m *object) bool { return m == o })
	g.maps = slices.Insert(g.maps, slices.Index(g.maps, filter), o)
}

// mapObject returns the object that a name stands for, and adds it where it is
// not in the process yet. One that is not found is added as a placeholder that
// answers no further request.
func (g *glibc) mapObject(by *object, name string, kind Kind) (*object, error) {
	if err := g.spend(1 + len(g.maps)/comparisons); err != nil {
		return nil, err
	}
	for _, o := range g.maps {
		if o.answers(name) {
			o.named(name)
			return o.again(by, name), nil
		}
	}
	s, err := g.find(by, name)
	if err != nil {
		return nil, err
	}
	if s.found.Node == nil {
		g.missing = append(g.missing, Missing{name, by.Path, kind, s.searched, s.reason})
		return &object{faked: true}, nil
	}
	for _, o := range g.maps {
		if o != g.main && o.Kind != Linker && same(o.Node, s.found.Node) {
			o.named(name)
			return o.again(by, name), nil
		}
	}
	f, err := g.ELF(s.found.Node)
	if err != nil {
		return nil, err
	}
	o := &object{Library: s.found, file: f, names: []string{name, s.found.Path}, loader: by, origin: path.Dir(s.found.Path)}
	o.Name, o.NeededBy, o.Kind = name, by.Path, kind
	g.maps = append(g.maps, o)
	return o, nil
}

// find searches for a name as ld.so(8) has it.
func (g *glibc) find(by *object, name string) (*search, error) {
	s := &search{}
	if strings.Contains(name, "/") {
		// glibc replaces tokens here too: in LD_PRELOAD, say.
		name, ok := g.ld.expand(name, by.origin)
		s.searched = []string{name}
		if !ok {
			return s, nil
		}
		return s, g.try(g.ld, s, name, "its path")
	}
	for _, step := range []func(*search, *object, string) error{g.inRPATH, g.inEnv, g.inRUNPATH, g.inCache, g.inFolders} {
		if err := step(s, by, name); err != nil || s.over() {
			return s, err
		}
	}
	return s, nil
}

// look looks at places within the budget.
func (g *glibc) look(ld *linker, s *search, name string, places []place) error {
	if err := g.spend(1 + len(places)); err != nil {
		return err
	}
	return g.Loader.look(ld, s, name, places)
}

// rpath returns the folders of an object's RPATH, none where it has a RUNPATH.
func (g *glibc) rpath(o *object) []place {
	if o.file.RUNPATH != nil || o.file.RPATH == nil {
		return nil
	}
	return g.ld.places(o.file.RPATH, o.origin, "RPATH", o.Path)
}

// inRPATH looks in the RPATH of the object, of each object that led to it, and
// of the program; not at all where the object has a RUNPATH. For an auditor,
// which the linker itself asks for, and for what it needs, the RUNPATH of the
// program counts too.
func (g *glibc) inRPATH(s *search, by *object, name string) error {
	if by.file.RUNPATH != nil && (!g.auditing || by != g.main) {
		return nil
	}
	var chain []*object
	for o := by; o != nil; o = o.loader {
		chain = append(chain, o)
	}
	if !slices.Contains(chain, g.main) {
		chain = append(chain, g.main)
	}
	for _, o := range chain {
		if err := g.look(g.ld, s, name, g.rpath(o)); err != nil || s.over() {
			return err
		}
	}
	if g.auditing {
		return g.inRUNPATH(s, g.main, name)
	}
	return nil
}

func (g *glibc) inEnv(s *search, _ *object, name string) error {
	return g.look(g.ld, s, name, g.env)
}

func (g *glibc) inRUNPATH(s *search, by *object, name string) error {
	return g.look(g.ld, s, name, g.ld.places(by.file.RUNPATH, by.origin, "RUNPATH", by.Path))
}

// inCache looks into ld.so.cache. Of an object that wants no default folders
// (DF_1_NODEFLIB), entries in those do not count.
func (g *glibc) inCache(s *search, by *object, name string) error {
	if g.ld.cache == nil {
		return nil
	}
	s.searched = append(s.searched, CachePath)
	at := g.ld.cache.lookup(g.ld, name)
	if at == "" {
		return nil
	}
	if by.file.NoDefaultLib && slices.ContainsFunc(g.ld.folders, func(f string) bool { return strings.HasPrefix(at, f) }) {
		return nil
	}
	return g.try(g.ld, s, at, "ld.so.cache")
}

func (g *glibc) inFolders(s *search, by *object, name string) error {
	if by.file.NoDefaultLib {
		return nil
	}
	places := make([]place, len(g.ld.folders))
	for i, f := range g.ld.folders {
		places[i] = place{f, "default folder " + trimFolder(f)}
	}
	return g.look(g.ld, s, name, places)
}
