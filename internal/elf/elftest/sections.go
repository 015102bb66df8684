package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// A Section is a section of a file that Sections makes.
type Section struct {
	Name string
	Kind elf.SectionType // SHT_PROGBITS where it is 0
	Data []byte
}

// Sections returns a file that has section headers and nothing else, as the
// files that debuggers look at: with the given sections, then their names.
func Sections(class elf.Class, order binary.ByteOrder, sections ...Section) []byte {
	names := []byte{0}
	all := append([]Section{{}}, append(sections, Section{Name: ".shstrtab", Kind: elf.SHT_STRTAB})...)
	for _, s := range all[1:] {
		names = append(append(names, s.Name...), 0)
	}
	all[len(all)-1].Data = names

	b := &builder{Object: Object{Class: class, ByteOrder: order, Machine: elf.EM_X86_64, Type: elf.ET_DYN}}
	first, _ := b.headers(0)
	b.out.Write(make([]byte, first))
	var table bytes.Buffer
	at := uint32(1)
	for i, s := range all {
		if i == 0 {
			b.sectionHeader(&table, 0, elf.SHT_NULL, [2]uint64{})
			continue
		}
		kind := s.Kind
		if kind == 0 {
			kind = elf.SHT_PROGBITS
		}
		b.sectionHeader(&table, at, kind, b.part(s.Data))
		at += uint32(len(s.Name)) + 1
	}
	where := b.part(table.Bytes())
	data := b.out.Bytes()
	copy(data, b.header(nil))
	b.setSections(data, where[0], len(all))
	return data
}

func (b *builder) sectionHeader(w *bytes.Buffer, name uint32, kind elf.SectionType, at [2]uint64) {
	var header any = &elf.Section64{Name: name, Type: uint32(kind), Off: at[0], Size: at[1], Addralign: 4}
	if !b.wide() {
		header = &elf.Section32{Name: name, Type: uint32(kind), Off: uint32(at[0]), Size: uint32(at[1]), Addralign: 4}
	}
	_ = binary.Write(w, b.ByteOrder, header) // a buffer takes all
}

// setSections writes where the section headers are into the ELF header, the
// names' last.
func (b *builder) setSections(data []byte, at uint64, count int) {
	o := b.ByteOrder
	if b.wide() {
		o.PutUint64(data[40:], at)
		o.PutUint16(data[58:], 64)
		o.PutUint16(data[60:], uint16(count))
		o.PutUint16(data[62:], uint16(count-1))
		return
	}
	o.PutUint32(data[32:], uint32(at))
	o.PutUint16(data[46:], 40)
	o.PutUint16(data[48:], uint16(count))
	o.PutUint16(data[50:], uint16(count-1))
}

// BuildID returns the content of a section .note.gnu.build-id.
func BuildID(order binary.ByteOrder, id string) []byte {
	data := make([]byte, 12, 16+len(id))
	order.PutUint32(data, 4)
	order.PutUint32(data[4:], uint32(len(id)))
	order.PutUint32(data[8:], 3) // NT_GNU_BUILD_ID
	return append(append(data, "GNU\x00"...), id...)
}
