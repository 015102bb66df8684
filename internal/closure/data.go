package closure

import (
	"context"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// namedData brings what a kept program or library names in its read-only data
// by absolute paths, or by paths below /usr, as far as its own package or one
// that this depends on has it: data files, directories of modules, programs.
// What others have is listed.
func namedData(ctx context.Context, s *selector, it *item, out *outcome) error {
	f, err := s.loader.ELF(it.node)
	if err != nil {
		return s.unreadable(it, err)
	}
	if ownedByGlibc(it.node.Name()) || it.node.Origin == nil {
		return nil
	}
	paths, err := remembered(s.in.Memory, "paths", it.node, func() ([]string, error) {
		r, err := it.node.Open()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return f.Paths(r, it.node.Size)
	})
	if err != nil {
		return err
	}
	for _, name := range paths {
		if !strings.HasPrefix(name, "/") {
			name = "/usr/" + name
		}
		if err := s.namedPath(ctx, it, path.Clean(name), out); err != nil {
			return err
		}
	}
	return nil
}

// ofOthers are directories whose contents other rules or the system bring, or
// that no program needs.
func ofOthers(name string) bool {
	for _, dir := range []string{
		"/proc", "/sys", "/dev", "/run", "/tmp", "/home", "/root", "/boot", "/var/run", "/var/lock", "/var/tmp", "/usr/share/locale", "/usr/share/doc",
		"/usr/share/man", "/usr/share/info", "/usr/share/zoneinfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/lib/terminfo", "/etc/terminfo",
		"/usr/lib/locale", "/usr/share/i18n", "/usr/lib/debug", "/usr/share/gdb", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/usr/include",
		"/usr/src", "/etc/pam.d", "/lib/security", "/usr/lib/security",
	} {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return name == "/bin/sh" || name == "/usr/bin/sh"
}

// ofFamily reports whether a directory holds modules of which configuration says
// which are loaded (families).
func ofFamily(dir string) bool {
	for _, f := range families {
		for _, folder := range f.folders {
			if tree.Match("**/"+strings.TrimPrefix(folder, "/"), dir) {
				return true
			}
		}
	}
	return false
}

// suffixes are what programs add to a path that they hold: libmagic's
// "/usr/share/misc/magic" is magic.mgc (libmagic(3)).
func suffixes() []string { return []string{"", ".mgc"} }

// namedPath looks at one path that an object names.
func (s *selector) namedPath(ctx context.Context, it *item, name string, out *outcome) error {
	if ofOthers(name) {
		return nil
	}
	for _, suffix := range suffixes() {
		at, err := s.view.Lookup(name + suffix)
		if err != nil {
			if err = ignoreAbsent(err); err != nil {
				return err
			}
			continue
		}
		n := at.Node
		if n.Kind == tree.Symlink {
			to, err := s.view.Resolve(name + suffix)
			if err != nil {
				if err = ignoreAbsent(err); err != nil {
					return err
				}
				continue
			}
			n = to.Node
		}
		switch n.Kind {
		case tree.Dir:
			err = s.namedDirectory(ctx, it, name+suffix, n, out)
		case tree.File:
			s.namedFile(it, name+suffix, n, out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *selector) namedFile(it *item, name string, n *tree.Node, out *outcome) {
	if n == it.node || strings.HasSuffix(name, ".so") || strings.Contains(path.Base(name), ".so.") {
		return // libraries are the suspects' (suspects.go)
	}
	if !s.related(it.node, n) || s.in.Depends == nil {
		out.suspects = append(out.suspects, suspect{n, record.Finding{Name: name, From: it.path, Detail: "named in its data; the source has " + n.Path()}})
		return
	}
	out.needs(edge{to: name, reason: record.Reason{Rule: record.RuleData, From: it.path, Detail: "named in its data"}})
}

// namedDirectory brings what the object's own package, and those that it depends
// on, have under a directory that it names. One that every package has files in
// says nothing, nor does one in which a language looks for modules: those the
// scripts name.
func (s *selector) namedDirectory(ctx context.Context, it *item, name string, dir *tree.Node, out *outcome) error {
	at := dir.Path()
	if isShared(at) || len(s.in.Mounts) > 0 && slices.Contains(s.in.Mounts, at) {
		return nil
	}
	for _, d := range s.modules.dialects {
		dirs, err := s.searchPath(d)
		if err != nil {
			return err
		}
		for _, of := range dirs {
			if of == at || strings.HasPrefix(of, at+"/") {
				return nil
			}
		}
	}
	if s.in.Depends == nil || ofFamily(at) {
		return nil // every file of an image may lie anywhere
	}
	first, err := firstFile(dir)
	if err != nil {
		return err
	}
	if first == nil { // a place for the files of other packages, or of the user
		if dir.Origin != nil && s.related(it.node, dir) {
			out.needs(edge{to: at, reason: record.Reason{Rule: record.RuleData, From: it.path, Detail: "a directory that is named in its data: " + name}})
		}
		return nil
	}
	if !s.related(it.node, first) {
		out.suspects = append(out.suspects, suspect{first, record.Finding{Name: name, From: it.path, Detail: "a directory that is named in its data; the source has " + first.Path()}})
		return nil
	}
	out.needs(edge{
		to: name, unit: true, broad: true,
		reason: record.Reason{Rule: record.RuleData, From: it.path, Detail: "a directory that is named in its data: " + name},
	})
	return ctx.Err()
}
