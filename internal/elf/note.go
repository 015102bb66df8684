package elf

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"math/bits"
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
	noteProps   = 5          // "GNU": NT_GNU_PROPERTY_TYPE_0
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
		// Whatever is wrong with section headers is no concern of a linker's.
		if all, err := d.sections(); err == nil {
			d.noteSections(all, func(s section) bool { return s.flags&elf.SHF_ALLOC == 0 })
		}
	}
	return nil
}

// noteSections reads the SHT_NOTE sections that are wanted, as far as they are
// there, until they have maxNotes bytes together.
func (d *decoder) noteSections(all []section, wanted func(section) bool) {
	left := uint64(maxNotes)
	for _, s := range all {
		if s.kind != elf.SHT_NOTE || s.size > left || !wanted(s) {
			continue
		}
		left -= s.size
		if data, err := d.bytes(s.offset, s.size); err == nil {
			d.readNotes(bytes.Clone(data), s.align)
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

// propertyISA is GNU_PROPERTY_X86_ISA_1_NEEDED.
const propertyISA = 0xc0008002

// properties reads what a file needs of the CPU (Linux Extensions to gABI,
// ".note.gnu.property"; x86-64 psABI).
func (d *decoder) properties(data []byte) {
	word := 8
	if d.file.Class == elf.ELFCLASS32 {
		word = 4
	}
	for len(data) >= 8 {
		order := d.file.ByteOrder
		kind, size := order.Uint32(data), int64(order.Uint32(data[4:]))
		if data = data[8:]; size > int64(len(data)) {
			return
		}
		if kind == propertyISA && size == 4 {
			d.file.ISALevel = max(0, bits.Len32(order.Uint32(data))-1)
		}
		data = data[min(len(data), (int(size)+word-1)&^(word-1)):]
	}
}

func (d *decoder) note(owner string, kind uint32, data []byte) {
	switch {
	case owner == "GNU" && kind == noteBuildID:
		d.file.BuildID = hex.EncodeToString(data)
	case owner == "GNU" && kind == noteProps:
		d.properties(data)
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
