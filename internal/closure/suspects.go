package closure

import (
	"bytes"
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"smith/internal/closure/imports"
	"smith/internal/elf"
	"smith/internal/elf/loader"
	"smith/internal/tree"
	"smith/record"
)

// suspectNames looks in the read-only data of all kept objects for strings
// that look like names of libraries, and lists those that the source has and
// that nothing has brought; so it does with the shell, for objects that name
// it or that call system(3) or popen(3). They are only listed: a string proves
// nothing. Nor do the bundles that an object seems to want.
func (s *selector) suspectNames(ctx context.Context) error {
	var objects []*item
	for _, it := range s.sorted() {
		if it.node.Kind == tree.File && !ownedByGlibc(it.node.Name()) {
			objects = append(objects, it)
		}
	}
	names, bundled := make([][]string, len(objects)), make([][]string, len(objects))
	wanted, err := s.unkeptBundles()
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, it := range objects {
		group.Go(func() (err error) {
			names[i], bundled[i], err = s.namesIn(it, wanted)
			return errors.Join(ctx.Err(), err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.suspectBundles(objects, wanted, bundled)
	known := map[string]bool{}
	for n := range s.items {
		known[n.Name()] = true
	}
	for i, it := range objects {
		for _, name := range names[i] {
			if known[path.Base(name)] {
				continue
			}
			known[path.Base(name)] = true
			if err := s.suspectName(ctx, it, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownedByGlibc says whether a file is a part of glibc that loads others by
// name: what it loads, and for whom, the rules know.
func ownedByGlibc(name string) bool {
	return name == "libc.so.6" || strings.HasPrefix(name, "libpthread.so") || strings.HasPrefix(name, "libpthread-2") ||
		strings.HasPrefix(name, "libc-2") || strings.HasPrefix(name, "ld-")
}

// shellCalls are functions of the C library that run the shell.
var shellCalls = []string{"system", "popen", "wordexp"}

// namesIn returns the names of libraries and of the shell in an object, and
// for each of the bundles why the object seems to want it, or "".
func (s *selector) namesIn(it *item, wanted []bundle) (names, why []string, err error) {
	f, err := s.loader.ELF(it.node)
	if errors.Is(err, elf.ErrNotELF) {
		why, err = s.signsInScript(it, wanted)
		return nil, why, err
	}
	if err != nil {
		return nil, nil, s.unreadable(it, err)
	}
	r, err := it.node.Open()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var words []string
	for _, b := range wanted {
		words = append(words, b.words...)
	}
	if names, err = f.Names(r, it.node.Size, words...); err != nil {
		return nil, nil, err
	}
	imports, err := s.imports(it)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range wanted {
		why = append(why, b.wantedBy(it.node.Name(), names, imports))
	}
	if slices.ContainsFunc(imports, func(name string) bool { return slices.Contains(shellCalls, name) }) {
		names = append(names, elf.Shell)
	}
	return names, why, nil
}

// signsInScript returns for each of the bundles why a script or module seems to
// want it, or "".
func (s *selector) signsInScript(it *item, wanted []bundle) ([]string, error) {
	d, err := s.dialect(it)
	if d == nil || err != nil || it.node.Size > imports.MaxSize {
		return nil, err
	}
	text, err := it.node.ReadAll(imports.MaxSize)
	if err != nil {
		return nil, err
	}
	why := make([]string, len(wanted))
	for i, b := range wanted {
		for _, word := range b.words {
			if why[i] == "" && hasPath(text, word) {
				why[i] = "names " + word
			}
		}
	}
	return why, nil
}

// hasPath reports whether a text has a path that is not a part of a longer one,
// nor of a list that a program was built with ("/usr/share/zoneinfo:/usr/lib").
func hasPath(text []byte, path string) bool {
	inPath := func(c byte) bool {
		return c == '/' || c == '.' || c == ':' || c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(path))
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(path)
		if (start == 0 || !inPath(text[start-1])) && (end == len(text) || !inPath(text[end])) {
			return true
		}
		at = end
	}
}

// suspectName lists a name if the source has a library of that name, or the
// shell.
func (s *selector) suspectName(ctx context.Context, it *item, name string) error {
	if name == elf.Shell {
		if at, err := s.view.Resolve(name); err == nil {
			detail := "may run commands with it; the source has " + at.Path()
			s.suspects = append(s.suspects, suspect{at.Node, record.Finding{Name: name, From: it.path, Detail: detail}})
		}
		return nil
	}
	l, err := findFirst(ctx, s.loader, []string{name}, it.path)
	if errors.Is(err, elf.ErrNotELF) || l == nil {
		return err
	}
	s.suspects = append(s.suspects, suspectOf(l, it, name))
	return nil
}

func suspectOf(l *loader.Library, it *item, name string) suspect {
	return suspect{l.Node, record.Finding{Name: name, From: it.path, Detail: "named in its data; the source has " + l.Path}}
}
