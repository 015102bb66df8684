package closure

import "testing"

func TestShellIsSuspected(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/app program needs=libc.so.6 imports=puts,popen
		file 0755 bin/sh shell
	`)
	s := selected(t, Input{Source: source, Roots: roots("/usr/bin/app")})
	same(t, "suspects", []string{"/bin/sh"}, suspects(s))
}

func TestSuspects(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/app program needs=libc.so.6 strings=libplug.so.2,hello,libgone.so.1,/opt/plug/libown.so,libc.so.6,name-%s-libx.so,/bin/sh
		elf 0755 usr/bin/other program needs=libc.so.6 strings=libplug.so.2
		elf 0644 usr/lib/x86_64-linux-gnu/libplug.so.2 soname=libplug.so.2 needs=libdeep.so.1
		elf 0644 opt/plug/libown.so
		file 0755 usr/bin/dash dash
		link usr/bin/sh dash
		link bin usr/bin
	`)
	s := selected(t, Input{Source: source, Roots: roots("/usr/bin/app", "/usr/bin/other")})
	var got []string
	for _, f := range s.Suspects {
		got = append(got, f.Name+" <- "+f.From+": "+f.Detail)
	}
	same(t, "suspects", []string{
		"/bin/sh <- /usr/bin/app: may run commands with it; the source has /usr/bin/dash",
		"/opt/plug/libown.so <- /usr/bin/app: named in its data; the source has /opt/plug/libown.so",
		"libplug.so.2 <- /usr/bin/app: named in its data; the source has /lib/x86_64-linux-gnu/libplug.so.2",
	}, got)
	for _, name := range []string{"/usr/lib/x86_64-linux-gnu/libplug.so.2", "/opt/plug/libown.so", "/usr/bin/dash"} {
		if s.Files[name] != nil {
			t.Errorf("%s, which is only suspected, is in the image", name)
		}
	}

	s = selected(t, Input{Source: source, Roots: roots("/usr/bin/app", "/opt/plug/libown.so", "/bin/sh")})
	same(t, "suspects beside what is kept", []string{"libplug.so.2"}, suspects(s))
}
