package elf

import (
	"debug/elf"
	"io"
)

// maxSymbols bounds the dynamic symbol table; the largest known have some
// hundred thousand entries.
const maxSymbols = 1 << 22

// namesSpan is what one read of symbols' names takes in: they are used in
// another order than they lie in, and most string tables are shorter.
const namesSpan = 64 << 10

// Imports returns the names of the dynamic symbols that the file uses and does
// not define, in the order of its table. r reads the file that f was read from.
func (f *File) Imports(r io.ReaderAt, size int64) ([]string, error) {
	d := &decoder{window: window{r: r, size: size}, file: f}
	names := &decoder{window: window{r: r, size: size, span: namesSpan}, file: f}
	table, ok := f.value(elf.DT_SYMTAB)
	if !ok {
		return nil, nil
	}
	offset, left, ok := f.fileOffset(table)
	if !ok {
		return nil, malformed("its dynamic symbol table is not in the file")
	}
	each := uint64(elf.Sym64Size)
	if f.Class == elf.ELFCLASS32 {
		each = elf.Sym32Size
	}
	count, err := d.symbolCount(table, each)
	if err != nil {
		return nil, err
	}
	var imports []string
	for i := uint64(1); i < min(count, left/each, maxSymbols); i++ {
		data, err := d.bytes(offset+i*each, each)
		if err != nil {
			return nil, err
		}
		name, section := f.ByteOrder.Uint32(data), data[6:]
		if f.Class == elf.ELFCLASS32 {
			section = data[14:]
		}
		if elf.SectionIndex(f.ByteOrder.Uint16(section)) != elf.SHN_UNDEF || name == 0 {
			continue
		}
		text, err := names.dynString(uint64(name))
		if err != nil {
			return nil, err
		}
		imports = append(imports, text)
	}
	return imports, nil
}

// symbolCount returns the number of dynamic symbols, or more. The dynamic
// section does not tell it: DT_HASH does, DT_GNU_HASH ends with the last
// symbol that it holds, and else the table ends where the next one begins.
func (d *decoder) symbolCount(table, each uint64) (uint64, error) {
	f := d.file
	if at, ok := d.tableAt(elf.DT_HASH); ok && f.Machine != elf.EM_S390 { // which has words of 64 bits there
		data, err := d.bytes(at, 8)
		if err != nil {
			return 0, err
		}
		return uint64(f.ByteOrder.Uint32(data[4:])), nil
	}
	if at, ok := d.tableAt(elf.DT_GNU_HASH); ok {
		if count, err := d.gnuHashCount(at); count > 0 || err != nil {
			return count, err
		}
	}
	end := uint64(1<<64 - 1)
	for _, tag := range []elf.DynTag{elf.DT_STRTAB, elf.DT_VERSYM, elf.DT_HASH, elf.DT_GNU_HASH, elf.DT_REL, elf.DT_RELA, elf.DT_JMPREL, elf.DT_VERNEED, elf.DT_VERDEF} {
		if addr, ok := f.value(tag); ok && addr > table {
			end = min(end, addr)
		}
	}
	return (end - table) / each, nil
}

// tableAt returns the file offset of the table that a tag gives the address of.
func (d *decoder) tableAt(tag elf.DynTag) (uint64, bool) {
	addr, ok := d.file.value(tag)
	if !ok {
		return 0, false
	}
	at, _, ok := d.file.fileOffset(addr)
	return at, ok
}

// gnuHashCount returns the number of symbols by the hash table at an offset,
// or 0 where it holds none: the end of the chain that begins last.
func (d *decoder) gnuHashCount(at uint64) (uint64, error) {
	data, err := d.bytes(at, 16)
	if err != nil {
		return 0, err
	}
	order := d.file.ByteOrder
	buckets, first, blooms := uint64(order.Uint32(data)), uint64(order.Uint32(data[4:])), uint64(order.Uint32(data[8:]))
	word := uint64(8)
	if d.file.Class == elf.ELFCLASS32 {
		word = 4
	}
	at += 16 + blooms*word
	last := uint64(0)
	for i := range min(buckets, maxSymbols) {
		if data, err = d.bytes(at+4*i, 4); err != nil {
			return 0, err
		}
		last = max(last, uint64(order.Uint32(data)))
	}
	if last < first || last == 0 {
		return 0, nil
	}
	at += 4 * buckets
	for ; last < maxSymbols; last++ {
		if data, err = d.bytes(at+4*(last-first), 4); err != nil {
			return 0, err
		}
		if order.Uint32(data)&1 != 0 {
			return last + 1, nil
		}
	}
	return last, nil
}
