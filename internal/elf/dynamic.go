package elf

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Tags of the dynamic section that debug/elf does not name as glibc reads
// them: DT_AUXILIARY and DT_FILTER (Solaris, Linker and Libraries Guide).
const (
	dtAudit     = elf.DynTag(0x6ffffefc)
	dtDepAudit  = elf.DynTag(0x6ffffefb)
	dtAuxiliary = elf.DT_AUXILIARY
	dtFilter    = elf.DT_FILTER
)

// A dynEntry is an entry of the dynamic section.
type dynEntry struct {
	tag   elf.DynTag
	value uint64
}

// dynamic reads the dynamic section (gABI, "Dynamic section") from where the
// linker finds it: the address in PT_DYNAMIC.
func (d *decoder) dynamic() error {
	f := d.file
	for _, s := range f.segments {
		if s.kind != elf.PT_DYNAMIC || s.filesz == 0 { // as for PT_INTERP
			continue
		}
		f.Dynamic = true
		offset, _, mapped := f.fileOffset(s.addr)
		if !mapped {
			offset = s.offset
		}
		if err := d.dynEntries(offset, s.filesz); err != nil {
			return err
		}
	}
	if !f.Dynamic {
		return nil
	}
	if err := d.dynStrings(); err != nil {
		return err
	}
	if err := d.versionNeeds(); err != nil {
		return err
	}
	return d.versionDefs()
}

// dynEntries reads entries up to DT_NULL or the end of the segment.
func (d *decoder) dynEntries(offset, size uint64) error {
	if size > maxDynamic {
		return malformed("a dynamic section of %d bytes", size)
	}
	each := uint64(binary.Size(elf.Dyn64{}))
	if d.file.Class == elf.ELFCLASS32 {
		each = uint64(binary.Size(elf.Dyn32{}))
	}
	for at := uint64(0); at+each <= size; at += each {
		data, err := d.bytes(offset+at, each)
		if err != nil {
			return err
		}
		var e dynEntry
		if order := d.file.ByteOrder; d.file.Class == elf.ELFCLASS32 {
			e = dynEntry{elf.DynTag(int32(order.Uint32(data))), uint64(order.Uint32(data[4:]))}
		} else {
			e = dynEntry{elf.DynTag(order.Uint64(data)), order.Uint64(data[8:])}
		}
		if e.tag == elf.DT_NULL {
			return nil
		}
		d.file.dynamic = append(d.file.dynamic, e)
	}
	return nil
}

// value returns the value of a tag. Of several entries the last counts, as in
// glibc and musl.
func (f *File) value(tag elf.DynTag) (uint64, bool) {
	for i := len(f.dynamic) - 1; i >= 0; i-- {
		if f.dynamic[i].tag == tag {
			return f.dynamic[i].value, true
		}
	}
	return 0, false
}

// dynString returns a string of the dynamic string table.
func (d *decoder) dynString(index uint64) (string, error) {
	table, ok := d.file.value(elf.DT_STRTAB)
	if !ok {
		return "", malformed("no dynamic string table")
	}
	offset, left, ok := d.file.fileOffset(table)
	if !ok {
		return "", malformed("its dynamic string table is not in the file")
	}
	if size, ok := d.file.value(elf.DT_STRSZ); ok {
		left = min(left, size)
	}
	if index >= left {
		return "", malformed("a string at %d of a table of %d bytes", index, left)
	}
	return d.text(offset+index, left-index)
}

// dynStrings reads the entries whose values are strings.
func (d *decoder) dynStrings() error {
	f := d.file
	flags, _ := f.value(elf.DT_FLAGS_1)
	f.NoDefaultLib = elf.DynFlag1(flags)&elf.DF_1_NODEFLIB != 0
	f.PIE = elf.DynFlag1(flags)&elf.DF_1_PIE != 0
	for _, e := range f.dynamic {
		switch e.tag {
		case elf.DT_NEEDED, dtFilter, dtAuxiliary, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH, dtAudit, dtDepAudit:
		default:
			continue
		}
		text, err := d.dynString(e.value)
		if err != nil {
			return fmt.Errorf("%s: %w", e.tag, err)
		}
		f.keep(e.tag, text)
		if len(f.Dependencies) > maxDependencies {
			return malformed("more than %d dependencies", maxDependencies)
		}
		if n := max(len(f.RPATH), len(f.RUNPATH)); n > maxFolders {
			return malformed("a search path of %d folders", n)
		}
	}
	return nil
}

func (f *File) keep(tag elf.DynTag, text string) {
	switch tag {
	case elf.DT_SONAME:
		f.Soname = text
	case elf.DT_RPATH:
		f.RPATH = strings.Split(text, ":")
	case elf.DT_RUNPATH:
		f.RUNPATH = strings.Split(text, ":")
	case dtAudit:
		f.Audit = strings.Split(text, ":")
	case dtDepAudit:
		f.DepAudit = strings.Split(text, ":")
	default:
		f.Dependencies = append(f.Dependencies, Dependency{tag, text})
		if tag == elf.DT_NEEDED {
			f.Needed = append(f.Needed, text)
		}
	}
}
