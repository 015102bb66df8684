package closure

import (
	"encoding/binary"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
	"smith/internal/tree"
)

const amd64Linker = "/lib64/ld-linux-x86-64.so.2"

// withLibraries returns a tree of texts, with a linker, with a program that
// needs libx.so.1 and with libraries of that soname.
func withLibraries(t testing.TB, texts map[string]string, libraries ...string) *tree.Tree {
	t.Helper()
	files := tree.New()
	put := func(name string, data []byte) {
		t.Helper()
		if err := files.Insert(name, tree.NewFile(data, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	put(amd64Linker, elftest.Build(elftest.Object{Soname: "ld-linux-x86-64.so.2"}))
	put("/bin/main", elftest.Build(elftest.Object{Interpreter: amd64Linker, PIE: true, Needed: []string{"libx.so.1"}}))
	for _, name := range libraries {
		put(name, elftest.Build(elftest.Object{Soname: "libx.so.1"}))
	}
	for name, text := range texts {
		put(name, []byte(text))
	}
	return files
}

var little = binary.LittleEndian

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// cacheOf returns the libraries in the cache of a selection, nil where it has
// none.
func cacheOf(t testing.TB, sel *Selection) []string {
	t.Helper()
	at, err := sel.Tree.Resolve(loader.CachePath)
	if err != nil {
		return nil
	}
	c, err := loader.ReadCacheFile(at.Node)
	if c == nil || err != nil {
		t.Fatalf("no cache: %v", err)
	}
	if sel.Files[loader.CachePath][0].Rule != "cache" {
		t.Errorf("reasons: %+v", sel.Files[loader.CachePath])
	}
	entries := []string{}
	for _, e := range c.Entries {
		if e.Path != amd64Linker {
			entries = append(entries, e.Soname+" "+e.Path)
		}
	}
	return entries
}

// The image gets a cache exactly where a kept library lies in a folder that
// only ld.so.conf or the source's cache reaches.
func TestLinkerCache(t *testing.T) {
	stale := (&loader.Cache{ByteOrder: little, Entries: []loader.CacheEntry{{Soname: "libx.so.1", Path: "/opt/b/libx.so.1", Flags: 0x303}}}).Bytes()
	for _, c := range []struct {
		name      string
		texts     map[string]string
		libraries []string
		kept      string // the library
		want      []string
	}{
		{"a default folder", map[string]string{"/etc/ld.so.conf": "/opt/a\n"}, []string{"/usr/lib/libx.so.1"}, "/usr/lib/libx.so.1", nil},
		{
			"a default folder before one that is not",
			map[string]string{"/etc/ld.so.conf": "/usr/lib\n/opt/a\n"},
			[]string{"/usr/lib/libx.so.1", "/opt/a/libx.so.1"},
			"/usr/lib/libx.so.1", nil,
		},
		{
			"a folder of ld.so.conf",
			map[string]string{"/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf", "/etc/ld.so.conf.d/a.conf": "/opt/a"},
			[]string{"/opt/a/libx.so.1"},
			"/opt/a/libx.so.1",
			[]string{"libx.so.1 /opt/a/libx.so.1"},
		},
		{
			"a package's file in ld.so.conf.d, without ld.so.conf",
			map[string]string{"/etc/ld.so.conf.d/a.conf": "/opt/a"},
			[]string{"/opt/a/libx.so.1"},
			"/opt/a/libx.so.1",
			[]string{"libx.so.1 /opt/a/libx.so.1"},
		},
		{
			"two folders of ld.so.conf and a default one",
			map[string]string{"/etc/ld.so.conf": "/opt/b\n/opt/a\n"},
			[]string{"/opt/a/libx.so.1", "/opt/b/libx.so.1", "/lib/libx.so.1"},
			"/opt/b/libx.so.1",
			[]string{"libx.so.1 /opt/b/libx.so.1"},
		},
		{
			"a cache without ld.so.conf",
			map[string]string{"/etc/ld.so.cache": string(stale)},
			[]string{"/opt/b/libx.so.1"},
			"/opt/b/libx.so.1",
			[]string{"libx.so.1 /opt/b/libx.so.1"},
		},
		{
			"ld.so.conf before what only the cache knows",
			map[string]string{"/etc/ld.so.cache": string(stale), "/etc/ld.so.conf": "/opt/a"},
			[]string{"/opt/a/libx.so.1", "/opt/b/libx.so.1"},
			"/opt/a/libx.so.1",
			[]string{"libx.so.1 /opt/a/libx.so.1"},
		},
		{"a default folder by another name", map[string]string{"/etc/ld.so.conf": "/usr/../lib\n"}, []string{"/lib/libx.so.1"}, "/lib/libx.so.1", nil},
		{
			"hwcaps of a default folder",
			map[string]string{"/etc/ld.so.conf": "/opt/a\n"},
			[]string{"/lib/libx.so.1", "/lib/glibc-hwcaps/x86-64-v2/libx.so.1"},
			"/lib/libx.so.1", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sel := selected(t, Input{Source: withLibraries(t, c.texts, c.libraries...), Roots: roots("/bin/main"), Platform: amd64})
			if !sel.Tree.Exists(c.kept) {
				t.Errorf("%s is not kept: %v", c.kept, show(t, sel))
			}
			same(t, "cache", c.want, cacheOf(t, sel))
		})
	}
}

// What lies below and above counts: a parent's cache that says the same stays,
// another is replaced, and one in rootfs/ is the user's word.
func TestLinkerCacheOfLayers(t *testing.T) {
	conf := map[string]string{"/etc/ld.so.conf": "/opt/a\n"}
	source := withLibraries(t, conf, "/opt/a/libx.so.1")
	entry := loader.CacheEntry{Soname: "libx.so.1", Path: "/opt/a/libx.so.1", Flags: 0x303}
	cache := func(entries ...loader.CacheEntry) *tree.Tree {
		files := tree.New()
		data := (&loader.Cache{ByteOrder: little, Entries: entries}).Bytes()
		if err := files.Insert(loader.CachePath, tree.NewFile(data, 0o644)); err != nil {
			t.Fatal(err)
		}
		return files
	}
	other := entry
	other.Soname = "liby.so.1"
	in := Input{Source: source, Roots: roots("/bin/main"), Platform: amd64}

	in.Parent = cache(entry, other)
	same(t, "below a cache that says the same", nil, cacheOf(t, selected(t, in)))
	in.Parent = cache(other)
	same(t, "below another cache", []string{"libx.so.1 /opt/a/libx.so.1"}, cacheOf(t, selected(t, in)))
	in.Parent, in.Overlay = nil, cache(entry)
	sel := selected(t, in)
	if r := sel.Files[loader.CachePath]; r[0].Rule != "overlay" {
		t.Errorf("the cache of rootfs/ is replaced: %+v", r)
	}
	in.Overlay, in.AllHwcaps = nil, true
	in.Source = withLibraries(t, conf, "/opt/a/libx.so.1", "/opt/a/glibc-hwcaps/x86-64-v3/libx.so.1")
	want := []string{"libx.so.1 /opt/a/glibc-hwcaps/x86-64-v3/libx.so.1", "libx.so.1 /opt/a/libx.so.1"}
	same(t, "with variants", want, cacheOf(t, selected(t, in)))
	in.Roots = roots("/bin/main", "/etc/**")
	same(t, "in place of the source's", want, cacheOf(t, selected(t, in)))
	if i := slices.IndexFunc(show(t, selected(t, in)), func(l string) bool { return l == "file 0755 etc/ld.so.conf  <- path" }); i < 0 {
		t.Error("ld.so.conf is not kept where it is asked for")
	}
}

// A cache whose bytes are not to be had is told of, and not passed over.
func TestLinkerCacheThatCannotBeRead(t *testing.T) {
	files := withLibraries(t, nil, "/lib/libx.so.1")
	if err := files.Insert(loader.CachePath, &tree.Node{Kind: tree.File, Size: 100}); err != nil {
		t.Fatal(err)
	}
	_, err := Select(t.Context(), Input{Source: files, Roots: roots("/bin/main"), Platform: amd64})
	if want := "cannot work out /etc/ld.so.cache: cannot read /etc/ld.so.cache: its 100 bytes are not at hand"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
