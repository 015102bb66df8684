//go:build linux

package loader_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
	"smith/internal/tree"
)

// What is said of caches of the dynamic linker that are broken.
func TestBrokenCaches(t *testing.T) {
	old := "ld.so-1.7.0\x00"
	header := func(count, flags string) string {
		return "glibc-ld.so.cache1.1" + count + "\x00\x00\x00\x00" + flags + strings.Repeat("\x00", 19)
	}
	const little, one, none = "\x02", "\x01\x00\x00\x00", "\x00\x00\x00\x00"
	entry := func(soname string) string { return one + soname + none + strings.Repeat("\x00", 12) }
	for data, want := range map[string]string{
		"":                       "not a usable ld.so.cache",
		old + "\xff\xff\xff\xff": "not a usable ld.so.cache: more entries than fit",
		header(one, little):      "not a usable ld.so.cache: more entries than fit",
		header(none, "\x01"):     "not a usable ld.so.cache: it is marked as invalid",
		header(one, little) + entry("\xff\xff\x00\x00"):             "not a usable ld.so.cache: a string lies outside",
		old + one + one + "\x00\x00\x00\x00\x00\x00\x00\x00" + "ab": "not a usable ld.so.cache: a string does not end",
	} {
		if _, err := loader.ReadCache([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", data, err, want)
		}
	}
}

// What is said of programs that are none, or bring more than a process can have.
func TestMistakes(t *testing.T) {
	amd64 := architectures[0]
	files := tree.New()
	name := func(i int) string { return fmt.Sprintf("lib%d", i) }
	for i := range 4097 { // each needs two more
		insert(t, files, "/lib/"+name(i), amd64.library("", name(2*i+1), name(2*i+2)))
	}
	for program, interpreter := range map[string]string{"/glibc": amd64.linker, "/musl": "/lib/ld-musl-x86_64.so.1"} {
		insert(t, files, program, amd64.with(func(o *elftest.Object) { o.Interpreter, o.Needed = interpreter, []string{"lib0"} }))
	}
	l := loader.New(files, loader.Options{})
	load := func(name string) error {
		_, err := l.Load(t.Context(), name)
		return err
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, find := l.Find(cancelled, "liba.so", "/glibc")
	_, unknown := loader.SearchFolders("vax", "", 36, "", false)
	for _, c := range []struct {
		err  error
		want string
	}{
		{load("/lib"), "a dir, not an ELF file"},
		{load("/glibc"), "cannot load /glibc: it brings more than 4096 objects"},
		{load("/musl"), "cannot load /musl: it brings more than 4096 objects"},
		{find, "cannot look for liba.so: context canceled"},
		{unknown, `no dynamic linker is known for architecture "vax"`},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
