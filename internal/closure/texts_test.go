package closure

import (
	"testing"

	"smith/internal/tree"
)

// FuzzTexts reads what texts of an image the rules look into: "#!" lines,
// nsswitch.conf, gconv-modules, PAM's and OpenSSL's configuration, Python's
// .pth and Perl's Config.pm. Whatever they hold, a selection comes to an end,
// and all that it keeps is the image's own.
func FuzzTexts(f *testing.F) {
	f.Add("#!/usr/bin/env -S A=1 python3 -u\n", "passwd: files [NOTFOUND=return] systemd\nhosts: dns ../x\n",
		"alias A// B//\nmodule B// INTERNAL ../../b 1\n", "import site; /usr/lib/x\n../../..\n")
	f.Add("#! /bin/sh", "", "module a// b// /c", "/")
	f.Add("#!\x00", "hosts:\xff[", "alias\nmodule\n", "\x00")
	f.Fuzz(func(t *testing.T, script, nsswitch, gconv, paths string) {
		root := tree.New()
		for name, data := range map[string][]byte{
			"/bin/main":                       object(t, "program needs=libc.so.6,libpam.so.0,libcrypto.so.3"),
			"/lib64/ld-linux-x86-64.so.2":     object(t, "library soname=ld-linux-x86-64.so.2"),
			"/lib/libc.so.6":                  object(t, "library soname=libc.so.6"),
			"/lib/libpam.so.0":                object(t, "library soname=libpam.so.0"),
			"/lib/libcrypto.so.3":             object(t, "library soname=libcrypto.so.3"),
			"/usr/bin/python3.11":             object(t, "program needs=libc.so.6"),
			"/usr/bin/perl":                   object(t, "program needs=libc.so.6"),
			"/bin/script":                     []byte(script),
			"/etc/nsswitch.conf":              []byte(nsswitch),
			"/etc/pam.d/login":                []byte(nsswitch),
			"/etc/ssl/openssl.cnf":            []byte(paths),
			"/lib/gconv/gconv-modules":        []byte(gconv),
			"/lib/gconv/B.so":                 object(t, "library"),
			"/usr/lib/python3.11/os.py":       nil,
			"/usr/lib/python3/dist/a.pth":     []byte(paths),
			"/usr/share/perl/5.36/Config.pm":  []byte(script),
			"/usr/lib/x/perl/5.36/Config.pm":  []byte(paths),
			"/usr/share/perl/5.36/strict.pm":  nil,
			"/usr/lib/python3.11/site.py":     []byte(script),
			"/usr/lib/python3.11/_bad.cpy.so": []byte(gconv),
		} {
			if err := root.Insert(name, tree.NewFile(data, 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		reasons, err := Reasons(t.Context(), Input{
			Source: root, Roots: []Root{{Pattern: "/bin/*"}, {Pattern: "/usr/bin/*"}, {Pattern: "/etc/**"}}, Gconv: []string{"B"}, NSS: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		for name := range reasons {
			if name != "/" && !root.Exists(name) {
				t.Errorf("%s is kept, and the image does not have it", name)
			}
		}
	})
}
