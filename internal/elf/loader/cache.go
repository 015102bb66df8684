package loader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"

	"smith/internal/tree"
)

// CachePath is where glibc's linker looks for the cache.
const CachePath = "/etc/ld.so.cache"

// errBadCache is what a file that is no cache gives.
var errBadCache = errors.New("not a usable ld.so.cache")

// A Cache is the contents of an ld.so.cache, in its order, which counts.
type Cache struct {
	Entries []CacheEntry
	// ByteOrder is that of the machine that the cache is for; a linker of the
	// other order takes it for broken.
	ByteOrder binary.ByteOrder
	// Generator is the program that wrote the cache, or "".
	Generator string
}

// A CacheEntry maps a name, as it stands in DT_NEEDED, to a path.
type CacheEntry struct {
	Soname string
	Path   string
	// Flags mark the kind of library and its ABI.
	Flags uint32
	// Hwcap is what the CPU must have: 0, bits of the form that glibc 2.37
	// dropped, or the mark of an entry with Subfolder.
	Hwcap uint64
	// Subfolder is the name of the glibc-hwcaps folder in which the library
	// lies, or "".
	Subfolder string
}

// The file formats (glibc, elf/cache.c writes and elf/dl-cache.c reads them):
// the old one of libc5, the new one, and both in one file.
const (
	magicOld     = "ld.so-1.7.0"
	magicNew     = "glibc-ld.so.cache1.1"
	oldHeader    = 16 // the magic padded to a word, the count
	oldEntry     = 12
	newHeader    = 48
	newEntry     = 24
	maxCache     = 64 << 20
	maxCacheText = 4096

	orderMask   = 3 // of the byte of flags in the new header
	orderUnset  = 0
	orderLittle = 2
	orderBig    = 3

	extensionMagic     = 0xeaa42174
	extensionGenerator = 0
	extensionHwcaps    = 1

	// hwcapExtension marks an entry whose Hwcap holds an index into the list
	// of glibc-hwcaps folders, and above it the ISA level.
	hwcapExtension = 1 << 62
	isaLevelMask   = 1<<10 - 1
)

// ReadCacheFile reads the cache in a file of a tree; nil for a file that is
// none, or a broken one: the linker goes on as if it were not there.
func ReadCacheFile(n *tree.Node) (*Cache, error) {
	if n.Size > maxCache {
		return nil, nil
	}
	data, err := n.ReadAll(maxCache)
	if err != nil {
		return nil, err
	}
	c, err := ReadCache(data)
	if errors.Is(err, errBadCache) {
		return nil, nil
	}
	return c, err
}

// ReadCache reads an ld.so.cache in any of its formats and either byte order.
func ReadCache(data []byte) (*Cache, error) {
	if bytes.HasPrefix(data, []byte(magicNew)) {
		return readNew(data, 0)
	}
	if !bytes.HasPrefix(data, []byte(magicOld)) || len(data) < oldHeader {
		return nil, errBadCache
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		count := uint64(order.Uint32(data[12:]))
		end := oldHeader + count*oldEntry
		if end > uint64(len(data)) {
			continue
		}
		// The new format stands where the old one's strings begin, aligned.
		if start := (end + 7) &^ 7; start < uint64(len(data)) && bytes.HasPrefix(data[start:], []byte(magicNew)) {
			return readNew(data, int(start))
		}
		return readOld(data, order, int(count))
	}
	return nil, fmt.Errorf("%w: more entries than fit", errBadCache)
}

// readOld reads the old format; its strings count from the end of the entries.
func readOld(data []byte, order binary.ByteOrder, count int) (*Cache, error) {
	c := &Cache{ByteOrder: order}
	texts := data[oldHeader+count*oldEntry:]
	for i := range count {
		raw := data[oldHeader+i*oldEntry:]
		e, err := entryAt(raw, texts, order)
		if err != nil {
			return nil, err
		}
		c.Entries = append(c.Entries, e)
	}
	return c, nil
}

// readNew reads the new format, which begins at an offset of the file; its
// strings count from there.
func readNew(data []byte, start int) (*Cache, error) {
	table := data[start:]
	if len(table) < newHeader {
		return nil, errBadCache
	}
	order := binary.ByteOrder(binary.LittleEndian)
	fits := func(o binary.ByteOrder) bool {
		return uint64(o.Uint32(table[20:])) <= uint64(len(table)-newHeader)/newEntry
	}
	switch flags := table[28] & orderMask; {
	case flags == orderBig, flags == orderUnset && !fits(order):
		order = binary.BigEndian
	case flags != orderLittle && flags != orderUnset:
		return nil, fmt.Errorf("%w: it is marked as invalid", errBadCache)
	}
	if !fits(order) {
		return nil, fmt.Errorf("%w: more entries than fit", errBadCache)
	}
	c := &Cache{ByteOrder: order}
	folders := c.readExtensions(data, table)
	for i := range int(order.Uint32(table[20:])) {
		raw := table[newHeader+i*newEntry:]
		e, err := entryAt(raw, table, order)
		if err != nil {
			return nil, err
		}
		e.Hwcap = order.Uint64(raw[16:])
		if index := uint32(e.Hwcap); e.extended() && uint64(index) < uint64(len(folders)) {
			e.Subfolder = folders[index]
		}
		c.Entries = append(c.Entries, e)
	}
	return c, nil
}

// readExtensions reads the generator and the list of glibc-hwcaps folders,
// which is returned. Whatever is wrong in them is passed over, as in glibc.
func (c *Cache) readExtensions(data, table []byte) (folders []string) {
	size := uint64(len(data))
	at := uint64(c.ByteOrder.Uint32(table[32:]))
	if at == 0 || at%4 != 0 || at+8 > size || c.ByteOrder.Uint32(data[at:]) != extensionMagic {
		return nil
	}
	count := uint64(c.ByteOrder.Uint32(data[at+4:]))
	if count > (size-at-8)/16 {
		return nil
	}
	for section := data[at+8:]; count > 0; count, section = count-1, section[16:] {
		tag := c.ByteOrder.Uint32(section)
		begin, length := uint64(c.ByteOrder.Uint32(section[8:])), uint64(c.ByteOrder.Uint32(section[12:]))
		if begin+length > size {
			return nil
		}
		switch content := data[begin : begin+length]; tag {
		case extensionGenerator:
			c.Generator = string(content[:min(len(content), maxCacheText)])
		case extensionHwcaps:
			folders = nil
			for ; len(content) >= 4 && len(folders) < maxFolders; content = content[4:] {
				name, _ := textAt(table, c.ByteOrder.Uint32(content))
				folders = append(folders, name)
			}
		}
	}
	return folders
}

// maxFolders bounds the list of glibc-hwcaps folders; a CPU family has ten.
const maxFolders = 4096

func entryAt(raw, texts []byte, order binary.ByteOrder) (e CacheEntry, err error) {
	e.Flags = order.Uint32(raw)
	if e.Soname, err = textAt(texts, order.Uint32(raw[4:])); err != nil {
		return e, err
	}
	e.Path, err = textAt(texts, order.Uint32(raw[8:]))
	return e, err
}

func textAt(texts []byte, index uint32) (string, error) {
	if uint64(index) >= uint64(len(texts)) {
		return "", fmt.Errorf("%w: a string lies outside", errBadCache)
	}
	text := texts[index:min(uint64(len(texts)), uint64(index)+maxCacheText)]
	end := bytes.IndexByte(text, 0)
	if end < 0 {
		return "", fmt.Errorf("%w: a string does not end", errBadCache)
	}
	return string(text[:end]), nil
}

// extended says whether Hwcap is an index into the list of glibc-hwcaps
// folders.
func (e CacheEntry) extended() bool {
	return e.Hwcap>>32&^isaLevelMask == hwcapExtension>>32
}

// isaLevel is what the library asks of the CPU, as GNU_PROPERTY_X86_ISA_1
// counts: 0 is the baseline.
func (e CacheEntry) isaLevel() uint32 { return uint32(e.Hwcap>>32) & isaLevelMask }

// folder returns the folder that the linker would search to come to the entry,
// without that for certain CPUs.
func (e CacheEntry) folder() string {
	dir := path.Dir(e.Path)
	if e.Subfolder != "" {
		dir = strings.TrimSuffix(dir, "/glibc-hwcaps/"+e.Subfolder)
	}
	return dir
}

// Only returns the cache without the entries whose path keep is false for.
func (c *Cache) Only(keep func(path string) bool) *Cache {
	less := *c
	less.Entries = nil
	for _, e := range c.Entries {
		if keep(e.Path) {
			less.Entries = append(less.Entries, e)
		}
	}
	return &less
}

// Has says whether the cache holds all of the entries.
func (c *Cache) Has(entries []CacheEntry) bool {
	all := map[CacheEntry]bool{}
	for _, e := range c.Entries {
		all[e.plain()] = true
	}
	for _, e := range entries {
		if !all[e.plain()] {
			return false
		}
	}
	return true
}

// plain returns the entry without the index into the list of folders, which
// every cache numbers anew.
func (e CacheEntry) plain() CacheEntry {
	if e.Subfolder != "" {
		e.Hwcap &^= 1<<32 - 1
	}
	return e
}
