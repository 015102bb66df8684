package closure

import (
	"strings"
	"testing"
)

// What an entry point gets that names the shell or asks for its character set.
func TestEntryPoint(t *testing.T) {
	const others = `
elf 0755 usr/bin/sh program needs=libc.so.6
file 0644 usr/lib/locale/C.utf8/LC_CTYPE
`
	for name, test := range map[string]struct {
		source, entry, want string
	}{
		"the shell by its path": {
			"elf 0755 usr/bin/app program needs=libc.so.6 strings=x,/bin/sh", "/usr/bin/app",
			"usr/bin/sh  <- command usr/bin/app",
		},
		"another object that names the shell": {
			"elf 0755 usr/bin/app program needs=libc.so.6 strings=x,/bin/sh\nelf 0755 usr/bin/main program needs=libc.so.6", "/usr/bin/main", "",
		},
		"the character set": {
			"elf 0755 usr/bin/app program needs=libc.so.6 imports=nl_langinfo", "/usr/bin/app",
			"usr/lib/locale/C.utf8/LC_CTYPE  <- data usr/bin/app",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := selected(t, Input{
				Source: files(t, glibc+others+"link bin usr/bin\n"+test.source), Roots: roots("/usr/bin/app"), Entrypoint: []string{test.entry},
			})
			var got []string
			for _, l := range own(t, s) {
				if strings.Contains(l, "/sh  <-") || strings.Contains(l, "LC_CTYPE") {
					_, l, _ = strings.Cut(l, " ")
					_, l, _ = strings.Cut(l, " ")
					got = append(got, l)
				}
			}
			same(t, "kept", lines(test.want), got)
		})
	}
}
