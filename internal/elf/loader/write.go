package loader

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// generator is what a cache names as its writer.
const generator = "smith"

// Bytes returns the cache as a file of the new format, as ldconfig(8) writes
// it: the entries in order, the strings, and then the extension that names the
// writer and the glibc-hwcaps folders.
func (c *Cache) Bytes() []byte {
	folders := c.subfolders()
	texts, offsets := c.strings(folders)
	base := newHeader + newEntry*len(c.Entries)
	at := func(text string) uint32 { return uint32(base + offsets[text]) }
	order := c.ByteOrder
	append32 := func(out []byte, values ...uint32) []byte {
		out, _ = binary.Append(out, order, values)
		return out
	}

	flags := byte(orderLittle)
	if order == binary.BigEndian {
		flags = orderBig
	}
	extension := (base + len(texts) + 3) &^ 3
	out := append32([]byte(magicNew), uint32(len(c.Entries)), uint32(len(texts)))
	out = append(out, flags, 0, 0, 0)
	out = append32(out, uint32(extension), 0, 0, 0)
	for _, e := range c.Entries {
		out = append32(out, e.Flags, at(e.Soname), at(e.Path), 0)
		hwcap := e.Hwcap
		if e.Subfolder != "" {
			index, _ := slices.BinarySearch(folders, e.Subfolder)
			hwcap = hwcapExtension | uint64(e.isaLevel())<<32 | uint64(index)
		}
		out, _ = binary.Append(out, order, hwcap)
	}
	out = append(out, texts...)
	out = append(out, make([]byte, extension-len(out))...)
	return c.appendExtension(out, folders, at, append32)
}

// appendExtension appends the directory of the extension and its two parts, of
// which the list of folders comes first.
func (c *Cache) appendExtension(out []byte, folders []string, at func(string) uint32, append32 func([]byte, ...uint32) []byte) []byte {
	writer := cmp.Or(c.Generator, generator)
	sections := uint32(1)
	if len(folders) > 0 {
		sections = 2
	}
	begin := uint32(len(out)) + 8 + 16*sections
	list := uint32(4 * len(folders))
	out = append32(out, extensionMagic, sections)
	out = append32(out, extensionGenerator, 0, begin+list, uint32(len(writer)))
	if sections == 2 {
		out = append32(out, extensionHwcaps, 0, begin, list)
	}
	for _, f := range folders {
		out = append32(out, at(f))
	}
	return append(out, writer...)
}

// subfolders returns the glibc-hwcaps folders of the entries, sorted.
func (c *Cache) subfolders() []string {
	var all []string
	for _, e := range c.Entries {
		if e.Subfolder != "" {
			all = append(all, e.Subfolder)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// strings returns the string table and where each string is in it. A string
// that ends another shares its bytes.
func (c *Cache) strings(folders []string) (table []byte, offsets map[string]int) {
	all := slices.Clone(folders)
	for _, e := range c.Entries {
		all = append(all, e.Soname, e.Path)
	}
	// From their ends, backwards, longer ones first: a string comes right
	// after one that ends with it.
	slices.SortFunc(all, func(a, b string) int {
		for i := 1; i <= min(len(a), len(b)); i++ {
			if x, y := a[len(a)-i], b[len(b)-i]; x != y {
				return int(y) - int(x)
			}
		}
		return len(b) - len(a)
	})
	offsets = map[string]int{}
	previous := ""
	for i, text := range all {
		if i > 0 && strings.HasSuffix(previous, text) {
			offsets[text] = offsets[previous] + len(previous) - len(text)
		} else {
			offsets[text] = len(table)
			table = append(append(table, text...), 0)
		}
		previous = text
	}
	return table, offsets
}

// sort puts the entries into the order in which the linker searches them:
// names downwards, ABIs downwards, those for certain CPUs first. Equal ones
// keep their order, which is that of the folders.
func (c *Cache) sort() {
	slices.SortStableFunc(c.Entries, func(a, b CacheEntry) int {
		plain := func(e CacheEntry) int {
			if e.Subfolder == "" {
				return 1
			}
			return 0
		}
		return cmp.Or(
			compareNames(b.Soname, a.Soname), cmp.Compare(int32(b.Flags), int32(a.Flags)),
			cmp.Compare(plain(a), plain(b)), cmp.Compare(a.Subfolder, b.Subfolder),
		)
	})
}
