package closure

import "testing"

func TestHwcaps(t *testing.T) {
	const source = glibc + `
		elf 0755 usr/bin/app program needs=libx.so.1
		link usr/lib/x86_64-linux-gnu/libx.so.1 libx.so.1.2
		elf 0644 usr/lib/x86_64-linux-gnu/libx.so.1.2 soname=libx.so.1
		link usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1 libx.so.1.2
		elf 0644 usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1.2 soname=libx.so.1 needs=liby.so.1
		elf 0644 usr/lib/x86_64-linux-gnu/liby.so.1 soname=liby.so.1
		elf 0644 usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libother.so.1 soname=libother.so.1
	`
	const base = `
		file 0755 usr/bin/app  <- path
		symlink usr/lib/x86_64-linux-gnu/libx.so.1 -> libx.so.1.2  <- needed usr/bin/app
		file 0644 usr/lib/x86_64-linux-gnu/libx.so.1.2  <- symlink usr/lib/x86_64-linux-gnu/libx.so.1`
	s := selected(t, Input{Source: files(t, source), Roots: roots("/usr/bin/app")})
	same(t, "kept", lines(base), own(t, s))

	s = selected(t, Input{Source: files(t, source), Roots: roots("/usr/bin/app"), AllHwcaps: true})
	same(t, "kept with all", lines(`
		file 0755 usr/bin/app  <- path
		symlink usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1 -> libx.so.1.2  <- hwcaps usr/lib/x86_64-linux-gnu/libx.so.1
		file 0644 usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1.2  <- symlink usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1
		symlink usr/lib/x86_64-linux-gnu/libx.so.1 -> libx.so.1.2  <- needed usr/bin/app
		file 0644 usr/lib/x86_64-linux-gnu/libx.so.1.2  <- symlink usr/lib/x86_64-linux-gnu/libx.so.1
		file 0644 usr/lib/x86_64-linux-gnu/liby.so.1  <- needed usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1.2`), own(t, s))
}
