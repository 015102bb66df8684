package closure

import (
	"context"
	"slices"
	"strings"

	"smith/internal/record"
)

// bundles are the data that programs expect without naming them in any way
// that could be read out of their files: by name, the globs of where
// distributions keep them.
var bundles = map[string][]string{
	// The folders that OpenSSL, GnuTLS, Go and Python's ssl look into.
	"certificates": {
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/usr/lib/ssl/{certs,cert.pem}", "/etc/ssl1.1/{certs,cert.pem}",
		"/etc/pki/tls/{certs,cert.pem}", "/etc/pki/ca-trust/extracted", "/var/lib/ca-certificates/ca-bundle.pem",
	},
	// tzset(3). The zone of the machine (/etc/localtime) is not the image's.
	"timezones": {"/usr/share/zoneinfo"},
	// locale(7): glibc's compiled locales, musl's translations.
	"locales": {"/usr/lib/locale", "/usr/share/locale/locale.alias", "/usr/share/i18n/locales/musl"},
	// terminfo(5).
	"terminfo": {"/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"},
	// protocols(5), services(5), rpc(5).
	"protocols": {"/etc/protocols", "/etc/services", "/etc/rpc", "/usr/etc/{protocols,services,rpc}"},
}

// bundleData brings the bundles that the spec names. One that the source has
// nothing of is a problem.
func bundleData(_ context.Context, s *selector, out *outcome) error {
	for _, name := range slices.Sorted(slices.Values(s.in.Bundles)) {
		patterns, known := bundles[name]
		if !known {
			out.lacks(Problem{Name: name, Text: "bundles: there is no bundle " + name + ", only " + strings.Join(sortedKeys(bundles), ", ")})
			continue
		}
		count := len(out.edges)
		for _, pattern := range patterns {
			paths, err := s.view.Glob(pattern)
			if err != nil {
				return err
			}
			for _, p := range paths {
				out.needs(edge{to: p, reason: record.Reason{Rule: "bundle", Detail: "bundle " + name}, whole: true, broad: true})
			}
		}
		if len(out.edges) == count {
			out.lacks(Problem{Name: name, Text: "bundle " + name + ": the source has none of " + strings.Join(patterns, ", ")})
		}
	}
	return nil
}
