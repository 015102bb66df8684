package closure

import "testing"

func TestBundles(t *testing.T) {
	for name, test := range map[string]struct{ bundle, source, want string }{
		"certificates of Debian": {
			"certificates", `
				file 0644 etc/ssl/certs/ca-certificates.crt pem
				link etc/ssl/certs/Root.pem /usr/share/ca-certificates/mozilla/Root.crt
				link etc/ssl/certs/1234.0 Root.pem
				file 0644 usr/share/ca-certificates/mozilla/Root.crt pem
				file 0644 usr/share/ca-certificates/mozilla/Other.crt pem
				file 0600 etc/ssl/private/key.pem secret
				link usr/lib/ssl/certs /etc/ssl/certs`,
			`symlink etc/ssl/certs/1234.0 -> Root.pem  <- bundle
			symlink etc/ssl/certs/Root.pem -> /usr/share/ca-certificates/mozilla/Root.crt  <- symlink etc/ssl/certs/1234.0
			file 0644 etc/ssl/certs/ca-certificates.crt  <- bundle
			symlink usr/lib/ssl/certs -> /etc/ssl/certs  <- bundle
			file 0644 usr/share/ca-certificates/mozilla/Root.crt  <- symlink etc/ssl/certs/Root.pem`,
		},
		"certificates of an RPM system": {
			"certificates", `
				link etc/pki/tls/certs/ca-bundle.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
				file 0444 etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem pem
				link etc/ssl/certs ../pki/tls/certs
				file 0600 etc/pki/tls/private/key.pem secret`,
			`file 0444 etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem  <- symlink etc/pki/tls/certs/ca-bundle.crt
			symlink etc/pki/tls/certs/ca-bundle.crt -> /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem  <- symlink etc/ssl/certs
			symlink etc/ssl/certs -> ../pki/tls/certs  <- bundle`,
		},
		"certificates of Alpine": {
			"certificates", `
				file 0644 etc/ssl/certs/ca-certificates.crt pem
				link etc/ssl/cert.pem certs/ca-certificates.crt`,
			`symlink etc/ssl/cert.pem -> certs/ca-certificates.crt  <- bundle
			file 0644 etc/ssl/certs/ca-certificates.crt  <- bundle`,
		},
		"timezones": {
			"timezones", `
				file 0644 usr/share/zoneinfo/Asia/Tokyo TZif
				link usr/share/zoneinfo/Japan Asia/Tokyo
				link usr/share/zoneinfo/localtime /etc/localtime`,
			`file 0644 usr/share/zoneinfo/Asia/Tokyo  <- bundle
			symlink usr/share/zoneinfo/Japan -> Asia/Tokyo  <- bundle
			symlink usr/share/zoneinfo/localtime -> /etc/localtime  <- bundle`,
		},
		"locales": {
			"locales", `
				file 0644 usr/lib/locale/C.utf8/LC_CTYPE x
				file 0644 usr/share/locale/de/LC_MESSAGES/app.mo x`,
			`file 0644 usr/lib/locale/C.utf8/LC_CTYPE  <- bundle`,
		},
		"terminfo": {
			"terminfo", `
				file 0644 lib/terminfo/x/xterm x
				file 0644 usr/share/terminfo/w/wyse60 x`,
			`file 0644 lib/terminfo/x/xterm  <- bundle
			file 0644 usr/share/terminfo/w/wyse60  <- bundle`,
		},
		"protocols": {
			"protocols", `
				file 0644 etc/services x
				file 0644 etc/protocols x
				file 0644 etc/motd x`,
			`file 0644 etc/protocols  <- bundle
			file 0644 etc/services  <- bundle`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, test.source), Bundles: []string{test.bundle}})
			var got []string
			for _, l := range show(t, s) {
				if l[:4] != "dir " {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(test.want), got)
		})
	}
}

func TestBundlesOfWhatIsMissing(t *testing.T) {
	const places = "/etc/ssl/certs, /etc/ssl/cert.pem, /etc/ssl/ca-bundle.pem, /usr/lib/ssl/{certs,cert.pem}, /etc/ssl1.1/{certs,cert.pem}, " +
		"/etc/pki/tls/{certs,cert.pem}, /etc/pki/ca-trust/extracted/{openssl,pem,java}, /var/lib/ca-certificates/ca-bundle.pem"
	for name, test := range map[string]struct{ bundle, source, want string }{
		"nothing":         {"protocols", "file 0644 etc/motd x", "bundle protocols: the source has no file in /etc/protocols, /etc/services, /etc/rpc, /usr/etc/{protocols,services,rpc}; distributions have it in the package netbase or setup"},
		"an empty folder": {"certificates", "dir 0755 etc/ssl/certs", "bundle certificates: the source has no file in " + places + "; distributions have it in the package ca-certificates"},
		"an unknown name": {"certs", "file 0644 etc/motd x", "bundles: there is no bundle certs, only certificates, locales, protocols, terminfo, timezones"},
		"not made as yet": {
			"certificates", "dir 0755 etc/ssl/certs\nfile 0644 usr/share/ca-certificates/mozilla/Root.crt pem",
			"bundle certificates: the source has no file in " + places + "; it has /usr/share/ca-certificates/mozilla/Root.crt, of which " +
				"update-ca-certificates or update-ca-trust makes the bundle: run that in the source, or add the result to rootfs/",
		},
		"links to what is made later": {
			"certificates", `
				link etc/pki/tls/certs/ca-bundle.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
				file 0644 etc/pki/tls/certs/Makefile x
				file 0644 etc/pki/ca-trust/extracted/pem/README x
				file 0644 usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit x`,
			"bundle certificates: the source has no file in " + places + "; it has /usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit, of which " +
				"update-ca-certificates or update-ca-trust makes the bundle: run that in the source, or add the result to rootfs/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, "problems", []string{test.want}, problems(t, Input{Source: files(t, test.source), Bundles: []string{test.bundle}}))
		})
	}
}

// An object that trusts the system's authorities, or reads the time zones,
// makes the bundle a suspect; not one whose callers decide that, nor where the
// image has it.
func TestBundlesAreSuspected(t *testing.T) {
	const data = `
		file 0644 etc/ssl/certs/ca-certificates.crt pem
		file 0644 usr/share/zoneinfo/Europe/Berlin zone`
	source := files(t, glibc+data+`
		elf 0755 usr/bin/curl program needs=libc.so.6,libcrypto.so.3 strings=/etc/ssl/certs/ca-certificates.crt
		elf 0755 usr/bin/python program needs=libc.so.6 imports=SSL_CTX_set_default_verify_paths,tgetent
		elf 0755 usr/bin/php program needs=libc.so.6 strings=/usr/share/zoneinfo/
		elf 0644 usr/lib/x86_64-linux-gnu/libcrypto.so.3 soname=libcrypto.so.3 strings=/etc/ssl/certs
	`)
	for name, c := range map[string]struct {
		in   Input
		want []string
	}{
		"a path":    {Input{Roots: roots("/usr/bin/curl")}, []string{"bundles: [certificates]"}},
		"a call":    {Input{Roots: roots("/usr/bin/python")}, []string{"bundles: [certificates]", "bundles: [terminfo]"}},
		"zones":     {Input{Roots: roots("/usr/bin/php")}, []string{"bundles: [timezones]"}},
		"a library": {Input{Roots: roots("/usr/lib/x86_64-linux-gnu/libcrypto.so.3")}, nil},
		"named":     {Input{Roots: roots("/usr/bin/curl"), Bundles: []string{"certificates"}}, nil},
		"kept":      {Input{Roots: roots("/usr/bin/curl", "/etc/ssl/certs/ca-certificates.crt")}, nil},
		"a parent":  {Input{Roots: roots("/usr/bin/curl", "/usr/bin/php"), Parent: files(t, glibc+data)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Source = source
			same(t, "suspects", c.want, suspects(selected(t, c.in)))
		})
	}
}
