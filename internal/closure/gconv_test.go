package closure

import (
	"strings"
	"testing"
)

const converters = glibc + `
	elf 0755 usr/bin/iconv program needs=libc.so.6
	file 0644 usr/lib/x86_64-linux-gnu/gconv/gconv-modules # list\nalias LATIN1// ISO-8859-1//\nmodule ISO-8859-1// INTERNAL ISO8859-1 1\nmodule INTERNAL ISO-8859-1// ISO8859-1 1\n
	file 0644 usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/extra.conf module EUC-KR// INTERNAL EUC-KR 1\n
	file 0644 usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache all of them
	elf 0644 usr/lib/x86_64-linux-gnu/gconv/ISO8859-1.so needs=libc.so.6
	elf 0644 usr/lib/x86_64-linux-gnu/gconv/EUC-KR.so needs=libKSC.so,libc.so.6 runpath=$ORIGIN
	elf 0644 usr/lib/x86_64-linux-gnu/gconv/libKSC.so needs=libc.so.6
`

func TestGconv(t *testing.T) {
	const lists = `
		file 0644 usr/lib/x86_64-linux-gnu/gconv/gconv-modules  <- gconv usr/lib/x86_64-linux-gnu/libc.so.6
		file 0644 usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/extra.conf  <- gconv usr/lib/x86_64-linux-gnu/libc.so.6`
	for charset, want := range map[string]string{
		"latin1": `file 0644 usr/lib/x86_64-linux-gnu/gconv/ISO8859-1.so  <- gconv usr/lib/x86_64-linux-gnu/libc.so.6` + lists,
		"EUC-KR": `file 0644 usr/lib/x86_64-linux-gnu/gconv/EUC-KR.so  <- gconv usr/lib/x86_64-linux-gnu/libc.so.6` + lists + `
			file 0644 usr/lib/x86_64-linux-gnu/gconv/libKSC.so  <- needed usr/lib/x86_64-linux-gnu/gconv/EUC-KR.so`,
		"UTF-8": lists,
	} {
		t.Run(charset, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, converters), Roots: roots("/usr/bin/iconv"), Gconv: []string{charset}})
			var got []string
			for _, l := range own(t, s) {
				if strings.Contains(l, "/gconv/") {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(want), got)
		})
	}
	same(t, "problems", []string{
		"gconv: EUC-KT is no charset that /usr/lib/x86_64-linux-gnu/gconv/gconv-modules knows; did you mean EUC-KR?",
	}, problems(t, Input{Source: files(t, converters), Roots: roots("/usr/bin/iconv"), Gconv: []string{"EUC-KT"}}))
	same(t, "problems", []string{
		"gconv: the source has no converters beside /usr/lib/x86_64-linux-gnu/libc.so.6; " +
			"distributions have them in the package libc6, libc-gconv-modules-extra or glibc-gconv-extra",
	}, problems(t, Input{Source: files(t, glibc+"elf 0755 usr/bin/iconv program needs=libc.so.6\n"), Roots: roots("/usr/bin/iconv"), Gconv: []string{"latin1"}}))
	s := selected(t, Input{Source: files(t, "file 0644 etc/motd hello\n"), Roots: roots("/etc/motd"), Gconv: []string{"latin1"}})
	same(t, "warnings", []string{"gconv: nothing in the image uses glibc, and other C libraries have no converters to load"}, s.Warnings)
}
