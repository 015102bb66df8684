package closure

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// modules are glibc's libraries that look names up.
const modules = `
	elf 0644 usr/lib/x86_64-linux-gnu/libnss_files.so.2 soname=libnss_files.so.2
	elf 0644 usr/lib/x86_64-linux-gnu/libnss_dns.so.2 soname=libnss_dns.so.2 needs=libresolv.so.2
	elf 0644 usr/lib/x86_64-linux-gnu/libresolv.so.2 soname=libresolv.so.2
	elf 0644 usr/lib/x86_64-linux-gnu/libnss_myhostname.so.2 soname=libnss_myhostname.so.2
	elf 0644 usr/lib/x86_64-linux-gnu/libnss_ldap.so.2 soname=libnss_ldap.so.2
`

func TestNSS(t *testing.T) {
	const (
		app    = "elf 0755 usr/bin/app program needs=libc.so.6 imports=getaddrinfo\n"
		config = `file 0644 etc/nsswitch.conf # names\npasswd: files ldap # and more\nhosts: files [NOTFOUND=return UNAVAIL=continue] myhostname [!x=y] dns absent\n`
	)
	old := strings.Replace(glibc, "GLIBC_2.34", "GLIBC_2.31", 1)
	for name, test := range map[string]struct {
		in   Input
		want string // the modules
	}{
		"what nsswitch.conf names":       {Input{Source: files(t, glibc+modules+app+config), Roots: roots("/usr/bin/app", "/etc/nsswitch.conf")}, "dns files ldap myhostname"},
		"an nsswitch.conf left behind":   {Input{Source: files(t, glibc+modules+app+config), Roots: roots("/usr/bin/app")}, ""},
		"nsswitch.conf of the overlay":   {Input{Source: files(t, glibc+modules+app), Overlay: files(t, config), Roots: roots("/usr/bin/app")}, "dns files ldap myhostname"},
		"nsswitch.conf of the parent":    {Input{Source: files(t, glibc+modules+app), Parent: files(t, config), Roots: roots("/usr/bin/app")}, "dns files ldap myhostname"},
		"what smith writes":              {Input{Source: files(t, glibc+modules+app), NSS: true, Roots: roots("/usr/bin/app")}, "dns files"},
		"no nsswitch.conf":               {Input{Source: files(t, glibc+modules+app), Roots: roots("/usr/bin/app")}, ""},
		"no nsswitch.conf, an old glibc": {Input{Source: files(t, old+modules+app), Roots: roots("/usr/bin/app")}, "dns files"},
		"a program without names, an old glibc": {
			Input{Source: files(t, old+modules+strings.Replace(app, "getaddrinfo", "puts", 1)), Roots: roots("/usr/bin/app")}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var kept []string
			for name := range selected(t, test.in).Files {
				if module, ok := strings.CutPrefix(path.Base(name), "libnss_"); ok {
					kept = append(kept, strings.TrimSuffix(module, ".so.2"))
				}
			}
			slices.Sort(kept)
			if got := strings.Join(kept, " "); got != test.want {
				t.Errorf("modules %q, want %q", got, test.want)
			}
		})
	}
}

func TestNSSOfAnOldGlibcWithoutModules(t *testing.T) {
	source := files(t, strings.Replace(glibc, "GLIBC_2.34", "GLIBC_2.31", 1)+"elf 0755 usr/bin/app program needs=libc.so.6 imports=getpwnam\n")
	const searched = "; searched /lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, /usr/lib64, /lib, /usr/lib"
	const chain = "/usr/bin/app (path in smith.yaml:1) → libc.so.6 → "
	same(t, "problems", []string{
		chain + "libnss_dns.so.2: not found, and this glibc cannot do dns without it" + searched,
		chain + "libnss_files.so.2: not found, and this glibc cannot do files without it" + searched,
	}, problems(t, Input{Source: source, Roots: roots("/usr/bin/app"), NSS: true}))
	s := selected(t, Input{Source: source, Roots: roots("/usr/bin/app")})
	same(t, "warnings", []string{
		"the source has no libnss_dns.so.2, without which this glibc cannot do dns (glibc's defaults, for getpwnam in /usr/bin/app)",
		"the source has no libnss_files.so.2, without which this glibc cannot do files (glibc's defaults, for getpwnam in /usr/bin/app)",
	}, s.Warnings)
}
