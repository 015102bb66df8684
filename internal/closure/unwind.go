package closure

import (
	"context"
	"slices"
	"strings"

	"smith/record"
)

// unwinder is the library that glibc loads by name to unwind the stack of a
// thread that is cancelled or exits, and for backtrace(3). Without it glibc
// ends the program: "libgcc_s.so.1 must be installed for pthread_exit to work"
// (glibc, sysdeps/nptl/unwind-forcedunwind.c, misc/unwind-link.c).
const unwinder = "libgcc_s.so.1"

// unwinding are the functions that lead there. A program that starts threads
// may end them.
var unwinding = []string{
	"pthread_create", "pthread_cancel", "pthread_exit", "thrd_create", "thrd_exit",
	"backtrace", "backtrace_symbols", "backtrace_symbols_fd",
}

// threads brings libgcc_s.so.1 with an object of glibc's that will make glibc
// load it.
func threads(ctx context.Context, s *selector, it *item, out *outcome) error {
	use, err := s.firstImport(it, unwinding)
	if use == "" || err != nil || it.node.Name() == unwinder {
		return err
	}
	libc, missing, err := s.loader.Find(ctx, "libc.so.6", it.path)
	if missing != nil || err != nil {
		return err // another C library, or the check tells of it
	}
	found, missing, err := s.loader.Find(ctx, unwinder, libc.Path)
	if err != nil {
		return err
	}
	if missing != nil {
		out.warn("glibc ends a program whose threads are cancelled or exit where " + unwinder + " is missing: " +
			it.path + " uses " + use + ", and " + strings.Join(missing.Searched, ", ") + " have no such library")
		return nil
	}
	reason := record.Reason{Rule: record.RuleUnwind, From: it.path, Detail: unwinder + ", which glibc loads for " + use}
	out.needs(edge{to: found.Path, names: []string{unwinder}, reason: reason})
	return nil
}

// firstImport returns the first symbol of a list that an object takes from
// others, or "".
func (s *selector) firstImport(it *item, names []string) (string, error) {
	imports, err := s.imports(it)
	if at := slices.IndexFunc(imports, func(name string) bool { return slices.Contains(names, name) }); at >= 0 {
		return imports[at], err
	}
	return "", err
}

// imports returns the symbols that an object which needs glibc takes from
// others. It is for one goroutine an item.
func (s *selector) imports(it *item) ([]string, error) {
	if it.imported != nil {
		return *it.imported, nil
	}
	found, err := s.readImports(it)
	if err == nil {
		it.imported = &found
	}
	return found, err
}

func (s *selector) readImports(it *item) ([]string, error) {
	f, err := s.loader.ELF(it.node)
	if err != nil {
		return nil, s.unreadable(it, err)
	}
	if !slices.ContainsFunc(f.Needed, func(name string) bool { return name == "libc.so.6" || name == "libpthread.so.0" }) {
		return nil, nil
	}
	r, err := it.node.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	imports, err := f.Imports(r, it.node.Size)
	if err != nil {
		return nil, nil // no linker that loads the file reads on from here
	}
	return imports, nil
}
