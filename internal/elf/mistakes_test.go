package elf_test

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"testing"

	"smith/internal/elf/elftest"
)

// A patch changes the bytes of a file.
type patch func(data []byte) []byte

// at puts a number of a size in bytes at an offset.
func at(offset uint64, size int, value uint64) patch {
	return func(data []byte) []byte {
		number := binary.LittleEndian.AppendUint64(nil, value)
		copy(data[offset:], number[:size])
		return data
	}
}

// segment changes the size in the file of the first segment of a kind.
func segment(kind stdelf.ProgType, size uint64) patch {
	return func(data []byte) []byte {
		for head := binary.LittleEndian.Uint64(data[32:]); ; head += 56 {
			if stdelf.ProgType(binary.LittleEndian.Uint32(data[head:])) == kind {
				return at(head+32, 8, size)(data)
			}
		}
	}
}

// dynamic changes the first entry of a tag in the dynamic section.
func dynamic(tag, to stdelf.DynTag, value uint64) patch {
	return func(data []byte) []byte {
		entry := binary.LittleEndian.AppendUint64(nil, uint64(tag))
		for head := binary.LittleEndian.Uint64(data[32:]); ; head += 56 {
			if stdelf.ProgType(binary.LittleEndian.Uint32(data[head:])) != stdelf.PT_DYNAMIC {
				continue
			}
			offset := binary.LittleEndian.Uint64(data[head+8:])
			for !bytes.HasPrefix(data[offset:], entry) {
				offset += 16
			}
			return at(offset+8, 8, value)(at(offset, 8, uint64(to))(data))
		}
	}
}

// What is said of ELF files that are damaged, or made to be hard to read.
func TestMistakes(t *testing.T) {
	const far = 1 << 40
	good := elftest.Object{Interpreter: "/lib/ld.so", Needed: []string{"libc.so.6"}}
	many := make([]string, 3000)
	for i := range many {
		many[i] = "a"
	}
	for want, change := range map[string]patch{
		"malformed ELF file: byte order 7":               at(5, 1, 7),
		"malformed ELF file: version 9":                  at(6, 1, 9),
		"malformed ELF file: class 7":                    at(4, 1, 7),
		"malformed ELF file: program headers of 9 bytes": at(54, 2, 9),
		"malformed ELF file: 65535 program headers":      at(56, 2, 65535),
		"malformed ELF file: it is cut off: at offset 0 there should be 64 bytes more, and it has 60": func(data []byte) []byte { return data[:60] },
		"malformed ELF file: the name of its interpreter has 1 bytes":                                 segment(stdelf.PT_INTERP, 1),
		"malformed ELF file: the name of its interpreter does not end":                                segment(stdelf.PT_INTERP, 2),
		"malformed ELF file: a dynamic section of 1099511627776 bytes":                                segment(stdelf.PT_DYNAMIC, far),
		"DT_NEEDED: malformed ELF file: no dynamic string table":                                      dynamic(stdelf.DT_STRTAB, stdelf.DT_DEBUG, 0),
		"DT_NEEDED: malformed ELF file: its dynamic string table is not in the file":                  dynamic(stdelf.DT_STRTAB, stdelf.DT_STRTAB, far),
		"DT_NEEDED: malformed ELF file: a string at 99 of a table of 11 bytes":                        dynamic(stdelf.DT_NEEDED, stdelf.DT_NEEDED, 99),
		"malformed ELF file: more than 2048 dependencies":                                             func([]byte) []byte { return elftest.Build(elftest.Object{Needed: many}) },
	} {
		if _, err := read(t, change(elftest.Build(good))); err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}
