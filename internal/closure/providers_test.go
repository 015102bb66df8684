package closure

import (
	"strings"
	"testing"
)

func TestLegacyProvider(t *testing.T) {
	const openssl = `
elf 0644 usr/lib/x86_64-linux-gnu/libcrypto.so.3 soname=libcrypto.so.3 needs=libc.so.6
elf 0644 usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so needs=libc.so.6
`
	for name, test := range map[string]struct {
		source, want string
	}{
		"an object that names it": {
			`elf 0755 usr/bin/app program needs=libcrypto.so.3,libc.so.6 imports=OSSL_PROVIDER_load strings=x,legacy`,
			`file 0644 usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so  <- plugin usr/bin/app`,
		},
		"an object that loads another": {
			`elf 0755 usr/bin/app program needs=libcrypto.so.3,libc.so.6 imports=OSSL_PROVIDER_load strings=x,default`, ``,
		},
		"an object that names something else": {
			`elf 0755 usr/bin/app program needs=libcrypto.so.3,libc.so.6 imports=puts strings=x,legacy`, ``,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := selected(t, Input{Source: files(t, glibc+openssl+test.source), Roots: roots("/usr/bin/app")})
			var got []string
			for _, l := range own(t, s) {
				if strings.Contains(l, "legacy.so") {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(test.want), got)
		})
	}
}
