package elf

import "debug/elf"

// A VersionNeed is what an object needs of the symbol versions of one library.
type VersionNeed struct {
	Library  string // as in DT_NEEDED
	Versions []Version
}

// A Version is a symbol version that a library must define.
type Version struct {
	Name string
	Weak bool // the linker only warns where it is not defined
}

// verFlagWeak is VER_FLG_WEAK.
const verFlagWeak = 2

// versionNeeds reads DT_VERNEED (LSB, "Symbol versioning", Elfxx_Verneed). The
// structures are the same in both classes. As glibc does, it follows the links
// from entry to entry and not the declared counts.
func (d *decoder) versionNeeds() error {
	count := 0
	at, ok := d.tableAt(elf.DT_VERNEED)
	for ; ok; count++ {
		data, err := d.bytes(at, 16)
		if err != nil {
			return err
		}
		order := d.file.ByteOrder
		file, aux, next := order.Uint32(data[4:]), order.Uint32(data[8:]), order.Uint32(data[12:])
		need := VersionNeed{}
		if need.Library, err = d.dynString(uint64(file)); err != nil {
			return err
		}
		if need.Versions, err = d.neededVersions(at+uint64(aux), &count); err != nil {
			return err
		}
		d.file.VersionNeeds = append(d.file.VersionNeeds, need)
		if at += uint64(next); next == 0 {
			break
		}
		if count > maxVersions {
			return malformed("more than %d symbol versions", maxVersions)
		}
	}
	return nil
}

// neededVersions reads a list of Elfxx_Vernaux.
func (d *decoder) neededVersions(at uint64, count *int) ([]Version, error) {
	var versions []Version
	for ; ; *count++ {
		data, err := d.bytes(at, 16)
		if err != nil {
			return nil, err
		}
		order := d.file.ByteOrder
		flags, name, next := order.Uint16(data[4:]), order.Uint32(data[8:]), order.Uint32(data[12:])
		text, err := d.dynString(uint64(name))
		if err != nil {
			return nil, err
		}
		versions = append(versions, Version{text, flags&verFlagWeak != 0})
		if at += uint64(next); next == 0 {
			return versions, nil
		}
		if *count > maxVersions {
			return nil, malformed("more than %d symbol versions", maxVersions)
		}
	}
}

// versionDefs reads DT_VERDEF (LSB, Elfxx_Verdef): the first name of each
// entry, which is the version's own; the others are its parents.
func (d *decoder) versionDefs() error {
	count := 0
	at, ok := d.tableAt(elf.DT_VERDEF)
	for ; ok; count++ {
		data, err := d.bytes(at, 20)
		if err != nil {
			return err
		}
		order := d.file.ByteOrder
		aux, next := order.Uint32(data[12:]), order.Uint32(data[16:])
		if data, err = d.bytes(at+uint64(aux), 8); err != nil {
			return err
		}
		name, err := d.dynString(uint64(order.Uint32(data)))
		if err != nil {
			return err
		}
		d.file.VersionDefs = append(d.file.VersionDefs, name)
		if at += uint64(next); next == 0 {
			break
		}
		if count > maxVersions {
			return malformed("more than %d symbol versions", maxVersions)
		}
	}
	return nil
}
