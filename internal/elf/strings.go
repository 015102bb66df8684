package elf

import (
	"bytes"
	"debug/elf"
	"io"
	"maps"
	"slices"
	"strings"
)

// Limits of the search for names.
const (
	scanBlock   = 256 << 10
	maxName     = 4096 // PATH_MAX
	maxSuspects = 4096
)

// Shell is the path at which system(3) and most programs expect the shell.
const Shell = "/bin/sh"

// A pattern is a text that a name holds, and what else makes it one.
type pattern struct {
	part string
	is   func(text string) bool
}

const suffixShared = ".so"

var patterns = []pattern{{suffixShared, isLibraryName}, {Shell, func(text string) bool { return text == Shell }}}

// Names returns the strings in the file's read-only data that look like the
// name or the path of a shared library ("libfoo.so.1"), Shell where it is one
// of them, and those of words that stand anywhere in it, sorted. The dynamic
// string table is left out: what stands there the linker deals with.
// r reads the file that f was read from.
func (f *File) Names(r io.ReaderAt, size int64, words ...string) ([]string, error) {
	found := map[string]bool{}
	for _, s := range f.constants() {
		if s.offset >= uint64(size) {
			continue
		}
		end := uint64(size)
		if s.filesz < end-s.offset {
			end = s.offset + s.filesz
		}
		skip, length := f.dynStringRange()
		for _, part := range [][2]uint64{{s.offset, min(end, skip)}, {max(s.offset, skip+length), end}} {
			if part[0] >= part[1] {
				continue
			}
			if err := scan(r, part[0], part[1], words, found); err != nil {
				return nil, err
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// constants returns the segments that hold read-only data. Linkers put it
// beside the code, or into segments of its own (ld(1), -z separate-code).
func (f *File) constants() []segment {
	var beside, alone []segment
	for _, s := range f.segments {
		switch {
		case s.kind != elf.PT_LOAD || s.flags&elf.PF_W != 0:
		case s.flags&elf.PF_X != 0:
			beside = append(beside, s)
		default:
			alone = append(alone, s)
		}
	}
	if len(alone) > 0 {
		return alone
	}
	return beside
}

// dynStringRange returns where the dynamic string table lies in the file.
func (f *File) dynStringRange() (offset, length uint64) {
	table, _ := f.value(elf.DT_STRTAB)
	offset, left, ok := f.fileOffset(table)
	if !ok {
		return 0, 0
	}
	length, _ = f.value(elf.DT_STRSZ)
	return offset, min(length, left)
}

// scan collects the names between two offsets. Blocks overlap by the
// longest name, so that none is cut.
func scan(r io.ReaderAt, from, to uint64, words []string, found map[string]bool) error {
	block := make([]byte, min(scanBlock, to-from))
	for at := from; ; at += scanBlock - 2*maxName {
		n := int(min(scanBlock, to-at))
		w := window{r: r, size: int64(to)}
		if err := w.read(block[:n], int64(at)); err != nil {
			return err
		}
		for _, p := range patterns {
			p.collect(block[:n], at == from, at+uint64(n) == to, found)
		}
		for _, word := range words {
			if !found[word] && bytes.Contains(block[:n], []byte(word)) {
				found[word] = true
			}
		}
		if at+uint64(n) >= to || len(found) >= maxSuspects {
			return nil
		}
	}
}

// collect takes the names out of a block. A name begins after a NUL byte, or
// where the segment does, and ends at one.
func (p pattern) collect(block []byte, first, last bool, found map[string]bool) {
	for at := 0; len(found) < maxSuspects; {
		i := bytes.Index(block[at:], []byte(p.part))
		if i < 0 {
			return
		}
		i += at
		begin := bytes.LastIndexByte(block[max(0, i-maxName):i], 0) + 1 + max(0, i-maxName)
		end := bytes.IndexByte(block[i:min(len(block), i+maxName)], 0)
		at = i + len(p.part)
		if end < 0 && !last || begin == 0 && !first {
			continue
		}
		if end < 0 {
			end = min(len(block), i+maxName) - i
		}
		at = max(at, i+end)
		if text := string(block[begin : i+end]); p.is(text) {
			found[text] = true
		}
	}
}

// isLibraryName says whether a string can be what dlopen(3) is called with:
// lib….so, with numbers after it or not, and with folders before it or not.
func isLibraryName(text string) bool {
	base := text[strings.LastIndexByte(text, '/')+1:]
	name, version, ok := strings.Cut(base, suffixShared)
	if !ok || len(name) < 4 || !strings.HasPrefix(name, "lib") || (version != "" && version[0] != '.') {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c > '~' || strings.IndexByte("%*?\"'`<>|;:,()[]{}\\", c) >= 0 {
			return false
		}
	}
	return true
}
