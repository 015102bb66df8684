// Package elftest makes small ELF files for tests: of every class, byte order
// and machine, with a dynamic section that says what a test wants, and with
// nothing to execute. A dynamic linker lists their dependencies as those of
// any other object. They have no section headers.
package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"

	own "smith/internal/elf"
)

// An Object says what the file is to say. The zero value is a shared object
// for amd64.
type Object struct {
	Class     elf.Class
	ByteOrder binary.ByteOrder
	Machine   elf.Machine
	Type      elf.Type // ET_DYN where it is 0
	Flags     uint32

	Interpreter    string
	PIE            bool
	Soname         string
	Needed         []string
	RPATH, RUNPATH string // "" for none
	NoDefaultLib   bool
	VersionNeeds   []own.VersionNeed
	VersionDefs    []string
	Dlopen         string // JSON of a note
	Imports        []string
	Strings        []string // of the read-only data
}

// A builder puts the parts of a file one after the other; the address of each
// is its offset.
type builder struct {
	Object
	out     bytes.Buffer
	text    strings.Builder // the dynamic string table
	entries []uint64        // of the dynamic section, tag and value
}

// Build returns the file.
func Build(o Object) []byte {
	if o.Class == 0 {
		o.Class = elf.ELFCLASS64
	}
	if o.ByteOrder == nil {
		o.ByteOrder = binary.LittleEndian
	}
	if o.Machine == 0 {
		o.Machine = elf.EM_X86_64
	}
	if o.Type == 0 {
		o.Type = elf.ET_DYN
	}
	b := &builder{Object: o}
	b.text.WriteByte(0)
	return b.build()
}

// A segment is a program header.
type segment struct {
	kind     elf.ProgType
	at, size uint64
	flags    elf.ProgFlag
}

const writable = elf.PF_R | elf.PF_W

func (b *builder) wide() bool { return b.Class == elf.ELFCLASS64 }

// headers returns the size of the ELF header and that of n program headers.
func (b *builder) headers(n int) (first, rest int) {
	if b.wide() {
		return 64, n * 56
	}
	return 52, n * 32
}

func (b *builder) build() []byte {
	first, rest := b.headers(6)
	b.out.Write(make([]byte, first+rest))
	interpreter := b.part(append([]byte(b.Interpreter), 0))
	note := b.part(b.note())
	b.strings()
	b.symbols()
	b.versions()
	text := b.part([]byte(b.text.String()))
	b.add(elf.DT_STRTAB, text[0])
	b.add(elf.DT_STRSZ, text[1])
	b.add(elf.DT_NULL, 0)
	dynamic := b.dynamic()
	readOnly := b.part([]byte(strings.Join(b.Strings, "\x00") + "\x00"))

	// PT_PHDR tells the linker of a program at which address it is.
	progs := []segment{{elf.PT_PHDR, uint64(first), uint64(rest), writable}}
	if b.Interpreter != "" {
		progs = append(progs, segment{elf.PT_INTERP, interpreter[0], interpreter[1], writable})
	}
	progs = append(progs, segment{elf.PT_LOAD, 0, uint64(b.out.Len()), writable}, segment{elf.PT_DYNAMIC, dynamic[0], dynamic[1], writable})
	if b.Strings != nil {
		progs = append(progs, segment{elf.PT_LOAD, readOnly[0], readOnly[1], elf.PF_R})
	}
	if b.Dlopen != "" {
		progs = append(progs, segment{elf.PT_NOTE, note[0], note[1], writable})
	}
	data := b.out.Bytes()
	copy(data, b.header(progs))
	return data
}

// part appends bytes, aligned, and returns their offset and size.
func (b *builder) part(data []byte) [2]uint64 {
	for b.out.Len()%8 != 0 {
		b.out.WriteByte(0)
	}
	at := uint64(b.out.Len())
	b.out.Write(data)
	return [2]uint64{at, uint64(len(data))}
}

// put appends values and returns their offset.
func (b *builder) put(v any) uint64 {
	data, _ := binary.Append(nil, b.ByteOrder, v)
	return b.part(data)[0]
}

func (b *builder) add(tag elf.DynTag, value uint64) {
	b.entries = append(b.entries, uint64(tag), value)
}

// intern adds a string to the string table.
func (b *builder) intern(text string) uint64 {
	at := b.text.Len()
	b.text.WriteString(text + "\x00")
	return uint64(at)
}

func (b *builder) strings() {
	for _, n := range b.Needed {
		b.add(elf.DT_NEEDED, b.intern(n))
	}
	for _, e := range []struct {
		tag  elf.DynTag
		text string
	}{{elf.DT_SONAME, b.Soname}, {elf.DT_RPATH, b.RPATH}, {elf.DT_RUNPATH, b.RUNPATH}} {
		if e.text != "" {
			b.add(e.tag, b.intern(e.text))
		}
	}
	var flags elf.DynFlag1
	if b.NoDefaultLib {
		flags |= elf.DF_1_NODEFLIB
	}
	if b.PIE {
		flags |= elf.DF_1_PIE
	}
	b.add(elf.DT_FLAGS_1, uint64(flags))
}

// symbols appends the symbol table: the null symbol and the imports.
func (b *builder) symbols() {
	each := elf.Sym64Size
	if !b.wide() {
		each = elf.Sym32Size
	}
	table := make([]byte, each*(1+len(b.Imports)))
	for i, name := range b.Imports {
		b.ByteOrder.PutUint32(table[each*(1+i):], uint32(b.intern(name)))
	}
	b.add(elf.DT_SYMTAB, b.part(table)[0])
	b.add(elf.DT_SYMENT, uint64(each))
}

// versions appends Elfxx_Verneed with its Vernaux, and Elfxx_Verdef with its
// Verdaux.
func (b *builder) versions() {
	var need []byte
	word := func(out []byte, values ...any) []byte {
		for _, v := range values {
			out, _ = binary.Append(out, b.ByteOrder, v)
		}
		return out
	}
	for i, n := range b.VersionNeeds {
		next := uint32(16 + 16*len(n.Versions))
		if i == len(b.VersionNeeds)-1 {
			next = 0
		}
		need = word(need, uint16(1), uint16(len(n.Versions)), uint32(b.intern(n.Library)), uint32(16), next)
		for j, v := range n.Versions {
			next, flags := uint32(16), uint16(0)
			if j == len(n.Versions)-1 {
				next = 0
			}
			if v.Weak {
				flags = 2
			}
			need = word(need, hash(v.Name), flags, uint16(2+j), uint32(b.intern(v.Name)), next)
		}
	}
	if need != nil {
		b.add(elf.DT_VERNEED, b.part(need)[0])
		b.add(elf.DT_VERNEEDNUM, uint64(len(b.VersionNeeds)))
	}
	var def []byte
	for i, name := range b.VersionDefs {
		next := uint32(28)
		if i == len(b.VersionDefs)-1 {
			next = 0
		}
		def = word(def, uint16(1), uint16(0), uint16(1+i), uint16(1), hash(name), uint32(20), next, uint32(b.intern(name)), uint32(0))
	}
	if def != nil {
		b.add(elf.DT_VERDEF, b.part(def)[0])
		b.add(elf.DT_VERDEFNUM, uint64(len(b.VersionDefs)))
	}
	if need != nil || def != nil {
		b.add(elf.DT_VERSYM, b.put([]uint16{0, 0}))
	}
}

// hash is the hash function of the gABI.
func hash(name string) uint32 {
	var h uint32
	for i := range len(name) {
		h = h<<4 + uint32(name[i])
		h ^= h >> 24 & 0xf0
		h &= 0x0fffffff
	}
	return h
}

func (b *builder) note() []byte {
	owner, text := "FDO\x00", b.Dlopen+"\x00"
	out, _ := binary.Append(nil, b.ByteOrder, []uint32{uint32(len(owner)), uint32(len(text)), 0x407c0c0a})
	out = append(append(out, owner...), text...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

func (b *builder) dynamic() [2]uint64 {
	var data []byte
	for _, v := range b.entries {
		if b.wide() {
			data, _ = binary.Append(data, b.ByteOrder, v)
		} else {
			data, _ = binary.Append(data, b.ByteOrder, uint32(v))
		}
	}
	return b.part(data)
}

// header returns the ELF header and the program headers.
func (b *builder) header(progs []segment) []byte {
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(b.Class), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}
	if b.ByteOrder == binary.BigEndian {
		ident[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	var out []byte
	if b.wide() {
		out, _ = binary.Append(nil, b.ByteOrder, elf.Header64{
			Ident: ident, Type: uint16(b.Type), Machine: uint16(b.Machine), Version: 1, Flags: b.Flags,
			Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(progs)),
		})
		for _, p := range progs {
			out, _ = binary.Append(out, b.ByteOrder, elf.Prog64{
				Type: uint32(p.kind), Flags: uint32(p.flags), Off: p.at, Vaddr: p.at, Paddr: p.at, Filesz: p.size, Memsz: p.size, Align: align(p.kind),
			})
		}
		return out
	}
	out, _ = binary.Append(nil, b.ByteOrder, elf.Header32{
		Ident: ident, Type: uint16(b.Type), Machine: uint16(b.Machine), Version: 1, Flags: b.Flags,
		Phoff: 52, Ehsize: 52, Phentsize: 32, Phnum: uint16(len(progs)),
	})
	for _, p := range progs {
		out, _ = binary.Append(out, b.ByteOrder, elf.Prog32{
			Type: uint32(p.kind), Flags: uint32(p.flags), Off: uint32(p.at), Vaddr: uint32(p.at), Paddr: uint32(p.at),
			Filesz: uint32(p.size), Memsz: uint32(p.size), Align: uint32(align(p.kind)),
		})
	}
	return out
}

func align(kind elf.ProgType) uint64 {
	if kind == elf.PT_LOAD {
		return 0x10000
	}
	return 4
}
