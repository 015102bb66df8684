package loader_test

import (
	"strings"
	"testing"

	"smith/internal/loader"
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
