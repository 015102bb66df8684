package loader

import (
	"debug/elf"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	own "smith/internal/elf"
	"smith/internal/tree"
)

// A place is a folder that is searched, and how a reader knows it.
type place struct {
	folder string // with a slash at its end; "" is the working folder
	name   string // "RUNPATH $ORIGIN/../lib of /usr/bin/x"
}

// A search is one search for a name: where it looked, what it passed over.
type search struct {
	found    Library
	searched []string
	reason   string
	fatal    bool // the linker stops at what it has found
	// Of the last file tried: it was passed over, or it was a link that cannot
	// be followed, and why.
	rejected bool
	stuck    error
}

func (s *search) over() bool { return s.found.Node != nil || s.fatal }

// look tries the name in each place, in order. Where a link leads in a circle
// or through a file, glibc does not search the rest of the path.
func (l *Loader) look(ld *linker, s *search, name string, places []place) error {
	for _, p := range places {
		s.searched = append(s.searched, trimFolder(p.folder))
		if err := l.lookAt(ld, s, name, p); err != nil || s.over() || s.stuck != nil {
			return err
		}
	}
	return nil
}

// lookAt tries the name in the hwcaps subfolders of a place, and then in the
// place itself.
func (l *Loader) lookAt(ld *linker, s *search, name string, p place) error {
	s.stuck = nil
	dir, err := l.folder(l.absolute(p.folder))
	if dir == nil || err != nil {
		return err
	}
	for _, sub := range ld.hwcaps {
		if sub != "" {
			if first, _, _ := strings.Cut(sub, "/"); !has(dir, first) {
				continue
			}
		}
		if err := l.try(ld, s, p.folder+sub+name, p.name); err != nil || s.over() {
			return err
		}
	}
	return nil
}

// has says whether a folder has an entry, to spare the tries under it.
func has(dir *tree.Node, name string) bool {
	n, err := dir.Child(name)
	return n != nil || err != nil
}

func trimFolder(folder string) string {
	if len(folder) > 1 {
		return strings.TrimSuffix(folder, "/")
	}
	return folder
}

// try opens one path. A file that this linker cannot load is passed over, or
// ends the search, as glibc's open_verify has it.
func (l *Loader) try(ld *linker, s *search, name, found string) error {
	s.rejected, s.stuck = false, nil
	n, err := l.follow(name)
	if errors.Is(err, tree.ErrLoop) || errors.Is(err, tree.ErrNotDirectory) {
		s.stuck, s.reason = err, name+" is a link that cannot be followed"
	}
	if err = ignoreMissing(err); n == nil || err != nil {
		return err
	}
	switch reason, fatal, err := l.unfit(ld, n); {
	case err != nil:
		return err
	case reason == "":
		s.found = Library{Path: l.absolute(name), Node: n, Found: found}
	default:
		s.rejected, s.reason, s.fatal = true, name+" "+reason, fatal
	}
	return nil
}

// unfit tells why a linker cannot load a file, and whether it stops there; ""
// where it can.
func (l *Loader) unfit(ld *linker, n *tree.Node) (reason string, fatal bool, err error) {
	if n.Kind != tree.File {
		return "is a " + n.Kind.String(), true, nil
	}
	f, broken, err := l.header(n)
	if err != nil {
		return "", false, err
	}
	if f != nil {
		if reason, fatal = foreign(f, ld); reason != "" {
			return reason, fatal, nil
		}
	}
	switch {
	case broken != "":
		return broken, true, nil
	case f.Type != elf.ET_DYN || f.PIE && !ld.takesPrograms():
		return "is not a shared object", true, nil
	case !f.Dynamic:
		return "has no dynamic section", true, nil
	}
	return "", false, nil
}

// takesPrograms says whether a linker loads a position-independent program as a
// library: musl's does, and glibc's did before 2.30.
func (ld *linker) takesPrograms() bool { return ld.musl || ld.minor > 0 && ld.minor < 30 }

// header is ELF with words for what is wrong with a file that can be read.
func (l *Loader) header(n *tree.Node) (f *own.File, broken string, err error) {
	f, err = l.ELF(n)
	var malformed *own.FormatError
	switch {
	case errors.Is(err, own.ErrNotELF):
		return nil, "is not an ELF file", nil
	case errors.As(err, &malformed):
		return f, "is a " + malformed.Error(), nil
	}
	return f, "", err
}

// foreign tells in what the ELF header of a file is not that of a linker's own
// kind of files, in the order in which glibc looks at it.
func foreign(f *own.File, ld *linker) (reason string, fatal bool) {
	want := ld.file
	switch {
	case f.Machine == elf.EM_NONE:
		return "", false // the header is malformed, or ends before this
	case f.Class != want.Class:
		return "is of another class, " + f.Class.String(), false
	case f.ByteOrder != want.ByteOrder:
		// Debian's linker looks at the machine first, which it reads in its own
		// byte order: where that is another one, it passes the file over.
		mine := f.Machine == elf.Machine(bits.ReverseBytes16(uint16(want.Machine)))
		return "is of another byte order", mine || !isMultiarch(ld.folders)
	case !sameMachine(f, want):
		return fmt.Sprintf("is for another machine, %s", f.Machine), false
	case f.OSABI != elf.ELFOSABI_NONE && f.OSABI != elf.ELFOSABI_LINUX:
		return "is for another system, " + f.OSABI.String(), true
	}
	return "", false
}

// Flags that tell apart the ABIs of one machine (RISC-V ELF psABI,
// "e_flags"; 64-bit ELF V2 ABI for Power, "File header"). Those of ARM are
// below, beside ldconfig's marks.
const (
	riscvFloatABI = 0x6
	powerABI      = 0x3
)

func sameMachine(a, b *own.File) bool {
	if a.Machine != b.Machine {
		return false
	}
	switch a.Machine {
	case elf.EM_ARM:
		x, y := armFlags(a.Flags), armFlags(b.Flags)
		return x == y || x == typeLibc6 || y == typeLibc6
	case elf.EM_RISCV:
		return a.Flags&riscvFloatABI == b.Flags&riscvFloatABI
	case elf.EM_PPC64:
		return a.Flags&powerABI == 0 || b.Flags&powerABI == 0 || a.Flags&powerABI == b.Flags&powerABI
	}
	return true
}

// places returns the folders of a search path, the tokens in it replaced. An
// empty element is the working folder; a path that is empty as a whole is
// none. kind and owner name it to a reader.
func (ld *linker) places(elements []string, origin, kind, owner string) []place {
	if len(elements) == 1 && elements[0] == "" {
		return nil
	}
	var all []place
	seen := map[string]bool{}
	for _, element := range elements {
		folder, ok := ld.expand(element, origin)
		if !ok || (folder == "" && element != "") {
			continue
		}
		if folder != "" {
			folder = strings.TrimRight(folder, "/") + "/"
		}
		if seen[folder] {
			continue
		}
		seen[folder] = true
		name := kind + " " + element
		if owner != "" {
			name += " of " + owner
		}
		all = append(all, place{folder, name})
	}
	return all
}
