// Package capability knows the capabilities that the kernel splits root's power
// into, and the form in which a file keeps those that its program gets when it
// is run (capabilities(7), "File capabilities"). It does not read or write
// files.
package capability

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"smith/internal/nearest"
)

// Attribute is the extended attribute that holds a file's capabilities.
const Attribute = "security.capability"

// names are the capabilities by their numbers (linux/capability.h).
const names = `chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
	net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot
	sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease
	audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read
	perfmon bpf checkpoint_restore`

// Names returns the names of all capabilities, without "cap_" before them, in
// the order of their numbers.
func Names() []string { return strings.Fields(names) }

// A Set is a set of capabilities, a bit for each number.
type Set uint64

// SetOf returns the set of named capabilities. A name may be in capital
// letters and may have "cap_" before it. The error names one that is unknown.
func SetOf(list ...string) (Set, error) {
	var s Set
	for _, name := range list {
		n := slices.Index(Names(), Normal(name))
		if n < 0 {
			return 0, fmt.Errorf("%.60q is no capability%s", name, nearest.Hint(Normal(name), slices.Values(Names())))
		}
		s |= 1 << n
	}
	return s, nil
}

// Normal writes a name as Names has it.
func Normal(name string) string { return strings.TrimPrefix(strings.ToLower(name), "cap_") }

// All yields the numbers in the set, the least first.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for rest := uint64(s); rest != 0; rest &= rest - 1 {
			if !yield(bits.TrailingZeros64(rest)) {
				return
			}
		}
	}
}

// Names returns the names in the set; a capability that is newer than this
// package is called by its number.
func (s Set) Names() []string {
	known := Names()
	var list []string
	for n := range s.All() {
		if n < len(known) {
			list = append(list, known[n])
		} else {
			list = append(list, fmt.Sprint(n))
		}
	}
	return list
}

// A File is what a file's attribute says.
type File struct {
	// Permitted are capabilities that the program gets, as far as its bounding
	// set has them; Inheritable those that it keeps if it had them before.
	Permitted, Inheritable Set
	// Effective says that the program has them from the start, without asking.
	Effective bool
	// Root is the user that counts as root where the attribute holds: 0 but in
	// a user namespace's own files.
	Root uint32
}

// Forms of the attribute, struct vfs_ns_cap_data of linux/capability.h.
const (
	revision1    = 0x01000000
	revision2    = 0x02000000
	revision3    = 0x03000000
	revisionMask = 0xff000000
	effective    = 0x000001
)

// Granted returns the attribute of a file whose program has capabilities from
// its start: permitted and effective, what setcap(8) writes for "name=ep".
func Granted(s Set) string { return File{Permitted: s, Effective: true}.Attribute() }

// Attribute returns the attribute in the form of revision 2, which leaves Root
// out, as setcap(8) writes it.
func (f File) Attribute() string {
	words := []uint32{revision2, uint32(f.Permitted), uint32(f.Inheritable), uint32(f.Permitted >> 32), uint32(f.Inheritable >> 32)}
	if f.Effective {
		words[0] |= effective
	}
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return string(data)
}

// ErrForm says that an attribute is in no form that the kernel reads.
var ErrForm = errors.New("not in a form that the kernel knows")

// Read takes an attribute apart, in any of its three revisions.
func Read(attribute string) (File, error) {
	lengths := map[uint32]int{revision1: 3, revision2: 5, revision3: 6}
	if len(attribute)%4 != 0 || len(attribute) < 12 || len(attribute) > 24 {
		return File{}, ErrForm
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32([]byte(attribute[4*i:])) }
	revision := word(0) & revisionMask
	if lengths[revision] != len(attribute)/4 {
		return File{}, ErrForm
	}
	f := File{Permitted: Set(word(1)), Inheritable: Set(word(2)), Effective: word(0)&effective != 0}
	if revision != revision1 {
		f.Permitted |= Set(word(3)) << 32
		f.Inheritable |= Set(word(4)) << 32
	}
	if revision == revision3 {
		f.Root = word(5)
	}
	return f, nil
}

// Text shows an attribute as getcap(8) does, such as "cap_net_raw=ep".
func Text(attribute string) string {
	f, err := Read(attribute)
	if err != nil {
		return "capabilities " + ErrForm.Error()
	}
	// Each capability has flags; those with equal ones stand together.
	byFlags := map[string][]string{}
	for n := range (f.Permitted | f.Inheritable).All() {
		flags := ""
		if f.Effective {
			flags = "e"
		}
		if f.Inheritable&(1<<n) != 0 {
			flags += "i"
		}
		if f.Permitted&(1<<n) != 0 {
			flags += "p"
		}
		byFlags[flags] = append(byFlags[flags], "cap_"+Set(1 << n).Names()[0])
	}
	var parts []string
	for flags, list := range byFlags {
		parts = append(parts, strings.Join(list, ",")+"="+flags)
	}
	slices.Sort(parts)
	if f.Root != 0 {
		parts = append(parts, fmt.Sprintf("[rootid=%d]", f.Root))
	}
	if len(parts) == 0 {
		return "="
	}
	return strings.Join(parts, " ")
}
