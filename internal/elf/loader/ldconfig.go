package loader

import (
	"context"
	"debug/elf"
	"errors"
	"slices"
	"strings"

	own "smith/internal/elf"
	"smith/internal/tree"
)

// Cache works out the cache that ldconfig(8) of an architecture would write for
// the tree by its ld.so.conf and all that this includes. Folders that only the
// cache in the tree knows come after those: somebody had ldconfig search them.
//
// It is nil where the linker finds the same without a cache: there is no
// library but in the linker's own folders, or the linker is not glibc's.
func (l *Loader) Cache(ctx context.Context, architecture, variant string) (*Cache, error) {
	ld, err := l.linkerOf(architecture, variant)
	if err != nil || ld.musl || ld.node == nil {
		return nil, err
	}
	folders, err := ConfigFolders(l.tree)
	if err != nil {
		return nil, err
	}
	if ld.cache != nil {
		for _, e := range ld.cache.Entries {
			if dir := e.folder(); (e.Hwcap == 0 || e.Subfolder != "") && !slices.Contains(folders, dir) {
				folders = append(folders, dir)
			}
		}
	}
	for _, f := range folders {
		foreign, err := l.holdsMore(ld, f)
		if err != nil {
			return nil, err
		}
		if foreign {
			return l.CacheOf(ctx, architecture, variant, folders)
		}
	}
	return nil, nil
}

// holdsMore says whether a folder holds libraries and is none of the linker's
// own.
func (l *Loader) holdsMore(ld *linker, name string) (bool, error) {
	dir, err := l.folder(name + "/")
	if dir == nil || err != nil {
		return false, err
	}
	if own, err := l.isOwn(ld, dir); own || err != nil {
		return false, err
	}
	children, err := dir.Children()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(children, func(n *tree.Node) bool {
		return n.Kind != tree.Dir && hasLibraryName(n.Name()) || n.Kind == tree.Dir && n.Name() == "glibc-hwcaps"
	}), nil
}

// isOwn says whether a folder is one that the linker searches without a cache.
func (l *Loader) isOwn(ld *linker, dir *tree.Node) (bool, error) {
	for _, name := range ld.folders {
		own, err := l.folder(name)
		if own == dir || err != nil {
			return own == dir, err
		}
	}
	return false, nil
}

// linkerOf returns the linker of an architecture.
func (l *Loader) linkerOf(architecture, variant string) (*linker, error) {
	like, err := fileOf(architecture, variant)
	if err != nil {
		return nil, err
	}
	return l.linkerFor(like)
}

// Needs returns the entries of a cache that lead to where the linker of an
// architecture does not look by itself.
func (l *Loader) Needs(c *Cache, architecture, variant string) ([]CacheEntry, error) {
	ld, err := l.linkerOf(architecture, variant)
	if err != nil {
		return nil, err
	}
	var needed []CacheEntry
	for _, e := range c.Entries {
		dir, err := l.folder(e.folder() + "/")
		if err != nil {
			return nil, err
		}
		if own, err := l.isOwn(ld, dir); err != nil {
			return nil, err
		} else if !own {
			needed = append(needed, e)
		}
	}
	return needed, nil
}

// CacheOf works out the cache that ldconfig(8) of an architecture would write
// for the tree, given the folders of an ld.so.conf; the linker's own folders
// come after them. The architecture is named as by elf.File's Platform.
//
// It differs in two things: no links are made, so that an entry whose soname
// is no file in its folder names the library's own file; and the folders for
// certain CPUs that glibc 2.37 dropped ("tls", "haswell") are left out, whose
// libraries have another in the folder above.
func (l *Loader) CacheOf(ctx context.Context, architecture, variant string, folders []string) (*Cache, error) {
	ld, err := l.linkerOf(architecture, variant)
	if err != nil {
		return nil, err
	}
	b := &cacheBuilder{Loader: l, arch: architecture, seen: map[*tree.Node]bool{}, cache: &Cache{ByteOrder: ld.file.ByteOrder}}
	for _, folder := range append(slices.Clone(folders), ldconfigFolders(architecture, ld.folders)...) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := b.addFolder(folder, ""); err != nil {
			return nil, err
		}
	}
	b.cache.sort()
	return b.cache, nil
}

// ldconfigFolders returns the folders that ldconfig adds by itself. Debian's
// are those of its linker. Elsewhere ldconfig derives them from the one that
// glibc was built for: on some architectures, its neighbours for other ABIs.
func ldconfigFolders(architecture string, builtIn []string) []string {
	var all []string
	for _, folder := range builtIn {
		folder = strings.TrimSuffix(folder, "/")
		base, isLib := strings.CutSuffix(folder, "/lib64")
		if !isLib {
			base, isLib = strings.CutSuffix(folder, "/lib")
		}
		suffixes := map[string][]string{"amd64": {"", "64", "x32"}, "arm64": {"", "64"}}[architecture]
		if !isLib || suffixes == nil || isMultiarch(builtIn) {
			all = append(all, folder)
			continue
		}
		for _, s := range suffixes {
			all = append(all, base+"/lib"+s)
		}
	}
	return all
}

// A cacheBuilder collects the entries of a cache.
type cacheBuilder struct {
	*Loader
	arch  string
	seen  map[*tree.Node]bool
	cache *Cache
}

// A candidate is a library of one folder, of which each soname has one.
type candidate struct {
	name, soname string
	link         bool
	flags        uint32
	isaLevel     int
}

// addFolder adds the libraries of a folder, and then those of the glibc-hwcaps
// folders in it. A folder that was seen under another path adds nothing.
func (b *cacheBuilder) addFolder(name, subfolder string) error {
	dir, err := b.folder(name + "/")
	if dir == nil || err != nil || b.seen[dir] || !strings.HasPrefix(name, "/") {
		return err
	}
	b.seen[dir] = true
	children, err := dir.Children()
	if err != nil {
		return err
	}
	best := map[string]*candidate{}
	var order []string
	for _, n := range children {
		c, err := b.candidate(name, n, subfolder != "")
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		switch old := best[c.soname]; {
		case old == nil:
			best[c.soname] = c
			order = append(order, c.soname)
		case !c.link && old.link, c.link == old.link && compareNames(old.name, c.name) < 0:
			best[c.soname] = c
		}
	}
	for _, soname := range order {
		b.add(name, subfolder, best[soname])
	}
	if subfolder != "" {
		return nil
	}
	return b.addHwcaps(name)
}

// addHwcaps adds the folders in glibc-hwcaps of a folder.
func (b *cacheBuilder) addHwcaps(name string) error {
	dir, err := b.folder(name + "/glibc-hwcaps/")
	if dir == nil || err != nil {
		return err
	}
	children, err := dir.Children()
	if err != nil {
		return err
	}
	for _, n := range children {
		if strings.HasPrefix(n.Name(), ".") || strings.Contains(n.Name(), ":") {
			continue
		}
		if err := b.addFolder(name+"/glibc-hwcaps/"+n.Name(), n.Name()); err != nil {
			return err
		}
	}
	return nil
}

// add adds one entry. The name in the cache is the soname, for which a link is
// expected to stand in the folder; in a folder for certain CPUs it is the file.
func (b *cacheBuilder) add(dir, subfolder string, c *candidate) {
	e := CacheEntry{Soname: c.soname, Path: dir + "/" + c.soname, Flags: c.flags, Subfolder: subfolder}
	if n, err := b.open(e.Path); subfolder != "" || n == nil || err != nil {
		e.Path = dir + "/" + c.name
	}
	if subfolder != "" {
		e.Hwcap = hwcapExtension | uint64(c.isaLevel)<<32
	}
	b.cache.Entries = append(b.cache.Entries, e)
}

// candidate returns what ldconfig makes of an entry of a folder, or nil.
func (b *cacheBuilder) candidate(dir string, n *tree.Node, hwcaps bool) (*candidate, error) {
	link := n.Kind == tree.Symlink
	if !link && n.Kind != tree.File || !hasLibraryName(n.Name()) && !(link && hwcaps) {
		return nil, nil
	}
	target, err := b.open(dir + "/" + n.Name())
	if target == nil || err != nil {
		return nil, err
	}
	f, err := b.ELF(target)
	var malformed *own.FormatError
	if errors.Is(err, own.ErrNotELF) || errors.As(err, &malformed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	flags, ok := cacheFlags(b.arch, f)
	if f.Type != elf.ET_DYN || !f.Dynamic || !ok {
		return nil, nil
	}
	c := &candidate{name: n.Name(), soname: f.Soname, link: link, flags: flags, isaLevel: f.ISALevel}
	if c.soname == "" {
		c.soname = c.name
	}
	// A link that is neither the soname's nor the one that ld(1) looks for
	// counts as a file.
	if link && c.name != c.soname && !(strings.HasSuffix(c.name, ".so") && strings.HasPrefix(c.soname, c.name)) {
		c.link = false
	}
	if c.link {
		c.soname = c.name
	}
	return c, nil
}

// hasLibraryName says whether ldconfig looks into a file of the name.
func hasLibraryName(name string) bool {
	if strings.HasSuffix(name, ".#prelink#") || strings.Contains(name, ";") || strings.HasSuffix(name, ".dpkg-new") || strings.HasSuffix(name, ".dpkg-tmp") {
		return false
	}
	return (strings.HasPrefix(name, "lib") || strings.HasPrefix(name, "ld-")) && strings.Contains(name, ".so") ||
		strings.HasPrefix(name, "ld.so.") || strings.HasPrefix(name, "ld64.so.")
}

// cacheFlags returns the mark of a library in the cache of an architecture, and
// false for one that has no place there.
func cacheFlags(arch string, f *own.File) (uint32, bool) {
	other, _ := f.Platform()
	switch {
	case arch == "amd64" && other == "386", arch == "arm64" && other == "arm", arch == other:
	default:
		return 0, false
	}
	if other == "arm" {
		return armFlags(f.Flags), true
	}
	return abiOf(f).flags, true
}

// Bits of e_flags on ARM.
const (
	armABIMask   = 0xff000000
	armABI5      = 0x05000000
	armSoftFloat = 0x200
	armHardFloat = 0x400
)

// armFlags returns the mark of an ARM library: one that does not tell its float
// ABI fits every process.
func armFlags(flags uint32) uint32 {
	switch {
	case flags&armABIMask == armABI5 && flags&armHardFloat != 0:
		return 0x900 | typeLibc6
	case flags&armABIMask == armABI5 && flags&armSoftFloat != 0:
		return 0xb00 | typeLibc6
	}
	return typeLibc6
}
