package elf

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxPaths bounds the paths that are taken from one file.
const maxPaths = 8192

// Paths returns the strings in the file's read-only data that look like
// absolute paths, sorted: those of a list with colons each, and of a format the
// directory before its first directive. Strings that begin with "lib", "share"
// or their kin and a slash are paths below a prefix, and stand without a slash
// before them. Compilers that do not end strings with a NUL byte (Go, Rust)
// leave none to be found. r reads the file that f was read from.
func (f *File) Paths(r io.ReaderAt, size int64) ([]string, error) {
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
			if err := scanPaths(r, part[0], part[1], found); err != nil {
				return nil, err
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// scanPaths collects the paths between two offsets. Blocks overlap by the
// longest path.
func scanPaths(r io.ReaderAt, from, to uint64, found map[string]bool) error {
	block := make([]byte, min(scanBlock, to-from))
	for at := from; ; at += scanBlock - maxName {
		n := int(min(scanBlock, to-at))
		w := window{r: r, size: int64(to)}
		if err := w.read(block[:n], int64(at)); err != nil {
			return err
		}
		collectPaths(block[:n], found)
		if at+uint64(n) >= to || len(found) >= maxPaths {
			return nil
		}
	}
}

// collectPaths takes the paths out of a block: a path begins after a NUL byte,
// and ends at one.
func collectPaths(block []byte, found map[string]bool) {
	for at := 0; len(found) < maxPaths; {
		i := bytes.IndexByte(block[at:], '/')
		if i < 0 {
			return
		}
		i += at
		begin := i
		for begin > 0 && i-begin < longestTop && block[begin-1] != 0 {
			begin--
		}
		length := bytes.IndexByte(block[i:], 0)
		if length < 0 {
			return
		}
		at = i + length + 1
		if (begin == 0 || block[begin-1] == 0) && length <= maxName {
			addPaths(string(block[begin:i+length]), found)
		}
	}
}

// longestTop is the length of the longest name that a path below a prefix may
// begin with.
const longestTop = len("libexec")

// addPaths takes the paths of a string.
func addPaths(text string, found map[string]bool) {
	if text[0] != '/' {
		top, _, _ := strings.Cut(text, "/")
		switch top {
		case "lib", "lib64", "libexec", "share", "etc":
		default:
			return
		}
	}
	for part := range strings.SplitSeq(text, ":") {
		if i := strings.IndexAny(part, "%*?[{$"); i >= 0 {
			part = part[:strings.LastIndexByte(part[:i], '/')+1]
		}
		if isPath(part) {
			found[strings.TrimRight(part, "/")] = true
		}
	}
}

// isPath reports whether a string can be the path of something installed.
func isPath(text string) bool {
	if len(text) < 5 || strings.Contains(text, "//") || !strings.Contains(text[1:], "/") {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || strings.IndexByte("\"'`<>|;,(){}\\=&!#^", c) >= 0 {
			return false
		}
	}
	return true
}
