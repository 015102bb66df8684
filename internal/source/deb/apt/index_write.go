package apt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"smith/internal/source/deb/control"
	"smith/internal/store"
)

const (
	// indexes is the bucket of indexes, by the digest of the Packages file and
	// the version of their form.
	indexes = "deb-index-2"
	// maxIndex bounds the plain bytes of a Packages file; Debian's main has 50 MB.
	maxIndex = 1 << 30
)

// keptFields are the fields of a package that something here reads.
var keptFields = map[string]bool{
	"Package": true, "Version": true, "Architecture": true, "Multi-Arch": true, "Source": true,
	"Essential": true, "Protected": true, "Priority": true, "Installed-Size": true, "Phased-Update-Percentage": true,
	"Depends": true, "Pre-Depends": true, "Recommends": true, "Conflicts": true, "Breaks": true, "Replaces": true,
	"Provides": true, "Filename": true, "Size": true, "SHA256": true, "SHA512": true,
}

// writeIndex reads a Packages file and keeps its index under a key.
func writeIndex(ctx context.Context, st *store.Store, key string, packages io.Reader) error {
	w, err := st.Create(indexes)
	if err != nil {
		return err
	}
	defer w.Discard()
	x := &indexWriter{w: w, refs: map[string][]uint32{}}
	r := control.NewReader(packages)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = x.add(p)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	if err := x.finish(); err != nil {
		return err
	}
	e, err := w.Commit(key)
	if err != nil {
		return err
	}
	return e.Close()
}

// An indexWriter collects an index.
type indexWriter struct {
	w       *store.Writer
	buffer  []byte
	offsets []uint32
	refs    map[string][]uint32
}

// add takes a package in. One that lacks what every package has is no
// package of Debian's: dpkg-scanpackages would not have listed it.
func (x *indexWriter) add(p control.Paragraph) error {
	name, number := p.Get("Package"), uint32(len(x.offsets))
	if name == "" || p.Get("Version") == "" || p.Get("Architecture") == "" {
		return fmt.Errorf("package %d of the list has no name, version or architecture", number+1)
	}
	at := x.w.Size() + int64(len(x.buffer))
	if at > maxIndex || at > math.MaxUint32 {
		return fmt.Errorf("a list of packages of more than %d bytes", maxIndex)
	}
	x.offsets = append(x.offsets, uint32(at))
	x.refs[name] = append(x.refs[name], number)
	if p.Get("Essential") == "yes" {
		x.refs[essential] = append(x.refs[essential], number|provided)
	}
	if err := x.provide(p, number); err != nil {
		return fmt.Errorf("package %s: %w", name, err)
	}
	kept := slices.DeleteFunc(p, func(f control.Field) bool { return !keptFields[f.Name] })
	x.buffer = append(x.buffer, kept.String()...)
	if len(x.buffer) > 1<<20 {
		return x.flush()
	}
	return nil
}

// provide notes the names that a package provides, each once.
func (x *indexWriter) provide(p control.Paragraph, number uint32) error {
	text := p.Get("Provides")
	if text == "" {
		return nil
	}
	relations, err := control.ParseRelations(text, p.Get("Architecture"))
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, alternatives := range relations {
		for _, r := range alternatives {
			if !seen[r.Name] {
				seen[r.Name] = true
				x.refs[r.Name] = append(x.refs[r.Name], number|provided)
			}
		}
	}
	return nil
}

func (x *indexWriter) flush() error {
	_, err := x.w.Write(x.buffer)
	x.buffer = x.buffer[:0]
	return err
}

// finish writes the tables.
func (x *indexWriter) finish() error {
	end := uint32(x.w.Size() + int64(len(x.buffer)))
	for _, offset := range append(x.offsets, end) {
		x.number(offset)
	}
	names := slices.Sorted(maps.Keys(x.refs))
	at := 0
	for _, name := range names {
		x.number(uint32(at))
		at += len(name)
	}
	x.number(uint32(at))
	entries := 0
	for _, name := range names {
		x.number(uint32(entries))
		entries += len(x.refs[name])
	}
	x.number(uint32(entries))
	for _, name := range names {
		x.buffer = append(x.buffer, name...)
	}
	for _, name := range names {
		for _, ref := range x.refs[name] {
			x.number(ref)
		}
	}
	x.buffer = append(x.buffer, indexMagic...)
	for _, count := range []int{len(x.offsets), len(names), at, entries} {
		x.number(uint32(count))
	}
	return x.flush()
}

func (x *indexWriter) number(n uint32) { x.buffer = binary.LittleEndian.AppendUint32(x.buffer, n) }
