package closure

import (
	"testing"

	"smith/record"
)

// checked returns what Check says of an image for amd64 with glibc and some
// further files.
func checked(t testing.TB, img Image, text string) *Verdict {
	t.Helper()
	img.Tree, img.Platform = files(t, glibc+text), amd64
	v, err := Check(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func problemLines(v *Verdict) []string {
	var all []string
	for _, p := range v.Problems {
		all = append(all, p.String())
	}
	return all
}

const searchedAll = "; searched /lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, /usr/lib64, /lib, /usr/lib"

// Each thing that an image can lack is told by name, and no more than that.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		img                Image
		files              string
		problems, warnings string
	}{
		"all there": {files: `
			elf 0755 bin/app program needs=liba.so,libc.so.6 wants=libc.so.6,GLIBC_2.34
			elf 0644 usr/lib/liba.so soname=liba.so needs=libc.so.6`},
		"a library, deep in the chain, for two": {
			files: `
			elf 0755 bin/app program needs=liba.so
			elf 0755 bin/other program needs=liba.so
			elf 0644 usr/lib/liba.so needs=libgone.so`,
			problems: `/usr/lib/liba.so → libgone.so: not found` + searchedAll,
		},
		"an interpreter": {
			files:    `elf 0755 bin/app interpreter=/lib/ld-other.so.1 needs=libc.so.6`,
			problems: `/bin/app → /lib/ld-other.so.1: the interpreter is not there`,
		},
		"files of two distributions": {
			files: `
			elf 0755 bin/app program needs=libc.so.6 wants=libc.so.6,GLIBC_2.34,GLIBC_2.38`,
			problems: `/bin/app → GLIBC_2.38: not defined by /lib/x86_64-linux-gnu/libc.so.6: the two are not of the same distribution or release`,
		},
		"a weak version": {
			files:    `elf 0755 bin/app program needs=libc.so.6 wants=libc.so.6,GLIBC_2.99?`,
			warnings: `/bin/app could use GLIBC_2.99, which /lib/x86_64-linux-gnu/libc.so.6 does not define`,
		},
		"a version, of a library without versions": {files: `
			elf 0755 bin/app program needs=liba.so wants=liba.so,A_1
			elf 0644 usr/lib/liba.so soname=liba.so`},
		"a version, under musl": {files: `
			elf 0755 lib/ld-musl-x86_64.so.1 library
			elf 0755 bin/app interpreter=/lib/ld-musl-x86_64.so.1 needs=liba.so wants=liba.so,A_2
			elf 0644 usr/lib/liba.so soname=liba.so defines=liba.so,A_1`},
		"a library for another architecture": {
			files: `
			elf 0755 bin/app program needs=liba.so
			elf 0644 usr/lib/liba.so soname=liba.so arm64`,
			problems: "/bin/app → liba.so: not found: /usr/lib/liba.so is for another machine, EM_AARCH64" + searchedAll,
		},
		"a preload": {
			img: Image{Env: []string{"LD_PRELOAD=libp.so"}}, files: `elf 0755 bin/app program needs=libc.so.6`,
			warnings: `LD_PRELOAD asks for libp.so (preload), which is not there; it goes on without`,
		},
		"LD_LIBRARY_PATH": {img: Image{Env: []string{"LD_LIBRARY_PATH=/opt"}}, files: `
			elf 0755 bin/app program needs=liba.so
			elf 0644 opt/liba.so soname=liba.so`},
		"a plug-in": {
			files: `
			elf 0755 bin/app program needs=libpriv.so runpath=/opt
			elf 0644 opt/libpriv.so soname=libpriv.so
			elf 0644 usr/lib/plugin.so needs=libpriv.so`,
			warnings: `/usr/lib/plugin.so needs libpriv.so, which is not where it is searched (/lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, /usr/lib64, /lib, /usr/lib): it works in a program that has loaded /opt/libpriv.so before`,
		},
		"several plug-ins": {
			files: `
			elf 0755 bin/app program needs=libpriv.so runpath=/opt
			elf 0644 opt/libpriv.so soname=libpriv.so
			elf 0644 usr/lib/a.so needs=libpriv.so
			elf 0644 usr/lib/b.so needs=libpriv.so
			elf 0644 usr/lib/c.so needs=libpriv.so
			elf 0644 usr/lib/d.so needs=libpriv.so
			elf 0644 usr/lib/e.so needs=libpriv.so`,
			warnings: `/usr/lib/a.so, /usr/lib/b.so, /usr/lib/c.so and 2 more need libpriv.so, which is not where they search: they work in a program that has loaded /opt/libpriv.so before`,
		},
		"what is meant to be filled at run time": {img: Image{Mounts: []string{"/data"}}, files: `
			link etc/mtab /proc/mounts
			link var/run /run
			link conf /read/app.conf
			link cache /data/cache`},
		"a link of an image that no record explains": {
			files:    `link a/b ../none`,
			warnings: `/a/b is a symlink to ../none, which does not exist`,
		},
		"a link into a bundle": {
			files:    `link opt/java/cacerts /etc/ssl/certs/java/cacerts`,
			warnings: `/opt/java/cacerts is a symlink to /etc/ssl/certs/java/cacerts, which does not exist; bundles: [certificates] brings /etc/ssl/certs/java/cacerts`,
		},
		"modules that could be executed": {
			files: `
			file 0755 usr/lib/python3.11/a.py #!/usr/bin/none\n
			file 0755 usr/lib/python3.11/b.py #!/usr/bin/none\n
			file 0755 usr/lib/python3.11/c.py #!/usr/bin/other\n`,
		},
		"two links of such an image": {
			files: `
			link a/b ../none
			link a/c /gone`,
			warnings: `2 symlinks are dangling: /a/b → ../none and /a/c → /gone`,
		},
		"a link that a file needs": {
			img: Image{Reasons: map[string][]record.Reason{"/a/b": {{Rule: "script", From: "/bin/x"}}}}, files: `link a/b ../none`,
			problems: `/bin/x → /a/b → /none: the link leads nowhere: /none: no such file`,
		},
		"an entry point in PATH": {img: Image{Entrypoint: []string{"app"}, Env: []string{"PATH=/opt:/bin"}}, files: `elf 0755 bin/app program needs=libc.so.6`},
		"an entry point not in PATH": {
			img: Image{Entrypoint: []string{"app"}, Env: []string{"PATH=/opt"}}, files: `elf 0755 bin/app program needs=libc.so.6`,
			problems: `entry point app: not found in PATH; searched /opt`,
		},
		"an entry point for another architecture": {
			img: Image{Entrypoint: []string{"/bin/app"}}, files: `elf 0755 bin/app library arm64`,
			problems: `entry point /bin/app: it is a program for arm64, and the image is for amd64`,
		},
		"an entry point of another form": {
			img: Image{Entrypoint: []string{"/bin/app"}}, files: `file 0755 bin/app text`,
			problems: "entry point /bin/app: it is neither an ELF program nor a script that begins with #!",
		},
		"an entry point that is a folder": {
			img: Image{Entrypoint: []string{"/bin"}}, files: `file 0755 bin/app text`,
			problems: "entry point /bin: it is a folder, not a file",
		},
		"an entry point that is not executable": {
			img: Image{Entrypoint: []string{"/bin/app"}}, files: `file 0644 bin/app #!/bin/app`,
			problems: "entry point /bin/app: it is not executable\n/bin/app → /bin/app: named after #!, but not executable",
		},
		"accepted by name": {img: Image{AllowMissing: []string{"libgone.so", "GLIBC_2.*"}}, files: `
			elf 0755 bin/app program needs=libc.so.6,libgone.so wants=libc.so.6,GLIBC_2.38`},
	} {
		t.Run(name, func(t *testing.T) {
			v := checked(t, c.img, c.files)
			same(t, "problems", lines(c.problems), problemLines(v))
			same(t, "warnings", lines(c.warnings), v.Warnings)
		})
	}
}

// What is accepted is listed with who asks for it, and a name that accepts
// nothing is told.
func TestAccepted(t *testing.T) {
	v := checked(t, Image{AllowMissing: []string{"libgone.so", "libnone.so"}, Excluded: []string{"libleft.so"}}, `
		elf 0755 bin/app program needs=libgone.so,libleft.so
		elf 0755 bin/other program needs=libgone.so`)
	var got []string
	for _, f := range v.Allowed {
		got = append(got, "allowed "+f.Name+" "+f.From)
	}
	for _, f := range v.Excluded {
		got = append(got, "excluded "+f.Name+" "+f.From)
	}
	same(t, "accepted", lines(`
		allowed libgone.so /bin/app
		allowed libgone.so /bin/other
		excluded libleft.so /bin/app`), got)
	same(t, "unneeded", []string{"libnone.so"}, v.Unneeded)
	same(t, "problems", nil, problemLines(v))
}

// What excludes leave out is listed by the names that are missed for it.
func TestExcludedIsListed(t *testing.T) {
	s := selected(t, Input{
		Source: files(t, glibc+`
		elf 0755 bin/app program needs=liba.so.1,libb.so
		link usr/lib/liba.so.1 liba.so.1.2
		elf 0644 usr/lib/liba.so.1.2 soname=liba.so.1
		elf 0644 usr/lib/libb.so soname=libb.so`),
		Roots: roots("/bin/app"), Excludes: []string{"/usr/lib/liba.so.1.*", "/usr/lib/libb.so"}, Platform: amd64,
	})
	var got []string
	for _, f := range s.Excluded {
		got = append(got, f.Name+" "+f.From)
	}
	same(t, "excluded", lines(`
		/usr/lib/liba.so.1.2 /usr/lib/liba.so.1
		/usr/lib/libb.so /bin/app
		liba.so.1 /bin/app`), got)
}

// A link that dangles in the source too is a warning where only a folder or a
// glob brought it, and fails where it is asked for, or where it was the closure
// that left out its target.
func TestDanglingLinks(t *testing.T) {
	source := `
		file 0644 opt/data/file text
		link opt/data/gone ../none
		link opt/data/early /run/x
		link opt/data/out /opt/left
		file 0644 opt/left text`
	s := selected(t, Input{Source: files(t, source), Roots: roots("/opt/data")})
	same(t, "warnings", []string{"/opt/data/gone is a symlink to ../none, which does not exist"}, s.Warnings)
	same(t, "problems", lines(`/opt/data/gone (path in smith.yaml:1) → /opt/none: the link leads nowhere: /opt/none: no such file`),
		problems(t, Input{Source: files(t, source), Roots: roots("/opt/data/gone")}))
	s = selected(t, Input{Source: files(t, source), Roots: roots("/opt/data/o*"), Excludes: []string{"/opt/left"}})
	if len(s.Excluded) != 1 || s.Excluded[0].Name != "/opt/left" {
		t.Errorf("excluded: %+v", s.Excluded)
	}
}

// A preload is there for the program, and says so.
func TestPreloadReason(t *testing.T) {
	s := selected(t, Input{
		Source: files(t, glibc+`
		elf 0755 bin/app program needs=libc.so.6
		elf 0644 usr/lib/libp.so soname=libp.so`),
		Roots: roots("/bin/app"), Env: []string{"LD_PRELOAD=libp.so"}, Platform: amd64,
	})
	want := record.Reason{Rule: "preload", From: "/bin/app", Detail: "LD_PRELOAD libp.so, found by default folder /lib"}
	if r := s.Files["/usr/lib/libp.so"]; len(r) != 1 || r[0] != want {
		t.Errorf("%+v", r)
	}
}
