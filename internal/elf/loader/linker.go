package loader

import (
	"bytes"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"smith/internal/elf"
	"smith/internal/tree"
)

// A linker is one dynamic linker of the tree and what is built into it.
type linker struct {
	path  string     // by which programs name it
	node  *tree.Node // nil where the tree does not hold it
	found string     // why it is this one
	file  *elf.File  // a file of the architecture that it serves
	musl  bool

	folders  []string // that it searches last, each with a slash at its end
	lib      string   // what $LIB stands for
	platform string   // what $PLATFORM stands for, "" where it is not known
	hwcaps   []string // subfolders tried in each folder, best first, "" last
	minor    int      // of glibc 2.minor; 0 where it is not known
	level    string   // of the CPU
	cache    *Cache   // nil where there is none
}

// linkerFor returns the linker of a program, or the one that would load a
// shared object.
func (l *Loader) linkerFor(f *elf.File) (*linker, error) {
	name, found := f.Interpreter, "PT_INTERP"
	if name == "" {
		name, found = l.usualLinker(f), "the usual dynamic linker of its architecture"
	}
	arch, variant := f.Platform()
	key := strings.Join([]string{name, arch, variant}, "\x00")
	if known, ok := l.linkers.Load(key); ok {
		return known.(*linker), nil
	}
	ld := &linker{path: name, found: found, file: f, musl: strings.HasPrefix(path.Base(name), "ld-musl-")}
	var err error
	if ld.node, err = l.open(name); err != nil {
		return nil, err
	}
	if ld.musl {
		ld.folders, err = l.muslPath(name)
	} else {
		err = l.describeGlibc(ld)
	}
	if err != nil {
		return nil, err
	}
	l.linkers.Store(key, ld)
	return ld, nil
}

// usualLinker returns the path of the linker that a shared object without
// PT_INTERP would be loaded by: musl's where the object needs musl's libc, or
// needs no other and the tree holds no glibc linker.
func (l *Loader) usualLinker(f *elf.File) string {
	arch := abiOf(f)
	for _, n := range f.Needed {
		switch {
		case strings.HasPrefix(n, "libc.musl-"), strings.HasPrefix(n, "ld-musl-"), n == "libc.so":
			return "/lib/ld-musl-" + arch.musl + ".so.1"
		case n == "libc.so.6", n == path.Base(arch.linker):
			return arch.linker
		}
	}
	if musl := "/lib/ld-musl-" + arch.musl + ".so.1"; !l.tree.Exists(arch.linker) && l.tree.Exists(musl) {
		return musl
	}
	return arch.linker
}

// describeGlibc reads out of a linker of glibc what was built into it.
func (l *Loader) describeGlibc(ld *linker) error {
	arch := abiOf(ld.file)
	ld.folders = arch.folders
	if ld.node != nil && ld.node.Kind == tree.File {
		if err := ld.readBuiltIn(); err != nil {
			return err
		}
	}
	if ld.minor == 0 {
		if err := l.versionOfLibc(ld); err != nil {
			return err
		}
	}
	ld.lib = libToken(ld.folders)
	ld.level = l.options.Level
	var caps []string
	ld.platform, caps = arch.cpu(ld.level, ld.minor)
	ld.hwcaps = hwcapFolders(levelsUpTo(arch.levels, ld.level), ld.minor, ld.platform, caps)
	if l.options.Cache != nil {
		ld.cache = l.options.Cache
		return nil
	}
	n, err := l.open(CachePath)
	if n == nil || err != nil || n.Kind != tree.File {
		return err
	}
	ld.cache, err = ReadCacheFile(n)
	return err
}

// maxLinker is more than any build of ld.so, debugging information included.
const maxLinker = 16 << 20

// versionText is how glibc names its version, in ld.so since 2.33: "stable" or
// "development" stands before it. It begins with plain text, which is found
// many times faster than alternatives are.
var versionText = regexp.MustCompile(`release version 2\.(\d{1,3})`)

// readBuiltIn finds the built-in folders and the version in the read-only data
// of ld.so. The folders are what glibc's build made of its configuration: a
// run of strings that begin and end with a slash.
func (ld *linker) readBuiltIn() error {
	if ld.node.Size > maxLinker {
		return nil
	}
	r, err := ld.node.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if m := versionText.FindSubmatch(data); m != nil {
		ld.minor, _ = strconv.Atoi(string(m[1]))
	}
	if folders := builtInFolders(data); folders != nil {
		ld.folders = folders
	}
	return nil
}

// versionOfLibc finds the version of glibc by the newest symbol version that its
// libc defines: a linker of before 2.33 does not tell.
func (l *Loader) versionOfLibc(ld *linker) error {
	for _, folder := range ld.folders {
		n, err := l.open(folder + "libc.so.6")
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		f, broken, err := l.header(n)
		if err != nil {
			return err
		}
		if broken != "" || !sameMachine(f, ld.file) || f.Class != ld.file.Class {
			continue
		}
		for _, name := range f.VersionDefs {
			if text, ok := strings.CutPrefix(name, "GLIBC_2."); ok {
				if minor, err := strconv.Atoi(text); err == nil {
					ld.minor = max(ld.minor, minor)
				}
			}
		}
		return nil
	}
	return nil
}

func builtInFolders(data []byte) []string {
	var run []string
	for text := range bytes.SplitSeq(data, []byte{0}) {
		if isFolderText(text) {
			run = append(run, string(text))
			continue
		}
		if len(run) > 0 {
			return run
		}
	}
	return nil
}

// isFolderText says whether a string can be a built-in folder.
func isFolderText(text []byte) bool {
	if len(text) < 5 || len(text) > 1024 || text[0] != '/' || text[len(text)-1] != '/' || !bytes.Contains(text, []byte("/lib")) {
		return false
	}
	for _, c := range text {
		if c <= ' ' || c > '~' || c == '%' {
			return false
		}
	}
	return true
}

// isMultiarch says whether folders are those of Debian's linkers, whose names
// carry the architecture.
func isMultiarch(folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return strings.Contains(f, "-linux-gnu") })
}

// libToken returns what $LIB stands for: the last element of the folder that
// glibc was built for, with the one before it on Debian, whose folders carry
// the architecture ("lib/x86_64-linux-gnu").
func libToken(folders []string) string {
	if len(folders) == 0 {
		return "lib"
	}
	dir := path.Clean(folders[0])
	base := path.Base(dir)
	if strings.HasPrefix(base, "lib") {
		return base
	}
	return path.Join(path.Base(path.Dir(dir)), base)
}
