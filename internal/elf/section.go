package elf

import (
	"bytes"
	"debug/elf"
)

// sectionTable tells where the section headers are, for what is only there.
type sectionTable struct {
	offset             uint64
	size, count, names int // names is the section that holds their names
}

// A section is an entry of the section header table.
type section struct {
	name         uint32 // where in the names
	kind         elf.SectionType
	flags        elf.SectionFlag
	offset, size uint64
	link         uint32
	align        uint64
}

// maxSections bounds the bytes of the section header table: 65536 of them.
const maxSections = 4 << 20

// sections reads the section header table (gABI, "Sections"), nil where there
// is none.
func (d *decoder) sections() ([]section, error) {
	t := d.file.sections
	want := 64
	if d.file.Class == elf.ELFCLASS32 {
		want = 40
	}
	if t.offset == 0 {
		return nil, nil
	}
	if t.size != want {
		return nil, malformed("section headers of %d bytes", t.size)
	}
	if t.count == 0 { // more than fit into the header's field
		first, err := d.bytes(t.offset, uint64(want))
		if err != nil {
			return nil, err
		}
		n := d.section(first).size
		if n > maxSections/uint64(want) {
			return nil, malformed("%d sections", n)
		}
		t.count = int(n)
	}
	if t.size*t.count > maxSections {
		return nil, malformed("%d sections", t.count)
	}
	headers, err := d.bytes(t.offset, uint64(t.size*t.count))
	if err != nil {
		return nil, err
	}
	all := make([]section, 0, t.count)
	for ; len(headers) >= want; headers = headers[want:] {
		all = append(all, d.section(headers[:want]))
	}
	return all, nil
}

func (d *decoder) section(data []byte) section {
	order := d.file.ByteOrder
	s := section{name: order.Uint32(data), kind: elf.SectionType(order.Uint32(data[4:]))}
	if d.file.Class == elf.ELFCLASS64 {
		s.flags = elf.SectionFlag(order.Uint64(data[8:]))
		s.offset, s.size, s.link, s.align = order.Uint64(data[24:]), order.Uint64(data[32:]), order.Uint32(data[40:]), order.Uint64(data[48:])
		return s
	}
	s.flags = elf.SectionFlag(order.Uint32(data[8:]))
	s.offset, s.size = uint64(order.Uint32(data[16:])), uint64(order.Uint32(data[20:]))
	s.link, s.align = order.Uint32(data[24:]), uint64(order.Uint32(data[32:]))
	return s
}

// named returns the sections by their names; of two of one name the first.
func (d *decoder) named(all []section) (map[string]section, error) {
	names := d.file.sections.names
	if names == int(elf.SHN_XINDEX) && len(all) > 0 {
		names = int(all[0].link)
	}
	if names >= len(all) || all[names].kind != elf.SHT_STRTAB {
		return nil, malformed("section %d, which should hold the sections' names, does not", names)
	}
	table := all[names]
	if table.size > maxSections {
		return nil, malformed("names of sections of %d bytes", table.size)
	}
	text, err := d.bytes(table.offset, table.size)
	if err != nil {
		return nil, err
	}
	text = bytes.Clone(text)
	byName := map[string]section{}
	for _, s := range all {
		if uint64(s.name) >= table.size {
			continue
		}
		name, _, ended := bytes.Cut(text[s.name:], []byte{0})
		if _, twice := byName[string(name)]; ended && !twice {
			byName[string(name)] = s
		}
	}
	return byName, nil
}
