package closure

import (
	"strings"
	"testing"
)

// R runs which(1) from code that no rule reads.
func TestLibraryTools(t *testing.T) {
	source := glibc + `
elf 0755 usr/bin/app program needs=libR.so,libc.so.6
elf 0644 usr/lib/x86_64-linux-gnu/libR.so soname=libR.so needs=libc.so.6
`
	for name, test := range map[string]struct{ more, kept, missing string }{
		"on offer":     {"elf 0755 usr/bin/which program needs=libc.so.6\nelf 0755 usr/bin/sh program needs=libc.so.6", "usr/bin/sh usr/bin/which", ""},
		"not on offer": {"elf 0755 usr/bin/sh program needs=libc.so.6", "usr/bin/sh", "which"},
	} {
		s := selected(t, Input{Source: files(t, source+test.more), Roots: roots("/usr/bin/app")})
		var kept, missing []string
		for _, p := range []string{"usr/bin/sh", "usr/bin/which"} {
			if s.Tree.Exists(p) {
				kept = append(kept, p)
			}
		}
		for _, f := range s.Commands {
			missing = append(missing, f.Name)
		}
		if got := strings.Join(kept, " "); got != test.kept || strings.Join(missing, " ") != test.missing {
			t.Errorf("%s: kept %s, missing %s", name, got, missing)
		}
	}
}
