package closure

import (
	stdelf "debug/elf"
	"strings"
	"testing"

	"smith/internal/elf"
	"smith/internal/elf/elftest"
)

// object makes an ELF file of words:
//
//	program             has the interpreter of glibc on amd64
//	interpreter=PATH    has another one
//	needs=NAME,NAME     DT_NEEDED
//	soname=NAME, runpath=FOLDERS
//	imports=NAME,NAME   symbols that it uses
//	defines=NAME,NAME   symbol versions
//	wants=LIBRARY,VERSION,VERSION?   those it needs; "?" is a weak need
//	arm64               is for another architecture
//	strings=TEXT,TEXT   in its read-only data
//	note=JSON           a dlopen note
func object(t testing.TB, words string) []byte {
	t.Helper()
	var o elftest.Object
	for word := range strings.FieldsSeq(words) {
		key, value, _ := strings.Cut(word, "=")
		list := strings.Split(value, ",")
		switch key {
		case "program":
			o.Interpreter = "/lib64/ld-linux-x86-64.so.2"
		case "interpreter":
			o.Interpreter = value
		case "needs":
			o.Needed = list
		case "soname":
			o.Soname = value
		case "runpath":
			o.RUNPATH = value
		case "imports":
			o.Imports = list
		case "defines":
			o.VersionDefs = list
		case "wants":
			o.VersionNeeds = append(o.VersionNeeds, versionNeed(list))
		case "arm64":
			o.Machine = stdelf.EM_AARCH64
		case "strings":
			o.Strings = list
		case "note":
			o.Dlopen = value
		case "library":
		default:
			t.Fatalf("%q: no such word", word)
		}
	}
	return elftest.Build(o)
}

func versionNeed(list []string) elf.VersionNeed {
	need := elf.VersionNeed{Library: list[0]}
	for _, v := range list[1:] {
		name, weak := strings.CutSuffix(v, "?")
		need.Versions = append(need.Versions, elf.Version{Name: name, Weak: weak})
	}
	return need
}

// glibc are the files that every program of a root with glibc needs.
const glibc = `
	link lib64 usr/lib64
	link lib usr/lib
	link usr/lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
	elf 0755 usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 soname=ld-linux-x86-64.so.2
	elf 0644 usr/lib/x86_64-linux-gnu/libc.so.6 soname=libc.so.6 needs=ld-linux-x86-64.so.2 defines=libc.so.6,GLIBC_2.34
`

// own returns the lines of a selection that glibc alone does not bring.
func own(t testing.TB, s *Selection) []string {
	t.Helper()
	var list []string
	for _, l := range show(t, s) {
		if !strings.Contains(l, "ld-linux-x86-64.so.2  <-") && !strings.Contains(l, "ld-linux-x86-64.so.2 ->") &&
			!strings.Contains(l, "libc.so.6  <-") && !strings.HasPrefix(l, "symlink lib") {
			list = append(list, l)
		}
	}
	return list
}

// suspects returns the names of the suspects.
func suspects(s *Selection) []string {
	var names []string
	for _, f := range s.Suspects {
		names = append(names, f.Name)
	}
	return names
}
