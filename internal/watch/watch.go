// Package watch reports what a program in a container looked for and did not
// find. It listens to the system calls that look for files, as a seccomp filter
// hands them over (seccomp_unotify(2)), lets each of them go on, and looks at
// what it asked for: no tracer, no privilege, and the program runs at nearly
// its own speed. What interpreters and shells print of missing modules and
// commands is read as well (messages.go): Python reads a directory once and
// asks for no file that is not in it.
//
// The package is safe for hostile programs: what it reads of them is bounded,
// is used in the report only, and never decides whether a call goes on. A
// program can lie about what it misses, to its own loss.
package watch

import (
	"path"
	"slices"
	"strings"
)

// An Intent is what a system call wants of a path.
type Intent uint8

// The intents.
const (
	// Look wants the path to exist: open(2) for reading, stat(2), access(2).
	Look Intent = iota + 1
	// Execute wants to execute it.
	Execute
	// Write wants to write to it or to create it.
	Write
)

// An Outcome is what the call will find.
type Outcome uint8

// The outcomes.
const (
	// Found leads to something.
	Found Outcome = iota + 1
	// Missing leads to nothing: ENOENT or ENOTDIR.
	Missing
	// ReadOnly would write to a file system that is read-only.
	ReadOnly
)

// A Call is one system call that looked for a path.
type Call struct {
	Intent  Intent
	Outcome Outcome
	// Path is absolute and clean, as the program sees it.
	Path string
	// Program is the executable of the process that asks.
	Program string
}

// mostCalls bounds the different calls that a Journal keeps.
const mostCalls = 50_000

// A Journal keeps the calls of a container, each once, in the order of their
// last occurrence. It is not safe for concurrent use.
type Journal struct {
	last map[Call]int
	next int
	// Full reports whether calls were dropped.
	Full bool
}

// Add adds a call.
func (j *Journal) Add(c Call) {
	if j.last == nil {
		j.last = map[Call]int{}
	}
	if _, known := j.last[c]; !known && len(j.last) >= mostCalls {
		j.Full = true
		return
	}
	j.next++
	j.last[c] = j.next
}

// Calls returns the calls, the last one first.
func (j *Journal) Calls() []Call {
	calls := make([]Call, 0, len(j.last))
	for c := range j.last {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b Call) int { return j.last[b] - j.last[a] })
	return calls
}

// ofKernel reports whether a path is in a file system of the kernel's, which no
// package fills.
func ofKernel(name string) bool {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// stem is the name of a path without what search paths vary: the directory's
// name and the base up to its first dot.
func stem(name string) string {
	base := path.Base(name)
	if i := strings.IndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	return path.Dir(name) + "/" + base
}
