// Package rpmdb writes what says which RPM packages an image's files are of,
// in the forms that rpm and scanners read: rpm's own database, and the list
// that images without rpm have. The same packages give the same bytes.
//
// The database is written directly, for that takes two hundred lines:
// modernc.org/sqlite is a translation of all of SQLite, and its output would
// depend on its version.
package rpmdb

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/rpm/rpmfile"
)

// A Package is one whose files an image holds.
type Package struct {
	*rpmfile.Package
	// Holds says whether the image has a path.
	Holds func(path string) bool
}

// tables are rpm's indexes (lib/rpmdb.c): a table each, of which tag's values
// lead to which header. Values are texts where blob is false.
var tables = []struct {
	name string
	tag  rpmfile.Tag
	blob bool
}{
	{"Name", rpmfile.TagName, false},
	{"Basenames", rpmfile.TagBaseNames, false},
	{"Group", 1016, false},
	{"Requirename", rpmfile.TagRequireName, false},
	{"Providename", rpmfile.TagProvideName, false},
	{"Conflictname", rpmfile.TagConflictName, false},
	{"Obsoletename", rpmfile.TagObsoleteName, false},
	{"Triggername", 1066, false},
	{"Dirnames", 1118, false},
	{"Installtid", tagInstallTID, true},
	{"Sigmd5", tagSigMD5, true},
	{"Sha1header", 269, false},
	{"Filetriggername", 5069, false},
	{"Transfiletriggername", 5079, false},
	{"Recommendname", rpmfile.TagRecommendName, false},
	{"Suggestname", rpmfile.TagSuggestName, false},
	{"Supplementname", rpmfile.TagSupplementName, false},
	{"Enhancename", 5055, false},
}

// The tags that rpm adds to a header when it installs a package.
const (
	tagSigMD5       rpmfile.Tag = 261
	tagInstallTime  rpmfile.Tag = 1008
	tagFileStates   rpmfile.Tag = 1029
	tagInstallColor rpmfile.Tag = 1127
	tagInstallTID   rpmfile.Tag = 1128
)

// Types of values in headers (rpmTagType): these, and 3 and 5 for numbers of 2
// and 8 bytes. Numbers are aligned, and nothing else is.
const (
	kindChar  = 1
	kindInt32 = 4
)

// A member is a package of the database.
type member struct {
	header *rpmfile.Header
	of     *Package // nil for one of an image below
	blob   []byte
}

// members returns the packages in the order of their names: those of the image,
// and those of the images below that it has not again.
func members(all []Package, below []*rpmfile.Header) []member {
	var list []member
	known := map[string]bool{}
	for _, p := range all {
		known[nevra(p.Header)] = true
		list = append(list, member{p.Header, &p, installed(p)})
	}
	for _, h := range below {
		if !known[nevra(h)] {
			known[nevra(h)] = true
			list = append(list, member{h, nil, h.Raw()[magicSize:]})
		}
	}
	slices.SortStableFunc(list, func(a, b member) int { return strings.Compare(nevra(a.header), nevra(b.header)) })
	return list
}

// magicSize is what a header in the database lacks at its beginning.
const magicSize = 8

// sorted returns the packages in the order of their names.
func sorted(all []Package) []Package {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Package) int { return strings.Compare(nevra(a.Header), nevra(b.Header)) })
	return all
}

func nevra(h *rpmfile.Header) string {
	return fmt.Sprintf("%s-%d:%s-%s.%s", h.String(rpmfile.TagName), h.Number(rpmfile.TagEpoch),
		h.String(rpmfile.TagVersion), h.String(rpmfile.TagRelease), h.String(rpmfile.TagArch))
}

// Database returns a rpmdb.sqlite with the headers of packages, as rpm 4.16 and
// later have it. Files that the image does not hold are marked as not
// installed. It counts as installed when it was built. below are the headers of
// the images below (Read), which stay as they are.
func Database(all []Package, below []*rpmfile.Header) []byte {
	var headers []row
	keys := map[string][]row{}
	for i, p := range members(all, below) {
		number := int64(i + 1)
		headers = append(headers, row{number, record(nil, p.blob)})
		for _, t := range tables {
			for j, key := range p.values(t.tag, t.blob) {
				keys[t.name] = append(keys[t.name], row{int64(len(keys[t.name]) + 1), record(key, number, int64(j))})
			}
		}
	}
	d := newDatabase()
	d.add("Packages", "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)", headers)
	d.add("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)", []row{{1, record("Packages", int64(len(headers)))}})
	for _, t := range tables {
		kind := "TEXT"
		if t.blob {
			kind = "BLOB"
		}
		d.add(t.name, fmt.Sprintf("CREATE TABLE '%s' (key '%s' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, "+
			"FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))", t.name, kind), keys[t.name])
	}
	return d.bytes()
}

// values are the keys by which a package is found in a table.
func (m member) values(tag rpmfile.Tag, blob bool) []value {
	signature := m.header
	if m.of != nil {
		signature = m.of.SignatureHeader()
	}
	var all []value
	switch {
	case tag == tagInstallTID && m.of == nil:
		all = append(all, binary.LittleEndian.AppendUint32(nil, uint32(m.header.Number(tag))))
	case tag == tagInstallTID:
		all = append(all, binary.LittleEndian.AppendUint32(nil, uint32(buildTime(*m.of))))
	case tag == tagSigMD5 && m.of == nil:
		if sum := m.header.Bytes(tag); sum != nil {
			all = append(all, sum)
		}
	case tag == tagSigMD5:
		if sum := signature.Bytes(rpmfile.TagMD5); sum != nil {
			all = append(all, sum)
		}
	case tag == 269:
		if sum := signature.String(tag); sum != "" {
			all = append(all, sum)
		}
	case !blob:
		for _, text := range m.header.Strings(tag) {
			all = append(all, text)
		}
	}
	return all
}

func buildTime(p Package) uint64 { return p.Header.Number(rpmfile.TagBuildTime) }

// installed returns the header as rpm's database has it: without its first
// eight bytes, and with entries after its region for what installing adds.
func installed(p Package) []byte {
	const introSize, fieldSize = 16, 16
	raw := p.Header.Raw()
	tags := binary.BigEndian.Uint32(raw[8:])
	index := slices.Clone(raw[introSize : introSize+int(tags)*fieldSize])
	data := slices.Clone(raw[introSize+int(tags)*fieldSize:])
	add := func(tag rpmfile.Tag, kind, count uint32, bytes []byte) {
		align := map[uint32]int{3: 2, kindInt32: 4, 5: 8}[kind]
		data = append(data, make([]byte, -len(data)&max(align-1, 0))...)
		for _, n := range []uint32{uint32(tag), kind, uint32(len(data)), count} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(data, bytes...)
		tags++
	}
	for _, f := range p.SignatureHeader().Merged() {
		add(f.Tag, f.Kind, f.Count, f.Data)
	}
	add(tagInstallTime, kindInt32, 1, binary.BigEndian.AppendUint32(nil, uint32(buildTime(p))))
	if len(p.Files) > 0 {
		add(tagFileStates, kindChar, uint32(len(p.Files)), states(p))
	}
	add(tagInstallColor, kindInt32, 1, make([]byte, 4))
	add(tagInstallTID, kindInt32, 1, binary.BigEndian.AppendUint32(nil, uint32(buildTime(p))))
	blob := binary.BigEndian.AppendUint32(nil, tags)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return append(append(blob, index...), data...)
}

// states says of each file whether it is installed (rpmfileState).
func states(p Package) []byte {
	const normal, notInstalled = 0, 2
	all := make([]byte, len(p.Files))
	for i, f := range p.Files {
		all[i] = normal
		if !p.Holds(f.Path) {
			all[i] = notInstalled
		}
	}
	return all
}

// Manifest returns the list of packages that images of Azure Linux have at
// /var/lib/rpmmanifest/container-manifest-2, and that scanners read: a line
// each of name, version, times of installing and building, vendor, epoch, size,
// architecture, epoch again and source package, as rpm's --queryformat writes
// them. below is the list of the images below, whose lines stay.
func Manifest(all []Package, below []byte) []byte {
	var lines []string
	for line := range strings.Lines(string(below)) {
		lines = append(lines, strings.TrimSuffix(line, "\n")+"\n")
	}
	for _, p := range sorted(all) {
		h := p.Header
		epoch := "(none)"
		if h.Has(rpmfile.TagEpoch) {
			epoch = fmt.Sprint(h.Number(rpmfile.TagEpoch))
		}
		vendor := h.String(rpmfile.TagVendor)
		if vendor == "" {
			vendor = "(none)"
		}
		size := h.Number(rpmfile.TagSize)
		if h.Has(rpmfile.TagLongSize) {
			size = h.Number(rpmfile.TagLongSize)
		}
		line := fmt.Sprintf("%s\t%s-%s\t%d\t%d\t%s\t%s\t%d\t%s\t%d\t%s\n", h.String(rpmfile.TagName),
			h.String(rpmfile.TagVersion), h.String(rpmfile.TagRelease), buildTime(p), buildTime(p), vendor, epoch,
			size, h.String(rpmfile.TagArch), h.Number(rpmfile.TagEpoch), h.String(rpmfile.TagSourceRPM))
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(below) > 0 {
		slices.Sort(lines)
	}
	return []byte(strings.Join(lines, ""))
}
