// Package elf reads what a dynamic linker reads of an ELF file: the header,
// the program headers, the dynamic section and the notes. Section headers are
// not needed, since no linker needs them and a stripped file may have none.
//
// It follows the System V gABI, chapters 4 (object files) and 5 (program
// loading and dynamic linking), and the GNU extensions described in the Linux
// Standard Base, "Symbol versioning". Files are foreign bytes: every size and
// count in them is bounded, and nothing is read beyond the given size.
//
// The standard library's debug/elf supplies the constants. Its reader does not
// serve: it finds the dynamic section by its section header, and refuses files
// for errors in sections that no linker looks at.
package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrNotELF is the error for a file that does not begin with the ELF magic.
var ErrNotELF = errors.New("not an ELF file")

// A File is what a dynamic linker sees of an ELF file.
type File struct {
	Class     elf.Class
	ByteOrder binary.ByteOrder
	OSABI     elf.OSABI
	Type      elf.Type
	Machine   elf.Machine
	Flags     uint32 // e_flags: the float ABI on ARM and RISC-V

	// Interpreter is the program's dynamic linker (PT_INTERP), or "".
	Interpreter string
	// Dynamic says that there is a dynamic section: the file is a dynamic or
	// static-pie program, or a shared object.
	Dynamic bool
	// PIE says that the file is a program although its type is that of a
	// shared object (DF_1_PIE).
	PIE bool

	// Soname is the object's own name (DT_SONAME), or "".
	Soname string
	// Needed are the names in DT_NEEDED, in order.
	Needed []string
	// Dependencies are DT_NEEDED, DT_FILTER and DT_AUXILIARY in the order in
	// which they stand, which is the one that counts.
	Dependencies []Dependency
	// RPATH and RUNPATH are the elements of the search paths as they stand,
	// and nil where the object has none. An empty element is kept.
	RPATH, RUNPATH []string
	// NoDefaultLib is DF_1_NODEFLIB: the default folders are not searched.
	NoDefaultLib bool
	// Audit and DepAudit are the names in DT_AUDIT and DT_DEPAUDIT.
	Audit, DepAudit []string

	// VersionNeeds are the symbol versions that the object needs of others.
	VersionNeeds []VersionNeed
	// VersionDefs are the symbol versions that the object defines, nil where
	// it has no such table.
	VersionDefs []string

	// ISALevel is the level of the x86-64 psABI that the file declares to need
	// of the CPU: 0 for the baseline, and where it declares none.
	ISALevel int
	// BuildID is the GNU build id in hexadecimal, or "".
	BuildID string
	// DlopenNotes are the libraries that the object loads by name.
	DlopenNotes []DlopenNote

	dynamic  []dynEntry
	segments []segment
	sections sectionTable
}

// A Dependency is an object that the linker loads along with another.
type Dependency struct {
	Tag  elf.DynTag // DT_NEEDED, DT_FILTER, DT_AUXILIARY
	Name string
}

// A segment is an entry of the program header table.
type segment struct {
	kind                               elf.ProgType
	flags                              elf.ProgFlag
	offset, addr, filesz, memsz, align uint64
}

// Limits on what a file may declare. The kernel refuses program headers of
// more than 64 KiB; the others are far above what any linker wrote.
const (
	maxHeaders     = 64 << 10
	maxDynamic     = 1 << 20
	maxString      = 64 << 10
	maxInterpreter = 4096 // PATH_MAX, which the kernel imposes
	maxNotes       = 1 << 20
	maxVersions    = 1 << 14
	// Together these two bound how many places are searched for one file.
	maxDependencies = 2048
	maxFolders      = 1024 // of RPATH and RUNPATH
)

// Read reads an ELF file of the given size. It returns ErrNotELF for a file
// that is none, and another error for one that no linker could load. With a
// *FormatError the File tells what the ELF header says, as far as it could be
// read: linkers look no further at a file of another kind. It keeps no hold of
// r.
func Read(r io.ReaderAt, size int64) (*File, error) {
	if err := checkMagic(r, size); err != nil {
		return nil, err
	}
	f := &File{}
	d := &decoder{window: window{r: r, size: size}, file: f}
	for _, step := range []func() error{d.header, d.interpreter, d.dynamic, d.notes} {
		if err := step(); err != nil {
			return f, err
		}
	}
	return f, nil
}

// checkMagic returns ErrNotELF for a file that does not begin as ELF.
func checkMagic(r io.ReaderAt, size int64) error {
	magic := make([]byte, len(elf.ELFMAG))
	if n, err := r.ReadAt(magic, 0); size < int64(len(magic)) || n < len(magic) || string(magic) != elf.ELFMAG {
		if err != nil && !errors.Is(err, io.EOF) && size >= int64(len(magic)) {
			return err
		}
		return ErrNotELF
	}
	return nil
}

// A decoder reads one file.
type decoder struct {
	window
	file *File
}

// A FormatError tells in what a file that begins as ELF is not as the gABI has
// it.
type FormatError struct{ Reason string }

// Error returns the reason.
func (e *FormatError) Error() string { return "malformed ELF file: " + e.Reason }

func malformed(format string, args ...any) error {
	return &FormatError{fmt.Sprintf(format, args...)}
}

// header reads the ELF header (gABI, "ELF header") and the program headers.
func (d *decoder) header() error {
	ident, err := d.bytes(0, elf.EI_NIDENT)
	if err != nil {
		return err
	}
	f := d.file
	f.Class, f.OSABI = elf.Class(ident[elf.EI_CLASS]), elf.OSABI(ident[elf.EI_OSABI])
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.ByteOrder = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.ByteOrder = binary.BigEndian
	default:
		return malformed("byte order %d", ident[elf.EI_DATA])
	}
	if v := elf.Version(ident[elf.EI_VERSION]); v != elf.EV_CURRENT {
		return malformed("version %d", v)
	}
	switch f.Class {
	case elf.ELFCLASS64:
		var h elf.Header64
		if err := d.decode(0, &h); err != nil {
			return err
		}
		f.Type, f.Machine, f.Flags = elf.Type(h.Type), elf.Machine(h.Machine), h.Flags
		f.sections = sectionTable{h.Shoff, int(h.Shentsize), int(h.Shnum), int(h.Shstrndx)}
		return d.programHeaders(h.Phoff, int(h.Phentsize), int(h.Phnum))
	case elf.ELFCLASS32:
		var h elf.Header32
		if err := d.decode(0, &h); err != nil {
			return err
		}
		f.Type, f.Machine, f.Flags = elf.Type(h.Type), elf.Machine(h.Machine), h.Flags
		f.sections = sectionTable{uint64(h.Shoff), int(h.Shentsize), int(h.Shnum), int(h.Shstrndx)}
		return d.programHeaders(uint64(h.Phoff), int(h.Phentsize), int(h.Phnum))
	}
	return malformed("class %d", ident[elf.EI_CLASS])
}

// programHeaders reads the program header table (gABI, "Program header").
func (d *decoder) programHeaders(offset uint64, size, count int) error {
	if count == 0 {
		return nil
	}
	want := binary.Size(elf.Prog64{})
	if d.file.Class == elf.ELFCLASS32 {
		want = binary.Size(elf.Prog32{})
	}
	if size != want {
		return malformed("program headers of %d bytes", size)
	}
	if size*count > maxHeaders {
		return malformed("%d program headers", count)
	}
	data, err := d.bytes(offset, uint64(size*count))
	if err != nil {
		return err
	}
	for ; len(data) > 0; data = data[size:] {
		s, err := d.segment(data[:size])
		if err != nil {
			return err
		}
		d.file.segments = append(d.file.segments, s)
	}
	return nil
}

func (d *decoder) segment(data []byte) (segment, error) {
	if d.file.Class == elf.ELFCLASS32 {
		var p elf.Prog32
		_, err := binary.Decode(data, d.file.ByteOrder, &p)
		return segment{
			elf.ProgType(p.Type), elf.ProgFlag(p.Flags),
			uint64(p.Off), uint64(p.Vaddr), uint64(p.Filesz), uint64(p.Memsz), uint64(p.Align),
		}, err
	}
	var p elf.Prog64
	_, err := binary.Decode(data, d.file.ByteOrder, &p)
	return segment{elf.ProgType(p.Type), elf.ProgFlag(p.Flags), p.Off, p.Vaddr, p.Filesz, p.Memsz, p.Align}, err
}

// interpreter reads PT_INTERP (gABI, "Program interpreter").
func (d *decoder) interpreter() error {
	for _, s := range d.file.segments {
		// A file with detached debugging information keeps the header only.
		if s.kind != elf.PT_INTERP || s.filesz == 0 && s.memsz > 0 {
			continue
		}
		if s.filesz < 2 || s.filesz > maxInterpreter {
			return malformed("the name of its interpreter has %d bytes", s.filesz)
		}
		data, err := d.bytes(s.offset, s.filesz)
		if err != nil {
			return err
		}
		name, _, terminated := bytes.Cut(data, []byte{0})
		if !terminated {
			return malformed("the name of its interpreter does not end")
		}
		d.file.Interpreter = string(name)
		return nil // as in the kernel, the first one counts
	}
	return nil
}

// fileOffset returns where the bytes at a virtual address are in the file, and
// how many follow in the same segment. It is false where no PT_LOAD segment
// holds the address.
func (f *File) fileOffset(addr uint64) (offset, left uint64, ok bool) {
	for _, s := range f.segments {
		if s.kind == elf.PT_LOAD && addr >= s.addr && addr-s.addr < s.filesz {
			delta := addr - s.addr
			if s.offset+delta < s.offset {
				return 0, 0, false
			}
			return s.offset + delta, s.filesz - delta, true
		}
	}
	return 0, 0, false
}
