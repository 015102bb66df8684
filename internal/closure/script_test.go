package closure

import (
	"strings"
	"testing"
)

func TestScripts(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/dash program needs=libc.so.6
		link usr/bin/sh dash
		link bin usr/bin
		elf 0755 usr/bin/env program needs=libc.so.6
		file 0755 usr/bin/wrapper #!/bin/sh\nexec "$@"
		file 0755 opt/script #!/usr/bin/wrapper -x\n
		file 0755 opt/named #!/usr/bin/env wrapper\n
		file 0755 opt/elsewhere #!/usr/bin/env -S PATH=/srv tool --flag\n
		file 0755 srv/tool #! /bin/sh\n
		file 0644 opt/data #!/usr/bin/nothing\n
		file 0644 opt/entry #!/bin/sh\n
		file 0755 opt/binary #!/usr/bin/nothing\x00
	`)
	for root, want := range map[string]string{
		"/opt/script": `file 0755 opt/script  <- path
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			symlink usr/bin/sh -> dash  <- script usr/bin/wrapper
			file 0755 usr/bin/wrapper  <- script opt/script`,
		"/opt/named": `file 0755 opt/named  <- path
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			file 0755 usr/bin/env  <- script opt/named
			symlink usr/bin/sh -> dash  <- script usr/bin/wrapper
			file 0755 usr/bin/wrapper  <- script opt/named`,
		"/opt/elsewhere": `file 0755 opt/elsewhere  <- path
			file 0755 srv/tool  <- script opt/elsewhere
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			file 0755 usr/bin/env  <- script opt/elsewhere
			symlink usr/bin/sh -> dash  <- script srv/tool`,
		"/opt/data": `file 0644 opt/data  <- path`,
	} {
		t.Run(root, func(t *testing.T) {
			s := selected(t, Input{Source: source, Roots: roots(root)})
			var got []string
			for _, l := range own(t, s) {
				if !strings.HasPrefix(l, "symlink bin") {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(want), got)
		})
	}
	t.Run("the entry point is a script whatever its mode, and refused for it", func(t *testing.T) {
		same(t, "problems", []string{"entry point /opt/entry: it is not executable"},
			problems(t, Input{Source: source, Entrypoint: []string{"/opt/entry"}}))
	})
}
