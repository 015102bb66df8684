// Package loader is a model of the dynamic linkers of glibc and musl over a
// file tree: which objects a program loads, in which order, found where, and
// what is missing. Nothing is executed.
//
// It follows ld.so(8), the ELF gABI, chapter 5, and what the linkers do where
// those are silent; the tests compare it with the linkers themselves. Programs
// are taken to run as they do in a container: not set-user-ID, with the
// environment that the image gives them.
package loader

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"smith/internal/elf"
	"smith/internal/tree"
)

// Options are what decides about loading beside the files. The zero value is a
// process without environment on a CPU of the architecture's baseline.
type Options struct {
	// Env is the environment of the processes ("NAME=value"), from which
	// LD_LIBRARY_PATH, LD_PRELOAD and LD_AUDIT count.
	Env []string
	// Dir is the processes' working folder, "/" where it is empty.
	Dir string
	// Level is the CPU by the name of its glibc-hwcaps folder ("x86-64-v3",
	// "power10", "z15"), "" for the architecture's baseline.
	Level string
	// Cache is read in place of the tree's /etc/ld.so.cache: the one that the
	// image will get.
	Cache *Cache
	// Ahead hears of the libraries that a file needs when it is first read, from
	// several goroutines; nil for nobody.
	Ahead func(names []string)
}

// A Loader answers for one tree. It is safe for concurrent use and remembers
// what it has read, so the tree must not change.
type Loader struct {
	tree    *tree.Tree
	options Options

	files   *sync.Map // *tree.Node → *header
	folders *sync.Map // path → *tree.Node, nil where there is no folder
	linkers *sync.Map // path of interpreter → *linker
}

// New returns a Loader for a tree.
func New(t *tree.Tree, options Options) *Loader {
	if options.Dir == "" {
		options.Dir = "/"
	}
	return &Loader{tree: t, options: options, files: &sync.Map{}, folders: &sync.Map{}, linkers: &sync.Map{}}
}

// With returns a Loader for the same tree that reads a cache in place of the
// tree's own, and shares what was read.
func (l *Loader) With(c *Cache) *Loader {
	options := l.options
	options.Cache = c
	return &Loader{tree: l.tree, options: options, files: l.files, folders: l.folders, linkers: &sync.Map{}}
}

// A header is what one reading of a file gave.
type header struct {
	once sync.Once
	file *elf.File
	err  error
}

// ELF returns what a linker sees of a file; the error is elf.ErrNotELF for a
// file that is no ELF file; with another error it may tell what the ELF header
// says, as elf.Read does. It is read once.
func (l *Loader) ELF(n *tree.Node) (*elf.File, error) {
	if n.Kind != tree.File {
		return nil, elf.ErrNotELF
	}
	known, _ := l.files.LoadOrStore(n, &header{})
	h := known.(*header)
	h.once.Do(func() {
		if h.file, h.err = read(n); h.err == nil && l.options.Ahead != nil {
			l.options.Ahead(h.file.Needed)
		}
	})
	return h.file, h.err
}

func read(n *tree.Node) (*elf.File, error) {
	r, err := n.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := elf.Read(r, n.Size)
	if err != nil && !errors.Is(err, elf.ErrNotELF) {
		return f, fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	return f, err
}

// Load returns what the dynamic linker loads for the program or the shared
// object at a path. A shared object is treated as "ld.so --list" treats it: as
// if it were the program. The error is elf.ErrNotELF for a file that is none.
func (l *Loader) Load(ctx context.Context, name string) (*Process, error) {
	main, err := l.begin(name)
	if err != nil {
		return nil, err
	}
	p := &Process{File: name}
	if main.file.Interpreter == "" && len(main.file.Dependencies) == 0 {
		return p, nil // static, or static-pie, or needs nothing
	}
	ld, err := l.linkerFor(main.file)
	if err != nil {
		return nil, err
	}
	if ld.node == nil {
		p.Missing = append(p.Missing, Missing{Name: ld.path, NeededBy: main.Path, Kind: Linker, Searched: []string{path.Dir(ld.path)}})
	} else {
		p.Interpreter = &Library{Name: ld.path, Path: ld.path, Node: ld.node, NeededBy: main.Path, Found: ld.found, Kind: Linker}
	}
	if ld.musl {
		m := newMusl(l, ld, main)
		if err := m.load(ctx); err != nil {
			return nil, err
		}
		m.report(p)
		return p, nil
	}
	if err := newGlibc(l, ld, main).run(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

// isProgram says whether a file is meant to be executed.
func isProgram(f *elf.File) bool { return f.Interpreter != "" || f.PIE }

// begin finds the file at a path and reads its header.
func (l *Loader) begin(name string) (*object, error) {
	at, err := l.tree.Resolve(l.absolute(name))
	if err != nil {
		return nil, err
	}
	if kind := at.Node.Kind; kind != tree.File {
		return nil, fmt.Errorf("a %s, %w", kind, elf.ErrNotELF)
	}
	f, err := l.ELF(at.Node)
	if err != nil {
		return nil, err
	}
	main := &object{Library: Library{Path: name, Node: at.Node}, file: f}
	// The kernel tells a program's real path (proc(5), /proc/pid/exe); the
	// folder of a shared object is that of its name.
	if main.origin = path.Dir(l.absolute(name)); isProgram(f) {
		main.origin = path.Dir(at.Path())
	}
	return main, nil
}

// absolute returns a path counted from the root, its elements as they stand.
func (l *Loader) absolute(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return strings.TrimSuffix(l.options.Dir, "/") + "/" + name
}

// open returns the file that open(2) would open at a path, or nil.
func (l *Loader) open(name string) (*tree.Node, error) {
	n, err := l.follow(name)
	return n, ignoreMissing(err)
}

// follow is open for a caller who is told where a link at the end of the path
// leads nowhere, by a *tree.PathError. Folders are looked up once.
func (l *Loader) follow(name string) (*tree.Node, error) {
	name = l.absolute(name)
	slash := strings.LastIndexByte(name, '/')
	dir, err := l.folder(name[:slash+1])
	if dir == nil || err != nil {
		return nil, err
	}
	base := name[slash+1:]
	if base == "" || base == "." || base == ".." {
		return dir, nil
	}
	n, err := dir.Child(base)
	if n == nil || err != nil || n.Kind != tree.Symlink {
		return n, err
	}
	at, err := l.tree.Resolve(name)
	return at.Node, err
}

// folder returns the folder at a path, or nil.
func (l *Loader) folder(name string) (*tree.Node, error) {
	if known, ok := l.folders.Load(name); ok {
		return known.(*tree.Node), nil
	}
	at, err := l.tree.Resolve(name)
	if err = ignoreMissing(err); err != nil {
		return nil, err
	}
	if at.Node != nil && at.Node.Kind != tree.Dir {
		at.Node = nil
	}
	l.folders.Store(name, at.Node)
	return at.Node, nil
}

func ignoreMissing(err error) error {
	var missing *tree.PathError
	if errors.As(err, &missing) {
		return nil
	}
	return err
}

// getenv returns a variable of the processes' environment; as in getenv(3),
// the first of several counts.
func (l *Loader) getenv(name string) string {
	for _, e := range l.options.Env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
