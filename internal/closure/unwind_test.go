package closure

import (
	"strings"
	"testing"
)

func TestUnwinder(t *testing.T) {
	const libgcc = "\n elf 0644 usr/lib/x86_64-linux-gnu/libgcc_s.so.1 soname=libgcc_s.so.1 needs=libc.so.6\n"
	for name, test := range map[string]struct {
		source string
		want   string
	}{
		"a program that ends a thread": {
			`elf 0755 usr/bin/app program needs=libc.so.6 imports=puts,pthread_exit`,
			`file 0644 usr/lib/x86_64-linux-gnu/libgcc_s.so.1  <- unwind usr/bin/app`,
		},
		"a program that starts one": {
			`elf 0755 usr/bin/app program needs=libc.so.6 imports=pthread_create`,
			`file 0644 usr/lib/x86_64-linux-gnu/libgcc_s.so.1  <- unwind usr/bin/app`,
		},
		"a library of it, of before libpthread became a part of libc": {
			`elf 0755 usr/bin/app program needs=libc.so.6,libx.so.1
			elf 0644 usr/lib/x86_64-linux-gnu/libx.so.1 soname=libx.so.1 needs=libpthread.so.0 imports=pthread_cancel
			elf 0644 usr/lib/x86_64-linux-gnu/libpthread.so.0 soname=libpthread.so.0 needs=libc.so.6`,
			`file 0644 usr/lib/x86_64-linux-gnu/libgcc_s.so.1  <- unwind usr/lib/x86_64-linux-gnu/libx.so.1`,
		},
		"a program that prints a backtrace": {
			`elf 0755 usr/bin/app program needs=libc.so.6 imports=backtrace`,
			`file 0644 usr/lib/x86_64-linux-gnu/libgcc_s.so.1  <- unwind usr/bin/app`,
		},
		"a program with one thread": {
			`elf 0755 usr/bin/app program needs=libc.so.6 imports=puts,pthread_self`, ``,
		},
		"a program of musl's": {
			`elf 0755 usr/bin/app interpreter=/lib/ld-musl-x86_64.so.1 needs=libc.musl-x86_64.so.1 imports=pthread_create
			elf 0755 usr/lib/ld-musl-x86_64.so.1 soname=libc.musl-x86_64.so.1
			link usr/lib/libc.musl-x86_64.so.1 ld-musl-x86_64.so.1`, ``,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, glibc+libgcc+test.source), Roots: roots("/usr/bin/app")})
			var got []string
			for _, l := range own(t, s) {
				if strings.Contains(l, "libgcc_s.so.1  <-") {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(test.want), got)
		})
	}
	t.Run("the source has none", func(t *testing.T) {
		s := selected(t, Input{
			Source: files(t, glibc+"elf 0755 usr/bin/app program needs=libc.so.6 imports=pthread_create"), Roots: roots("/usr/bin/app"),
		})
		same(t, "warnings", []string{
			"glibc ends a program whose threads are cancelled or exit where libgcc_s.so.1 is missing: /usr/bin/app uses pthread_create, and " +
				"/lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, /usr/lib64, /lib, /usr/lib have no such library",
		}, s.Warnings)
	})
}
