package closure

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"smith/internal/golden"
	"smith/internal/tree"
)

// archiveOf returns a locale-archive that has locales of some names.
func archiveOf(names ...string) string {
	text := strings.Join(names, "\x00") + "\x00"
	var b []byte
	for _, n := range []uint32{0xde020109, 0, 0, 0, 0, 32, uint32(len(text)), uint32(len(text))} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b) + text
}

func TestLocalesOfTheEnvironment(t *testing.T) {
	g := golden.New(t)
	const program = "\n elf 0755 usr/bin/app program needs=libc.so.6 imports=setlocale\n"
	const german = "\n file 0644 usr/lib/locale/de_DE.utf8/LC_CTYPE x\n"
	for _, test := range []struct{ name, source, archived, env string }{
		{"directory", program + german, "", "LANG=de_DE.UTF-8"},
		{"archive", program, "de_DE.utf8", "LC_ALL=de_DE.UTF-8"},
		{"archive without it", program, "fr_FR.utf8", "LC_ALL=de_DE.UTF-8"},
		{"none", program, "", "LC_TIME=de_DE.UTF-8"},
		{"built in", program + german, "", "LANG=C.UTF-8"},
		{"program without locales", "\n elf 0755 usr/bin/app program needs=libc.so.6 imports=puts\n", "", "LANG=de_DE.UTF-8"},
	} {
		in := Input{Source: files(t, glibc+test.source), Roots: roots("/usr/bin/app"), Env: []string{test.env}}
		if test.archived != "" {
			if err := in.Source.Insert("/usr/lib/locale/locale-archive", tree.NewFile([]byte(archiveOf("C.utf8", test.archived)), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Select(t.Context(), in)
		if err != nil {
			var incomplete *IncompleteError
			if !errors.As(err, &incomplete) {
				t.Fatal(err)
			}
			g.Error(test.name, err)
			continue
		}
		var kept []string
		for _, l := range own(t, s) {
			if strings.Contains(l, "locale") {
				kept = append(kept, l)
			}
		}
		g.Add(test.name, strings.Join(kept, "\n"))
	}
}

func TestNormalLocale(t *testing.T) {
	for name, want := range map[string]string{
		"de_DE.UTF-8": "de_DE.utf8", "de_DE@euro": "de_DE@euro", "de_DE.ISO-8859-15@euro": "de_DE.iso885915@euro", "ru_RU.8859-5": "ru_RU.iso88595", "C": "C",
	} {
		if got := normalLocale(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func FuzzLocaleArchive(f *testing.F) {
	f.Add([]byte(archiveOf("de_DE.utf8")))
	f.Add([]byte{0x09, 0x01, 0x02, 0xde})
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := archiveHas(tree.NewFile(data, 0o644), "de_DE.utf8"); err != nil {
			t.Error(err)
		}
	})
}

func TestConfigurationOfTheEnvironment(t *testing.T) {
	g := golden.New(t)
	const openssl = `
		elf 0755 usr/bin/app program needs=libcrypto.so.3
		elf 0644 ` + lib + `libcrypto.so.3 soname=libcrypto.so.3
		file 0644 etc/ssl/openssl.cnf openssl_conf = none\n
		file 0644 opt/own.cnf openssl_conf = i\n.include /opt/absent.cnf\n[i]\nproviders = p\n[p]\nlegacy = l\n[l]\nactivate = 1\n`
	const legacy = "\n elf 0644 " + lib + "ossl-modules/legacy.so\n"
	for _, test := range []struct{ name, source, env string }{
		{"provider", openssl + legacy, "OPENSSL_CONF=/opt/own.cnf"},
		{"no provider", openssl, "OPENSSL_CONF=/opt/own.cnf"},
		{"no file", openssl + legacy, "OPENSSL_CONF=/opt/other.cnf"},
		{"turned off", openssl + legacy, "OPENSSL_CONF=/dev/null"},
		{"file of the run", openssl + legacy, "OPENSSL_CONF=/read/openssl.cnf"},
	} {
		s, err := Select(t.Context(), Input{Source: files(t, glibc+test.source), Roots: roots("/usr/bin/app"), Env: []string{test.env}})
		if err != nil {
			g.Error(test.name, err)
			continue
		}
		var kept []string
		for _, l := range own(t, s) {
			if strings.Contains(l, "legacy") || strings.Contains(l, ".cnf") {
				kept = append(kept, l)
			}
		}
		g.Add(test.name, strings.Join(append(kept, s.Warnings...), "\n"))
	}
}

func TestSignsInScripts(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/python3 program needs=libc.so.6
		file 0755 usr/bin/app #!/usr/bin/python3\nopen("/etc/ssl/certs")\n
		file 0755 usr/bin/other #!/usr/bin/python3\nTZPATH="/usr/share/zoneinfo:/usr/lib/zoneinfo"\n
	`)
	s := selected(t, Input{Source: source, Roots: roots("/usr/bin/app", "/usr/bin/other")})
	same(t, "suspects", []string{"bundles: [certificates]"}, suspects(s))
}
