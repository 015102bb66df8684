package elf

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"io"
)

// A Debug is what a file tells of where its debug information is; of a file
// that holds such information, for what it is and what it shares with others.
type Debug struct {
	// BuildID is the GNU build id in hexadecimal, or "".
	BuildID string
	// Link is the name of the file that holds the debug information
	// (.gnu_debuglink), or "", and Sum that file's CRC-32 (IEEE 802.3).
	Link string
	Sum  uint32
	// Shared is the path of a file with what several files of debug information
	// have in common (.gnu_debugaltlink, which dwz writes), or "": absolute, or
	// from the folder of this file. SharedID is that file's build id.
	Shared, SharedID string
	// DWARF says that the file itself holds debug information.
	DWARF bool
}

// Bounds of the two links: a path and what follows it.
const (
	maxLink    = 4096 + 8
	maxBuildID = 64
)

// ReadDebug reads what a file tells of its debug information (GDB manual,
// "Debugging Information in Separate Files"; DWARF 5, 7.3.6). It goes by the
// section headers: in a file of debug information the program headers are
// those of the file it was split off, and lead nowhere. It returns ErrNotELF
// for a file that is none.
func ReadDebug(r io.ReaderAt, size int64) (*Debug, error) {
	if err := checkMagic(r, size); err != nil {
		return nil, err
	}
	d := &decoder{window: window{r: r, size: size}, file: &File{}}
	if err := d.header(); err != nil {
		return nil, err
	}
	all, err := d.sections()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		if err := d.notes(); err != nil {
			return nil, err
		}
		return &Debug{BuildID: d.file.BuildID}, nil
	}
	return d.debug(all)
}

// debug reads the sections that matter.
func (d *decoder) debug(all []section) (*Debug, error) {
	d.noteSections(all, func(section) bool { return true })
	out := &Debug{}
	if len(d.file.BuildID) <= 2*maxBuildID {
		out.BuildID = d.file.BuildID
	}
	named, err := d.named(all)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{".debug_info", ".zdebug_info"} {
		s, there := named[name]
		out.DWARF = out.DWARF || there && s.kind != elf.SHT_NOBITS && s.size > 0
	}
	if s, there := named[".gnu_debuglink"]; there {
		if err := d.link(s, out); err != nil {
			return nil, err
		}
	}
	if s, there := named[".gnu_debugaltlink"]; there {
		return out, d.shared(s, out)
	}
	return out, nil
}

// link reads .gnu_debuglink: a name, zeros up to a multiple of four, a sum.
func (d *decoder) link(s section, out *Debug) error {
	name, data, err := d.path(s)
	if err != nil {
		return err
	}
	at := (len(name) + 4) &^ 3
	if len(data) < at+4 {
		return malformed("its debug link has no sum")
	}
	out.Link, out.Sum = name, d.file.ByteOrder.Uint32(data[at:])
	return nil
}

// shared reads .gnu_debugaltlink: a path, then a build id.
func (d *decoder) shared(s section, out *Debug) error {
	name, data, err := d.path(s)
	if err != nil {
		return err
	}
	id := data[len(name)+1:]
	if len(id) == 0 || len(id) > maxBuildID {
		return malformed("the build id in its link to shared debug information has %d bytes", len(id))
	}
	out.Shared, out.SharedID = name, hex.EncodeToString(id)
	return nil
}

// path reads a section that begins with a path, and returns all of it too.
func (d *decoder) path(s section) (string, []byte, error) {
	if s.size > maxLink || s.kind == elf.SHT_NOBITS {
		return "", nil, malformed("a debug link of %d bytes", s.size)
	}
	data, err := d.bytes(s.offset, s.size)
	if err != nil {
		return "", nil, err
	}
	data = bytes.Clone(data)
	name, _, ended := bytes.Cut(data, []byte{0})
	if !ended || len(name) == 0 {
		return "", nil, malformed("a debug link without a name")
	}
	return string(name), data, nil
}
