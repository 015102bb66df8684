package closure

import "testing"

// noted is a program with a note of each priority, for libraries that the
// source has.
const noted = glibc + `
	elf 0755 usr/bin/app program needs=libc.so.6 note=[{"soname":["libneed.so.2","libneed.so.1"],"priority":"required","feature":"core"},{"soname":["librec.so.1"]},{"soname":["libsug.so.1"],"priority":"suggested"}]
	elf 0644 usr/lib/x86_64-linux-gnu/libneed.so.1 soname=libneed.so.1
	elf 0644 usr/lib/x86_64-linux-gnu/librec.so.1 soname=librec.so.1 needs=libmore.so.1
	elf 0644 usr/lib/x86_64-linux-gnu/libmore.so.1 soname=libmore.so.1
	elf 0644 usr/lib/x86_64-linux-gnu/libsug.so.1 soname=libsug.so.1
`

func TestDlopenNotes(t *testing.T) {
	for level, want := range map[string]struct{ kept, suspects string }{
		"required": {
			`file 0644 usr/lib/x86_64-linux-gnu/libneed.so.1  <- dlopen usr/bin/app`, `
			librec.so.1
			libsug.so.1`,
		},
		"recommended": {
			`file 0644 usr/lib/x86_64-linux-gnu/libmore.so.1  <- needed usr/lib/x86_64-linux-gnu/librec.so.1
			file 0644 usr/lib/x86_64-linux-gnu/libneed.so.1  <- dlopen usr/bin/app
			file 0644 usr/lib/x86_64-linux-gnu/librec.so.1  <- dlopen usr/bin/app`,
			`libsug.so.1`,
		},
		"suggested": {
			`file 0644 usr/lib/x86_64-linux-gnu/libmore.so.1  <- needed usr/lib/x86_64-linux-gnu/librec.so.1
			file 0644 usr/lib/x86_64-linux-gnu/libneed.so.1  <- dlopen usr/bin/app
			file 0644 usr/lib/x86_64-linux-gnu/librec.so.1  <- dlopen usr/bin/app
			file 0644 usr/lib/x86_64-linux-gnu/libsug.so.1  <- dlopen usr/bin/app`, ``,
		},
	} {
		t.Run(level, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, noted), Roots: roots("/usr/bin/app"), Dlopen: level})
			same(t, "kept", append([]string{"file 0755 usr/bin/app  <- path"}, lines(want.kept)...), own(t, s))
			same(t, "suspects", lines(want.suspects), suspects(s))
		})
	}
	t.Run("recommended is the default", func(t *testing.T) {
		s := selected(t, Input{Source: files(t, noted), Roots: roots("/usr/bin/app")})
		same(t, "suspects", []string{"libsug.so.1"}, suspects(s))
	})
}

func TestDlopenNotesOfWhatIsMissing(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/app program needs=libc.so.6 note=[{"soname":["libneed.so.2","libneed.so.1"],"priority":"required","feature":"core"},{"soname":["librec.so.1"],"priority":"recommended"}]
	`)
	same(t, "problems", []string{
		"/usr/bin/app (path in smith.yaml:1) → libneed.so.2: not found; the file's dlopen note requires one of libneed.so.2, libneed.so.1 for core",
	}, problems(t, Input{Source: source, Roots: roots("/usr/bin/app")}))
	s := selected(t, Input{Source: source, Roots: roots("/usr/bin/app"), AllowMissing: []string{"libneed.so.2"}})
	if len(s.Allowed) != 1 || s.Allowed[0].Name != "libneed.so.2" {
		t.Errorf("allowed: %v", s.Allowed)
	}
}
