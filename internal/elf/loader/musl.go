package loader

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"

	"smith/internal/tree"
)

// maxMuslPath bounds /etc/ld-musl-ARCH.path.
const maxMuslPath = 1 << 16

// muslPath returns the folders that a linker of musl searches last: those in
// /etc/ld-musl-ARCH.path, counted from the folder above the linker's own, or
// the built-in ones.
func (l *Loader) muslPath(linker string) ([]string, error) {
	prefix := ""
	if strings.HasPrefix(linker, "/") {
		if prefix = path.Dir(path.Dir(linker)); prefix == "/" {
			prefix = ""
		}
	}
	arch := strings.TrimPrefix(path.Base(linker), "ld-musl-")
	arch, _, _ = strings.Cut(arch, ".so")
	n, err := l.open(prefix + "/etc/ld-musl-" + arch + ".path")
	if err != nil {
		return nil, err
	}
	if n == nil {
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}, nil
	}
	if n.Kind != tree.File {
		return nil, nil
	}
	data, err := n.ReadAll(maxMuslPath)
	if err != nil {
		return nil, err
	}
	return muslFolders(string(data)), nil
}

// muslFolders splits a search path of musl; empty elements are none.
func muslFolders(text string) []string {
	text, _, _ = strings.Cut(text, "\x00")
	return strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == '\n' })
}

// A musl is a process as musl's linker puts it together (ldso/dynlink.c).
type musl struct {
	session
	env []string // LD_LIBRARY_PATH
}

func newMusl(l *Loader, ld *linker, main *object) *musl {
	return &musl{session{Loader: l, ld: ld, main: main, maps: []*object{main}}, muslFolders(l.getenv("LD_LIBRARY_PATH"))}
}

// load maps the preloads, and then, breadth first, what each object needs.
// musl knows no filters and no auditing, and does not read /etc/ld.so.preload.
func (m *musl) load(ctx context.Context) error {
	preloads := strings.FieldsFunc(m.getenv("LD_PRELOAD"), func(r rune) bool { return r == ':' || r < unicode.MaxASCII && unicode.IsSpace(r) })
	for _, name := range preloads {
		if _, err := m.mapObject(nil, name, Preload); err != nil {
			return err
		}
	}
	for i := 0; i < len(m.maps); i++ { //nolint:intrange // it grows
		if i > maxObjects {
			return fmt.Errorf("cannot load %s: it brings more than %d objects", m.main.Path, maxObjects)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, name := range m.maps[i].file.Needed {
			if _, err := m.mapObject(m.maps[i], name, Needed); err != nil {
				return err
			}
		}
	}
	return nil
}

// isSelf says whether a name stands for musl itself, whatever files there are:
// the names of the libraries that other systems keep beside libc.
func (m *musl) isSelf(name string) bool {
	if name == m.ld.path {
		return true
	}
	rest, ok := strings.CutPrefix(name, "lib")
	base, _, dotted := strings.Cut(rest, ".")
	if !ok || !dotted {
		return false
	}
	switch base {
	case "c", "pthread", "rt", "m", "dl", "util", "xnet":
		return true
	}
	return false
}

// mapObject adds the object that a name stands for, unless it is there, and
// returns it; nil where it is the linker or was not found.
func (m *musl) mapObject(by *object, name string, kind Kind) (*object, error) {
	if name != "" && m.isSelf(name) {
		return nil, nil
	}
	if err := m.spend(1 + len(m.maps)/comparisons); err != nil {
		return nil, err
	}
	for _, o := range m.maps[1:] {
		if len(o.names) > 0 && o.names[0] == name {
			return o.again(by, name), nil
		}
	}
	s, err := m.find(by, name)
	if err != nil {
		return nil, err
	}
	from := "LD_PRELOAD"
	if by != nil {
		from = by.Path
	}
	if s.found.Node == nil {
		m.missing = append(m.missing, Missing{name, from, kind, s.searched, s.reason})
		return nil, nil
	}
	// An object has a short name, by which it is found again, once a search
	// has led to it.
	short := []string{path.Base(s.found.Path)}
	if strings.Contains(name, "/") {
		short = nil
	}
	if m.ld.node != nil && same(s.found.Node, m.ld.node) {
		return nil, nil
	}
	for _, o := range m.maps[1:] {
		if same(o.Node, s.found.Node) {
			if o.names == nil && short != nil {
				o.names = []string{path.Base(o.Path)}
			}
			return o.again(by, name), nil
		}
	}
	f, err := m.ELF(s.found.Node)
	if err != nil {
		return nil, err
	}
	o := &object{Library: s.found, file: f, names: short, loader: by, origin: path.Dir(s.found.Path)}
	o.Name, o.NeededBy, o.Kind = name, from, kind
	m.maps = append(m.maps, o)
	return o, nil
}

// find searches for a name: LD_LIBRARY_PATH, the RPATH or RUNPATH of the
// object and of each that led to it, the linker's own folders. The first file
// of the name is the one; if it cannot be loaded, no other is tried.
func (m *musl) find(by *object, name string) (*search, error) {
	s := &search{}
	if strings.Contains(name, "/") {
		s.searched = []string{name}
		return s, m.tryMusl(s, name, "its path")
	}
	if err := m.lookIn(s, name, m.env, "LD_LIBRARY_PATH"); err != nil || s.over() {
		return s, err
	}
	for o := by; o != nil; o = o.loader {
		folders, kind := m.runpath(o)
		if err := m.lookIn(s, name, folders, kind+" of "+o.Path); err != nil || s.over() {
			return s, err
		}
	}
	return s, m.lookIn(s, name, m.ld.folders, "default folder")
}

func (m *musl) lookIn(s *search, name string, folders []string, found string) error {
	if err := m.spend(1 + len(folders)); err != nil {
		return err
	}
	for _, f := range folders {
		if s.over() {
			return nil
		}
		s.searched = append(s.searched, trimFolder(f))
		if err := m.tryMusl(s, f+"/"+name, found+" "+f); err != nil {
			return err
		}
	}
	return nil
}

// tryMusl is try for a linker that goes no further than the first file, or the
// first link that leads in a circle.
func (m *musl) tryMusl(s *search, name, found string) error {
	err := m.try(m.ld, s, name, found)
	s.fatal = s.fatal || s.rejected || errors.Is(s.stuck, tree.ErrLoop)
	return err
}

// runpath returns the folders of an object's RUNPATH, or else of its RPATH.
// With a token other than $ORIGIN the whole path is dropped.
func (m *musl) runpath(o *object) (folders []string, kind string) {
	elements, kind := o.file.RUNPATH, "RUNPATH"
	if elements == nil {
		elements, kind = o.file.RPATH, "RPATH"
	}
	text := strings.Join(elements, ":")
	bare := strings.ReplaceAll(strings.ReplaceAll(text, "${ORIGIN}", o.origin), "$ORIGIN", o.origin)
	if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(text, "${ORIGIN}", ""), "$ORIGIN", ""), "$") {
		return nil, kind
	}
	return muslFolders(bare), kind
}
