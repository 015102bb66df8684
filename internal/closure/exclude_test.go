package closure

import "testing"

func TestExcludes(t *testing.T) {
	const source = glibc + `
		elf 0755 usr/bin/app program needs=libx.so.1
		link usr/lib/x86_64-linux-gnu/libx.so.1 libx.so.1.2
		elf 0644 usr/lib/x86_64-linux-gnu/libx.so.1.2 soname=libx.so.1 needs=liby.so.1
		elf 0644 usr/lib/x86_64-linux-gnu/liby.so.1 soname=liby.so.1
		file 0644 usr/share/app/doc/a x
		file 0644 usr/share/app/data x
	`
	const app = "file 0755 usr/bin/app  <- path\n"
	const libx = "symlink usr/lib/x86_64-linux-gnu/libx.so.1 -> libx.so.1.2  <- needed usr/bin/app\n" +
		"file 0644 usr/lib/x86_64-linux-gnu/libx.so.1.2  <- symlink usr/lib/x86_64-linux-gnu/libx.so.1\n"
	for name, test := range map[string]struct {
		excludes []string
		roots    []Root
		kept     string
		excluded []string
	}{
		"a library": {
			[]string{"/usr/lib/**/liby.so.*"}, roots("/usr/bin/app"), app + libx, []string{"/usr/lib/x86_64-linux-gnu/liby.so.1"},
		},
		"through a link of the source": {
			[]string{"/lib/*/liby.so.1"}, roots("/usr/bin/app"), app + libx, []string{"/usr/lib/x86_64-linux-gnu/liby.so.1"},
		},
		"a folder of a folder": {
			[]string{"/usr/share/*/doc"}, roots("/usr/share/app"), "dir 0755 usr/share/app  <- path\nfile 0644 usr/share/app/data  <- path\n", nil,
		},
		"what nothing needs": {[]string{"/usr/share"}, roots("/usr/bin/app"), app + libx + "file 0644 usr/lib/x86_64-linux-gnu/liby.so.1  <- needed usr/lib/x86_64-linux-gnu/libx.so.1.2\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, source), Roots: test.roots, Excludes: test.excludes})
			same(t, "kept", lines(test.kept), own(t, s))
			var excluded []string
			for _, f := range s.Excluded {
				excluded = append(excluded, f.Name)
			}
			same(t, "excluded", test.excluded, excluded)
		})
	}
	t.Run("not the overlay's", func(t *testing.T) {
		s := selected(t, Input{Overlay: files(t, "file 0644 etc/motd x"), Excludes: []string{"/etc"}})
		same(t, "kept", lines("file 0644 etc/motd  <- overlay"), show(t, s))
	})
}
