package watch

import (
	"regexp"
	"strings"
)

// A Kind is what a program missed.
type Kind uint8

// The kinds.
const (
	// File is a file or directory, by its path.
	File Kind = iota + 1
	// Command is a program that was looked for in PATH.
	Command
	// Library is a shared library, by its soname.
	Library
	// Module is a module of Python, by its dotted name.
	Module
	// Unwritable is a path on the read-only root.
	Unwritable
)

// A Mention is something that a program said it did not find.
type Mention struct {
	Kind Kind
	Name string
}

// mostText bounds the text that is searched: the end of what was printed.
const mostText = 64 << 10

// A pattern finds a mention in a line: its first group is the name.
type pattern struct {
	kind Kind
	exp  *regexp.Regexp
}

// patterns are what interpreters, shells and dynamic linkers print. The first
// that matches a line counts.
func patterns() []pattern {
	return []pattern{
		{Module, regexp.MustCompile(`(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)`)},
		{File, regexp.MustCompile(`Can't locate (\S+\.p[ml]) in @INC`)},                                     // perl
		{File, regexp.MustCompile(`cannot load such file -- (\S+)`)},                                        // ruby
		{File, regexp.MustCompile(`Cannot find (?:module|package) '([^']+)'`)},                              // node
		{File, regexp.MustCompile(`module '([\w./-]+)' not found`)},                                         // lua
		{File, regexp.MustCompile(`can't find package (\S+)`)},                                              // tcl
		{Library, regexp.MustCompile(`([^\s:'"/]+\.so[.\d]*): cannot open shared object file`)},             // glibc
		{Library, regexp.MustCompile(`Error loading shared library ([^\s:]+):`)},                            // musl
		{Command, regexp.MustCompile(`\d: ([\w.+-]+): not found`)},                                          // dash
		{Command, regexp.MustCompile(`: ([\w.+-]+): command not found`)},                                    // bash
		{Command, regexp.MustCompile(`env: ['‘"]?([\w.+-]+)['’"]?: No such file or directory`)},             // env
		{Command, regexp.MustCompile(`exec: "([\w.+-]+)": executable file not found in \$PATH`)},            // Go
		{Unwritable, regexp.MustCompile(`['"‘“( =]?(/[\w./+@-]+)\W[^/]*(?i:read-only file ?system)`)},       // EROFS
		{Unwritable, regexp.MustCompile(`cannot create (/\S+): Directory nonexistent`)},                     // dash
		{File, regexp.MustCompile(`['"‘“( =]?(/[\w./+@-]+)\W[^/]*(?:No such file or directory|not found)`)}, // ENOENT
		{File, regexp.MustCompile(`No such file or directory: ['"](/[\w./+@-]+)['"]`)},                      // Python
		{Unwritable, regexp.MustCompile(`Read-only file system: ['"](/[\w./+@-]+)['"]`)},
	}
}

// Mentions returns what a program said it did not find, each once, the last one
// first.
func Mentions(text string) []Mention {
	if len(text) > mostText {
		text = text[len(text)-mostText:]
	}
	all := patterns()
	seen := map[Mention]bool{}
	var found []Mention
	lines := strings.Split(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		for _, p := range all {
			match := p.exp.FindStringSubmatch(lines[i])
			if match == nil {
				continue
			}
			if m := (Mention{p.kind, match[1]}); !seen[m] {
				seen[m] = true
				found = append(found, m)
			}
			break
		}
	}
	return found
}

// A Tail keeps the end of what is written to it. It is not safe for concurrent
// use.
type Tail struct{ text []byte }

// Write keeps what is written.
func (t *Tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - mostText; extra > mostText {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// String returns the end.
func (t *Tail) String() string {
	return string(t.text[max(0, len(t.text)-mostText):])
}
