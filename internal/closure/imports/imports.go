// Package imports holds what the readers of scripts under it have in common:
// the references that a script makes to modules, files and programs. A reader
// is a pure function from a script's bytes to its references. Nothing is
// executed, no name is looked up, and a name that is known only when the
// script runs is listed as computed.
package imports

import "slices"

// A Kind is what a reference names.
type Kind uint8

// The kinds of references.
const (
	// Module is a module by the name that the language has for it.
	Module Kind = iota + 1
	// File is a file by its path: absolute, or relative to the script's own
	// directory where it begins with "./" or "../", or else to a search path.
	File
	// Command is a program that is run: a name to be found in PATH, or a path.
	Command
	// Library is a shared library that is loaded by name.
	Library
	// Directory is one that the script adds to its search path. Relative ones
	// count from the script's own directory.
	Directory
	// Metadata is a distribution of modules whose description is read.
	Metadata
	// Computed is a module or file whose name is known only at run time. Name
	// shows what stands in the script.
	Computed
)

// String returns the word that a reader knows the kind by.
func (k Kind) String() string {
	names := [...]string{"unknown", "module", "file", "command", "library", "directory", "metadata", "computed"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// A Reference is one thing that a script names.
type Reference struct {
	Kind Kind
	Name string
	// Names are what is taken out of a module and may be modules in it, or what
	// is asked of a distribution.
	Names []string
	Line  int
	// Optional says that the script does without it: it asks first, or catches
	// the failure.
	Optional bool
	// Late says that it is needed only where a function is called or a condition
	// holds.
	Late bool
}

const (
	// MaxSize is how many bytes of a script are read at the most.
	MaxSize = 4 << 20
	// MaxReferences bounds what is taken from one script.
	MaxReferences = 20000
	// MaxName bounds a name; what is longer is none.
	MaxName = 1024
)

// A List collects references. The zero value is ready.
type List struct{ All []Reference }

// Add takes a reference unless it has no name or there are too many.
func (l *List) Add(r Reference) {
	if r.Name == "" || len(r.Name) > MaxName || len(l.All) >= MaxReferences {
		return
	}
	l.All = append(l.All, r)
}

// Compact drops what was named before with the same meaning. One that is needed
// in any case takes the place of one that is optional or late.
func (l *List) Compact() []Reference {
	type key struct {
		kind Kind
		name string
	}
	var kept []Reference
	at := map[key]int{}
	for _, r := range l.All {
		k := key{r.Kind, r.Name}
		i, known := at[k]
		if !known || len(kept[i].Names)+len(r.Names) > 0 && !slices.Equal(kept[i].Names, r.Names) {
			at[k] = len(kept)
			kept = append(kept, r)
			continue
		}
		if kept[i].Optional && !r.Optional || kept[i].Optional == r.Optional && kept[i].Late && !r.Late {
			kept[i].Optional, kept[i].Late, kept[i].Line = r.Optional, r.Late, r.Line
		}
	}
	return kept
}
