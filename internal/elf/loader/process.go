package loader

import (
	"slices"

	"smith/internal/elf"
	"smith/internal/tree"
)

// A Kind says why an object is in a process.
type Kind string

// The kinds of objects.
const (
	Needed    Kind = "needed"    // DT_NEEDED of an object
	Preload   Kind = "preload"   // LD_PRELOAD or /etc/ld.so.preload
	Filter    Kind = "filter"    // DT_FILTER of an object
	Auxiliary Kind = "auxiliary" // DT_AUXILIARY of an object
	Audit     Kind = "audit"     // LD_AUDIT, DT_AUDIT, DT_DEPAUDIT, and what those objects need
	Dlopen    Kind = "dlopen"    // asked for by name
	Linker    Kind = "linker"    // the interpreter
)

// A Process is what the dynamic linker makes of a program before its first
// instruction runs, or of a shared object that is opened in a process of its
// own kind.
type Process struct {
	// File is the path as it was asked for.
	File string
	// Interpreter is the dynamic linker that does the loading: of a program
	// the one that it names, of a shared object the one that would serve it.
	// It is nil for a static file, and where the tree does not hold it.
	Interpreter *Library
	// Libraries are the objects loaded beside the file, in the order of the
	// linker's own list ("ld.so --list"), without the interpreter. Those of
	// auditing come last.
	Libraries []Library
	// Missing are the objects that were not found, once for each object that
	// asked for them, as the linker lists them.
	Missing []Missing
	// Versions are the symbol versions that the objects found do not define.
	Versions []VersionError
}

// A Library is an object that the linker opens.
type Library struct {
	// Name is what was asked for: a soname, or a path.
	Name string
	// Path is where the linker opens it, links not resolved.
	Path string
	// Node is the file that it reads.
	Node *tree.Node
	// NeededBy is the path of the object that asked first, or of the file that
	// names a preload.
	NeededBy string
	// Found says where the search ended, for a reader.
	Found string
	Kind  Kind
	// Also are the requests that found the object in the process already.
	Also []Request
}

// A Request is an object's wish for another one by a name.
type Request struct {
	// By is the path of the object that asks.
	By   string
	Name string
}

// A Missing is an object that was not found or cannot be loaded.
type Missing struct {
	Name     string
	NeededBy string
	Kind     Kind
	// Searched are the places looked at, in order: folders and the cache.
	Searched []string
	// Reason tells what stood in the way, "" where there was nothing: a file
	// of the wrong kind that was passed over, or one at which the linker stops.
	Reason string
}

// Fatal says whether the program does not start: the linker goes on without a
// preload, an auditor or an auxiliary object.
func (m Missing) Fatal() bool {
	return m.Kind != Preload && m.Kind != Audit && m.Kind != Auxiliary
}

// A VersionError is a symbol version that an object needs and that the library
// found for it does not define. The program does not start, unless it is weak.
type VersionError struct {
	Version  string // "GLIBC_2.38", "" where the library is absent
	Library  string // path of the library, or its name where it is absent
	NeededBy string // path of the object
	Weak     bool   // the linker only warns
	// Absent says that nothing has asked for the library, so that it is not in
	// the process: glibc aborts.
	Absent bool
}

// An object is a member of a process while it is being put together; the
// counterpart of glibc's link_map.
type object struct {
	Library
	file   *elf.File
	names  []string // under which it was found
	loader *object  // that asked for it first
	origin string   // what $ORIGIN stands for
	faked  bool     // it was not found
	listed bool     // it is in the search list
	done   bool     // its dependencies are mapped
}

// answers says whether a request for a name is met by the object.
func (o *object) answers(name string) bool {
	if o.faked {
		return false
	}
	return slices.Contains(o.names, name) || o.file.Soname != "" && o.file.Soname == name
}

// goesBy reports whether an object was found under a name. Its soname is one
// only after a request for it; the linker's own always is (glibc, elf/rtld.c).
func (o *object) goesBy(name string) bool {
	return slices.Contains(o.names, name) || o.Kind == Linker && o.file.Soname == name
}

// named notes a further name under which the object was found.
func (o *object) named(name string) {
	if !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
}

// again notes that another object asks for this one.
func (o *object) again(by *object, name string) *object {
	if by != nil && by != o && by.Path != o.NeededBy {
		o.Also = append(o.Also, Request{by.Path, name})
	}
	return o
}

// same says whether two nodes are one file, as device and inode tell a linker.
func same(a, b *tree.Node) bool {
	return a == b || (a.Inode != nil && a.Inode == b.Inode)
}
