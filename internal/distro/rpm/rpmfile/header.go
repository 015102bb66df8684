package rpmfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of a header. The largest headers of distributions, of packages with
// a hundred thousand files, hold some 25 MiB.
const (
	maxTags = 0xffff   // rpm's own limit
	maxData = 64 << 20 // bytes
)

// introSize and fieldSize are the sizes of a header's first part, and of each
// entry of the index that follows.
const (
	introSize = 16
	fieldSize = 16
)

// headerMagic begins each header (docs/manual/format_header.md).
var headerMagic = []byte{0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0}

// kind is the type of a field's values.
type kind uint32

const (
	kindChar kind = 1 + iota
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindString
	kindBinary
	kindStrings
	kindI18N
)

// width returns the bytes of one value, 0 where they vary.
func (k kind) width() int64 {
	switch k {
	case kindChar, kindInt8, kindBinary:
		return 1
	case kindInt16:
		return 2
	case kindInt32:
		return 4
	case kindInt64:
		return 8
	}
	return 0
}

func (k kind) text() bool { return k == kindString || k == kindStrings || k == kindI18N }

// A field is where a tag's values lie, found to be in bounds.
type field struct {
	kind  kind
	count uint32
	data  []byte
}

// A Header is a set of tagged values. It is read once and never changed.
type Header struct {
	raw    []byte
	fields map[Tag]field
}

// Raw returns the header as it stands in the package, its magic included:
// what signatures and digests of the header cover.
func (h *Header) Raw() []byte { return h.raw }

// readHeader reads a header. No more is taken into memory than was really
// there, whatever the first bytes claim.
func readHeader(r io.Reader, region Tag) (*Header, error) {
	var intro [introSize]byte
	if _, err := io.ReadFull(r, intro[:]); err != nil {
		return nil, cut(err)
	}
	if !bytes.HasPrefix(intro[:], headerMagic) {
		return nil, errors.New("it does not begin as a header does")
	}
	tags, size := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
	if tags == 0 || tags > maxTags || size > maxData {
		return nil, fmt.Errorf("%d tags with %d bytes: more than %d with %d, or none", tags, size, maxTags, maxData)
	}
	var raw bytes.Buffer
	raw.Write(intro[:])
	if _, err := io.CopyN(&raw, r, int64(tags)*fieldSize+int64(size)); err != nil {
		return nil, cut(err)
	}
	return parseHeader(raw.Bytes(), region)
}

// parseHeader reads a whole header. All of it must lie in the given region,
// the part that signatures cover; a header without a region is of rpm 3 and
// is covered as a whole.
func parseHeader(raw []byte, region Tag) (*Header, error) {
	h, err := parseFields(raw)
	if err != nil {
		return nil, err
	}
	tags, size := int64(binary.BigEndian.Uint32(raw[8:])), int64(binary.BigEndian.Uint32(raw[12:]))
	return h, h.checkRegion(region, tags, size)
}

// ParseInstalled reads a header as rpm's database has it: without its first
// eight bytes, and with tags after its region that no signature covers.
func ParseInstalled(blob []byte) (*Header, error) {
	return parseFields(append(bytes.Clone(headerMagic), blob...))
}

// parseFields reads the values of a whole header.
func parseFields(raw []byte) (*Header, error) {
	if len(raw) < introSize || !bytes.HasPrefix(raw, headerMagic) {
		return nil, errors.New("it does not begin as a header does")
	}
	tags, size := int64(binary.BigEndian.Uint32(raw[8:])), int64(binary.BigEndian.Uint32(raw[12:]))
	if tags > maxTags || size > maxData || int64(len(raw)) != introSize+tags*fieldSize+size {
		return nil, fmt.Errorf("%d tags with %d bytes are not what is there", tags, size)
	}
	h := &Header{raw: raw, fields: make(map[Tag]field, tags)}
	index, data := raw[introSize:introSize+tags*fieldSize], raw[introSize+tags*fieldSize:]
	for ; len(index) > 0; index = index[fieldSize:] {
		tag := Tag(binary.BigEndian.Uint32(index))
		f, err := newField(index, data)
		if err != nil {
			return nil, fmt.Errorf("tag %d: %w", tag, err)
		}
		if _, twice := h.fields[tag]; twice {
			return nil, fmt.Errorf("tag %d stands twice", tag)
		}
		h.fields[tag] = f
	}
	return h, nil
}

// newField finds the values of one entry of the index.
func newField(entry, data []byte) (field, error) {
	f := field{kind: kind(binary.BigEndian.Uint32(entry[4:])), count: binary.BigEndian.Uint32(entry[12:])}
	offset := int64(binary.BigEndian.Uint32(entry[8:]))
	if f.kind < kindChar || f.kind > kindI18N || f.count == 0 || offset > int64(len(data)) {
		return f, fmt.Errorf("type %d, %d values at %d: not possible", f.kind, f.count, offset)
	}
	f.data = data[offset:]
	if width := f.kind.width(); width > 0 {
		size := int64(f.count) * width
		if size > int64(len(f.data)) || offset%width != 0 {
			return f, fmt.Errorf("%d bytes at %d are not in the header", size, offset)
		}
		f.data = f.data[:size]
		return f, nil
	}
	if f.kind == kindString && f.count != 1 {
		return f, fmt.Errorf("a string of %d values", f.count)
	}
	end := 0
	for range f.count {
		length := bytes.IndexByte(f.data[end:], 0)
		if length < 0 {
			return f, errors.New("a string has no end")
		}
		end += length + 1
	}
	f.data = f.data[:end]
	return f, nil
}

// checkRegion checks that the region tag covers the whole header. rpm allows
// entries after the region, which no signature covers; package files have none.
func (h *Header) checkRegion(region Tag, tags, size int64) error {
	first := Tag(binary.BigEndian.Uint32(h.raw[introSize:]))
	if first != tagSignatures && first != tagImmutable {
		// Nothing vouches for a header of signatures, with or without a region.
		if region == tagImmutable && !h.Has(TagName) {
			return errors.New("it has no region")
		}
		return nil // rpm 3
	}
	f := h.fields[first]
	if first != region || f.kind != kindBinary || len(f.data) != fieldSize {
		return fmt.Errorf("its region has tag %d, type %d, %d bytes", first, f.kind, len(f.data))
	}
	// The region ends in a trailer: an index entry whose offset is the
	// region's length, negative.
	length := -int64(int32(binary.BigEndian.Uint32(f.data[8:])))
	end := int64(binary.BigEndian.Uint32(h.raw[introSize+8:])) + fieldSize
	if length != tags*fieldSize || end != size {
		return fmt.Errorf("its region covers %d of %d tags and %d of %d bytes", length/fieldSize, tags, end, size)
	}
	return nil
}

// Has says whether the header has a tag.
func (h *Header) Has(tag Tag) bool {
	_, ok := h.fields[tag]
	return ok
}

// Strings returns the values of a tag that holds text, in their order; nil
// where the header lacks it or it holds something else. Of a translated text
// the first value is the untranslated one.
func (h *Header) Strings(tag Tag) []string {
	f := h.fields[tag]
	if !f.kind.text() {
		return nil
	}
	values := make([]string, 0, f.count)
	for text := string(f.data); len(text) > 0; {
		end := bytes.IndexByte(f.data[len(f.data)-len(text):], 0)
		values = append(values, text[:end])
		text = text[end+1:]
	}
	return values
}

// String returns the first value of a tag that holds text, or "".
func (h *Header) String(tag Tag) string {
	f := h.fields[tag]
	if !f.kind.text() {
		return ""
	}
	return string(f.data[:bytes.IndexByte(f.data, 0)])
}

// Numbers returns the values of a tag that holds numbers; nil where the header
// lacks it or it holds something else.
func (h *Header) Numbers(tag Tag) []uint64 {
	f := h.fields[tag]
	if f.kind == kindBinary || f.kind.width() == 0 {
		return nil
	}
	values := make([]uint64, f.count)
	for i := range values {
		values[i] = f.number(i)
	}
	return values
}

func (f field) number(i int) uint64 {
	switch f.kind {
	case kindInt16:
		return uint64(binary.BigEndian.Uint16(f.data[i*2:]))
	case kindInt32:
		return uint64(binary.BigEndian.Uint32(f.data[i*4:]))
	case kindInt64:
		return binary.BigEndian.Uint64(f.data[i*8:])
	}
	return uint64(f.data[i])
}

// Number returns the first value of a tag that holds numbers, or 0.
func (h *Header) Number(tag Tag) uint64 {
	f := h.fields[tag]
	if f.kind == kindBinary || f.kind.width() == 0 {
		return 0
	}
	return f.number(0)
}

// Bytes returns the value of a binary tag, or nil.
func (h *Header) Bytes(tag Tag) []byte {
	if f := h.fields[tag]; f.kind == kindBinary {
		return f.data
	}
	return nil
}

// A Field is a value as it stands in a header.
type Field struct {
	Tag         Tag
	Kind, Count uint32
	Data        []byte
}

// Merged returns those fields of a signature header that rpm puts into the main
// one when it installs a package, under the tags that they have there, in
// their order (rpm's headerMergeLegacySigs).
func (h *Header) Merged() []Field {
	var all []Field
	for _, t := range []struct{ from, to Tag }{
		{1000, 257},
		{tagPGP, 259},
		{TagMD5, 261},
		{tagGPG, 262},
		{tagDSAHeader, tagDSAHeader},
		{tagRSAHeader, tagRSAHeader},
		{tagSHA1Header, tagSHA1Header},
		{270, 270},
		{271, 271},
		{tagSHA256Header, tagSHA256Header},
		{1007, 1046},
	} {
		if f, ok := h.fields[t.from]; ok {
			all = append(all, Field{t.to, uint32(f.kind), f.count, f.data})
		}
	}
	return all
}

// cut tells that a package ends too early.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
