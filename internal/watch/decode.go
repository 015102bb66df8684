package watch

import "strings"

// AT_FDCWD and the flags of open(2) that decide, which are the same on the
// architectures here.
const (
	cwd         = -100
	openWrite   = 0x1 // O_WRONLY
	openBoth    = 0x2 // O_RDWR
	openCreate  = 0x40
	noFollow    = 0x100  // AT_SYMLINK_NOFOLLOW
	noFollowArm = 0x8000 // O_NOFOLLOW on arm64
	noFollowX86 = 0x20000
)

// A form is where a system call has its arguments.
type form struct {
	intent Intent
	// dir is the argument that holds the directory's descriptor, or -1; path
	// that of the path.
	dir, path int
	// flags is the argument with the flags of open(2), how with the address of
	// struct open_how (openat2(2)), at with those of *at calls; -1 for none.
	flags, how, at int
	// link looks at the symlink itself.
	link bool
	// create makes a directory, and nothing where one exists.
	create bool
}

func plain(intent Intent) form {
	return form{intent: intent, dir: -1, path: 0, flags: -1, how: -1, at: -1}
}

func relative(intent Intent, at int) form {
	return form{intent: intent, dir: 0, path: 1, flags: -1, how: -1, at: at}
}

func opens(dir, path, flags int) form {
	return form{intent: Look, dir: dir, path: path, flags: flags, how: -1, at: -1}
}

func linkItself(f form) form { f.link = true; return f }

// forms are the calls that are watched, by name.
func forms() map[string]form {
	return map[string]form{
		"open":       opens(-1, 0, 1),
		"openat":     opens(0, 1, 2),
		"openat2":    {intent: Look, dir: 0, path: 1, flags: -1, how: 2, at: -1},
		"creat":      plain(Write),
		"stat":       plain(Look),
		"lstat":      linkItself(plain(Look)),
		"newfstatat": relative(Look, 3),
		"statx":      relative(Look, 2),
		"access":     plain(Look),
		"faccessat":  relative(Look, -1),
		"faccessat2": relative(Look, 3),
		"execve":     plain(Execute),
		"execveat":   relative(Execute, 4),
		"mkdir":      {intent: Write, dir: -1, path: 0, flags: -1, how: -1, at: -1, create: true},
		"mkdirat":    {intent: Write, dir: 0, path: 1, flags: -1, how: -1, at: -1, create: true},
	}
}

// numbers are the numbers of the calls by architecture, as Linux has them in
// arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
func numbers(arch uint32) map[int32]string {
	switch arch {
	case archAMD64:
		return map[int32]string{
			2: "open", 4: "stat", 6: "lstat", 21: "access", 59: "execve", 83: "mkdir", 85: "creat", 257: "openat", 258: "mkdirat",
			262: "newfstatat", 269: "faccessat", 322: "execveat", 332: "statx", 437: "openat2", 439: "faccessat2",
		}
	case archARM64:
		return map[int32]string{
			34: "mkdirat", 48: "faccessat", 56: "openat", 79: "newfstatat", 221: "execve", 281: "execveat", 291: "statx",
			437: "openat2", 439: "faccessat2",
		}
	}
	return nil
}

// The values of AUDIT_ARCH_* (linux/audit.h).
const (
	archAMD64 = 0xc000003e
	archARM64 = 0xc00000b7
)

// Syscalls are the names of the calls that are watched, for a seccomp filter.
// Names that an architecture lacks are ignored by it.
func Syscalls() []string {
	return []string{
		"access", "creat", "execve", "execveat", "faccessat", "faccessat2", "lstat", "mkdir", "mkdirat", "newfstatat",
		"open", "openat", "openat2", "stat", "statx",
	}
}

// A decoder knows the calls of the architectures.
type decoder struct {
	forms map[string]form
	names map[uint32]map[int32]string
}

func newDecoder() decoder {
	return decoder{forms(), map[uint32]map[int32]string{archAMD64: numbers(archAMD64), archARM64: numbers(archARM64)}}
}

// registers are a system call as seccomp(2) shows it (struct seccomp_data).
type registers struct {
	Number       int32
	Architecture uint32
	Instruction  uint64
	Arguments    [6]uint64
}

// A question is what a call asks, before the memory of its process is read.
type question struct {
	intent Intent
	// dir is a descriptor, or cwd.
	dir int
	// path is the address of the path.
	path uint64
	// how is the address of a struct open_how, or 0.
	how uint64
	// link looks at the symlink itself, create wants that nothing exists.
	link, create bool
}

// decode returns what a call asks; ok is false for calls that are not watched,
// or of an architecture that is not known, such as 32-bit programs.
func (d decoder) decode(r registers) (q question, ok bool) {
	f, ok := d.forms[d.names[r.Architecture][r.Number]]
	if !ok {
		return q, false
	}
	q = question{intent: f.intent, dir: cwd, path: r.Arguments[f.path], link: f.link, create: f.create}
	if f.dir >= 0 {
		q.dir = int(int32(r.Arguments[f.dir]))
	}
	if f.at >= 0 && r.Arguments[f.at]&noFollow != 0 {
		q.link = true
	}
	if f.how >= 0 {
		q.how = r.Arguments[f.how]
	}
	if f.flags >= 0 {
		q.open(r.Architecture, r.Arguments[f.flags])
	}
	return q, true
}

// open takes the flags of open(2).
func (q *question) open(architecture uint32, flags uint64) {
	if flags&(openWrite|openBoth|openCreate) != 0 {
		q.intent = Write
	}
	no := uint64(noFollowX86)
	if architecture == archARM64 {
		no = noFollowArm
	}
	q.link = q.link || flags&no != 0
}

// text returns the path that memory begins with, "" where it has no end.
func text(memory []byte) string {
	name, _, ok := strings.Cut(string(memory), "\x00")
	if !ok {
		return ""
	}
	return name
}
