package elf

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
)

// A DlopenNote tells of libraries that an object loads by name when it wants a
// feature (systemd, ELF_DLOPEN_METADATA). One of the sonames is enough.
type DlopenNote struct {
	Feature     string   `json:"feature"`
	Description string   `json:"description"`
	Priority    string   `json:"priority"` // "required", "recommended" (also where none is given), "suggested"
	Sonames     []string `json:"soname"`
}

// Note types, which count with the name of their owner.
const (
	noteBuildID = 3          // "GNU": NT_GNU_BUILD_ID
	noteDlopen  = 0x407c0c0a // "FDO": ELF_DLOPEN_METADATA
)

// notes reads PT_NOTE segments (gABI, "Note section"), and note sections that
// are in no segment.
func (d *decoder) notes() error {
	for _, s := range d.file.segments {
		if s.kind != elf.PT_NOTE || s.filesz > maxNotes {
			continue
		}
		data, err := d.bytes(s.offset, s.filesz)
		if err != nil {
			continue // no linker reads notes: they may be cut off
		}
		d.readNotes(bytes.Clone(data), s.align)
	}
	if d.file.DlopenNotes == nil {
		d.noteSections()
	}
	return nil
}

// noteSections reads the SHT_NOTE sections that are not loaded. Whatever is
// wrong with section headers is no concern of a linker's, and is passed over.
func (d *decoder) noteSections() {
	t := d.file.sections
	want := 64
	if d.file.Class == elf.ELFCLASS32 {
		want = 40
	}
	if t.offset == 0 || t.size != want || t.size*t.count > maxNotes {
		return
	}
	headers, err := d.bytes(t.offset, uint64(t.size*t.count))
	if err != nil {
		return
	}
	headers = bytes.Clone(headers)
	for ; len(headers) >= want; headers = headers[want:] {
		order := d.file.ByteOrder
		if elf.SectionType(order.Uint32(headers[4:])) != elf.SHT_NOTE {
			continue
		}
		var flags elf.SectionFlag
		var offset, size, align uint64
		if want == 64 {
			flags = elf.SectionFlag(order.Uint64(headers[8:]))
			offset, size, align = order.Uint64(headers[24:]), order.Uint64(headers[32:]), order.Uint64(headers[48:])
		} else {
			flags = elf.SectionFlag(order.Uint32(headers[8:]))
			offset, size, align = uint64(order.Uint32(headers[16:])), uint64(order.Uint32(headers[20:])), uint64(order.Uint32(headers[32:]))
		}
		if flags&elf.SHF_ALLOC != 0 || size > maxNotes {
			continue
		}
		if data, err := d.bytes(offset, size); err == nil {
			d.readNotes(bytes.Clone(data), align)
		}
	}
}

// readNotes reads the notes in data. Names and descriptions are padded to 4
// bytes, or to 8 where the segment is aligned so.
func (d *decoder) readNotes(data []byte, align uint64) {
	if align != 8 {
		align = 4
	}
	padded := func(n uint32) uint64 { return (uint64(n) + align - 1) &^ (align - 1) }
	for len(data) >= 12 {
		order := d.file.ByteOrder
		nameSize, size, kind := order.Uint32(data), order.Uint32(data[4:]), order.Uint32(data[8:])
		begin := (12 + uint64(nameSize) + align - 1) &^ (align - 1)
		if begin > uint64(len(data)) || uint64(size) > uint64(len(data))-begin {
			return
		}
		d.note(string(bytes.TrimRight(data[12:12+nameSize], "\x00")), kind, data[begin:begin+uint64(size)])
		data = data[min(begin+padded(size), uint64(len(data))):]
	}
}

func (d *decoder) note(owner string, kind uint32, data []byte) {
	switch {
	case owner == "GNU" && kind == noteBuildID:
		d.file.BuildID = hex.EncodeToString(data)
	case owner == "FDO" && kind == noteDlopen:
		var notes []DlopenNote
		if json.Unmarshal(bytes.TrimRight(data, "\x00"), &notes) == nil {
			for _, n := range notes {
				if n.Priority == "" {
					n.Priority = "recommended"
				}
				d.file.DlopenNotes = append(d.file.DlopenNotes, n)
			}
		}
	}
}
