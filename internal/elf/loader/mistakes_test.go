//go:build linux

package loader_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
	"smith/internal/golden"
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

// The errors for what is not a program, and for programs that bring or search
// more than a process may.
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
	var many, folders, names []string
	for i := range 1020 {
		folders = append(folders, fmt.Sprintf("/opt/%d", i))
		many = append(many, fmt.Sprintf("libnone%d.so", i), fmt.Sprintf("libno%d.so", i))
	}
	for i := range 4000 { // each needs the next one, and brings a search path
		names = append(names, fmt.Sprintf("libchain%d.so", i+1))
		insert(t, files, fmt.Sprintf("/lib/libchain%d.so", i), amd64.with(func(o *elftest.Object) {
			o.Needed, o.RPATH = names[i:], fmt.Sprintf("/a%d:/b%d", i, i)
		}))
	}
	for program, interpreter := range map[string]string{"glibc": amd64.linker, "musl": "/lib/ld-musl-x86_64.so.1"} {
		insert(t, files, "/wide-"+program, amd64.with(func(o *elftest.Object) {
			o.Interpreter, o.Needed, o.RUNPATH = interpreter, many, strings.Join(folders, ":")
		}))
		insert(t, files, "/deep-"+program, amd64.with(func(o *elftest.Object) { o.Interpreter, o.Needed = interpreter, []string{"libchain0.so"} }))
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
	texts := golden.New(t)
	for _, name := range []string{"/lib", "/glibc", "/musl", "/wide-glibc", "/wide-musl", "/deep-glibc", "/deep-musl"} {
		texts.Error(name, load(name))
	}
	texts.Error("cancelled", find)
	texts.Error("unknown architecture", unknown)
}
