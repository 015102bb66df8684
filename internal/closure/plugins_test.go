package closure

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// lib is where the tests' libraries lie.
const lib = "usr/lib/x86_64-linux-gnu/"

// A plugged case is a library that loads modules by name, and what the image's
// configuration makes of them.
type plugged struct {
	source string
	keep   string // paths beside the program
	// kept and suspects are the base names of the modules and of further
	// configuration.
	kept, suspects string
	warnings       []string
}

func TestPlugins(t *testing.T) {
	for name, test := range map[string]plugged{
		"PAM": {
			source: `
				elf 0755 usr/bin/app program needs=libpam.so.0
				elf 0644 ` + lib + `libpam.so.0 soname=libpam.so.0
				elf 0644 ` + lib + `security/pam_unix.so needs=libcrypt.so.1
				elf 0644 ` + lib + `libcrypt.so.1 soname=libcrypt.so.1
				elf 0644 ` + lib + `security/pam_env.so
				elf 0644 ` + lib + `security/pam_systemd.so
				elf 0644 ` + lib + `security/pam_exec.so
				elf 0644 opt/pam_own.so
				file 0644 etc/pam.d/app # auth required pam_exec.so\n@include common\naccount [success=1 default=ignore] pam_env.so\nauth required /opt/pam_own.so quiet\nsession substack sub\n
				file 0644 etc/pam.d/common auth sufficient pam_unix.so nullok # pam_exec.so\n
				file 0644 etc/pam.d/sub -session optional pam_systemd.so\n-session optional pam_absent.so\nsession required pam_missing.so\n
				file 0644 etc/pam.d/other auth required pam_exec.so\n`,
			keep: "/etc/pam.d/app", kept: "common libcrypt.so.1 pam_env.so pam_own.so pam_systemd.so pam_unix.so sub", suspects: "pam_exec.so",
			warnings: []string{"/etc/pam.d/sub names the module pam_missing.so, which the source does not have"},
		},
		"PAM without configuration": {
			source: `
				elf 0755 usr/bin/app program needs=libpam.so.0
				elf 0644 ` + lib + `libpam.so.0 soname=libpam.so.0
				elf 0644 ` + lib + `security/pam_unix.so
				file 0644 etc/pam.d/app auth required pam_unix.so\n`,
			suspects: "pam_unix.so",
		},
		"OpenSSL": {
			source: `
				elf 0755 usr/bin/app program needs=libcrypto.so.3
				elf 0644 ` + lib + `libcrypto.so.3 soname=libcrypto.so.3
				elf 0644 ` + lib + `ossl-modules/legacy.so
				elf 0644 ` + lib + `ossl-modules/fips.so
				elf 0644 ` + lib + `ossl-modules/off.so
				elf 0644 ` + lib + `engines-3/afalg.so
				elf 0644 ` + lib + `engines-3/padlock.so
				file 0644 etc/ssl/openssl.cnf openssl_conf = init # main\n.include /etc/ssl/more\n.include = /etc/ssl/one.cnf\n[init]\nproviders = p\nengines = e\n[p]\ndefault = d\nlegacy = l\noff = o\nfips = f\n[d]\nactivate = 1\n[l]\nactivate = yes\n[o]\nactivate = 0\n[e]\n1.afalg = a\n[a]\ndefault_algorithms = ALL\n
				file 0644 etc/ssl/more/a.cnf x = y\n
				file 0644 etc/ssl/one.cnf [f]\nactivate = 1\n`,
			keep: "/etc/ssl/openssl.cnf", kept: "a.cnf afalg.so fips.so legacy.so one.cnf", suspects: "padlock.so off.so",
		},
		"SASL": {
			source: `
				elf 0755 usr/bin/app program needs=libsasl2.so.2
				elf 0644 ` + lib + `libsasl2.so.2 soname=libsasl2.so.2
				elf 0644 ` + lib + `sasl2/libplain.so
				elf 0644 ` + lib + `sasl2/libscram.so
				elf 0644 ` + lib + `sasl2/libsasldb.so
				elf 0644 ` + lib + `sasl2/libgssapiv2.so
				file 0644 etc/sasl2/app.conf mech_list: plain SCRAM-SHA-256 external\nauxprop_plugin: sasldb\n`,
			keep: "/etc/sasl2/app.conf", kept: "libplain.so libsasldb.so libscram.so", suspects: "libgssapiv2.so",
		},
		"GIO": {
			source: `
				elf 0755 usr/bin/app program needs=libgio-2.0.so.0
				elf 0644 ` + lib + `libgio-2.0.so.0 soname=libgio-2.0.so.0
				elf 0644 ` + lib + `gio/modules/libgiognutls.so
				elf 0644 ` + lib + `gio/modules/libdconfsettings.so
				file 0644 ` + lib + `gio/modules/giomodule.cache libgiognutls.so: gio-tls-backend\n`,
			keep: "/" + lib + "gio/modules/giomodule.cache", kept: "libgiognutls.so", suspects: "libdconfsettings.so",
		},
		"Kerberos": {
			source: `
				elf 0755 usr/bin/app program needs=libkrb5.so.3
				elf 0644 ` + lib + `libkrb5.so.3 soname=libkrb5.so.3
				elf 0644 ` + lib + `krb5/plugins/preauth/spake.so
				elf 0644 ` + lib + `krb5/plugins/preauth/otp.so
				elf 0644 ` + lib + `krb5/plugins/tls/k5tls.so
				file 0644 etc/krb5.conf includedir /etc/krb5.more/\n[plugins]\n clpreauth = {\n  module = spake:preauth/spake.so\n }\n
				file 0644 etc/krb5.more/tls [plugins]\n tls = {\n  module = k5tls:tls/k5tls.so\n }\n`,
			keep: "/etc/krb5.conf", kept: "k5tls.so spake.so tls", suspects: "otp.so",
		},
		"PHP": {
			source: `
				elf 0755 usr/bin/php8.2 program needs=libc.so.6
				link usr/bin/app php8.2
				elf 0644 usr/lib/php/20220829/ctype.so
				elf 0644 usr/lib/php/20220829/opcache.so
				elf 0644 usr/lib/php/20220829/ffi.so
				file 0644 etc/php/8.2/cli/conf.d/10.ini ; extension=ffi\n[PHP]\nextension=ctype\nzend_extension=opcache.so\n`,
			keep: "/etc/php/8.2/cli/conf.d/10.ini", kept: "ctype.so opcache.so", suspects: "ffi.so",
		},
		"ICU with its data in a file": {
			source: `
				elf 0755 usr/bin/app program needs=libicudata.so.74
				elf 0644 ` + lib + `libicudata.so.74 soname=libicudata.so.74
				file 0644 usr/share/icu/74.2/icudt74l.dat data`,
			kept: "icudt74l.dat",
		},
	} {
		t.Run(name, func(t *testing.T) { test.check(t) })
	}
}

func (p plugged) check(t *testing.T) {
	t.Helper()
	in := Input{Source: files(t, glibc+p.source), Roots: roots("/usr/bin/app")}
	expected := []string{"app", "php8.2"}
	if p.keep != "" {
		in.Roots = append(in.Roots, Root{Pattern: p.keep})
		expected = append(expected, path.Base(p.keep))
	}
	s := selected(t, in)
	var kept []string
	for _, l := range own(t, s) {
		name := path.Base(strings.Fields(l)[2])
		if strings.HasPrefix(l, "symlink") {
			name = path.Base(strings.Fields(l)[1])
		}
		if !slices.Contains(expected, name) && !strings.Contains(l, "<- needed usr/bin/app") {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	if got := strings.Join(kept, " "); got != p.kept {
		t.Errorf("kept %q, want %q", got, p.kept)
	}
	var found []string
	for _, name := range suspects(s) {
		found = append(found, path.Base(name))
	}
	if got := strings.Join(found, " "); got != p.suspects {
		t.Errorf("suspects %q, want %q", got, p.suspects)
	}
	same(t, "warnings", p.warnings, s.Warnings)
}

func FuzzPluginConfig(f *testing.F) {
	for _, text := range []string{
		"@include x\nauth [a=b c] pam_x.so\n-session include y", "openssl_conf = a\n[a]\nproviders = b\n[b]\n1.c = d\n[d]\nactivate = 1\n.include = /x",
		"mech_list: plain\nauxprop_plugin: x", "libx.so: point", "[plugins]\n a = {\n module = x:y\n }\nincludedir /z", "extension=\"x\"\n[PHP", "[", "]=[",
	} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		for _, family := range families {
			if family.named != nil {
				family.named(text)
			}
		}
		m := gconvModules{aliases: map[string]string{}, files: map[string][]string{}}
		for line := range strings.Lines(text) {
			m.line(line)
		}
		m.of(text)
		withoutActions(text)
	})
}
