package closure

import (
	"context"
	"errors"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// A bundle is data that programs expect without naming it in any way that
// could be read out of their files.
type bundle struct {
	name string
	// paths are globs of where distributions keep it.
	paths []string
	// contents are globs of the names of its files, where others lie beside
	// them, or links that a package brings before what they lead to is made.
	contents []string
	// unmade are globs of what a package's script makes it from, and maker is
	// that script's program.
	unmade []string
	maker  string
	// packages are what distributions call the package that holds it, for the
	// reader, and byFormat for the source.
	packages string
	byFormat map[record.Format]string
	// words in an object's data, and imports, are signs that it wants the
	// bundle; not in the libraries called libraries, which leave that to those
	// who call them.
	words, imports, libraries []string
}

// bundles by name.
var bundles = map[string]bundle{
	// The folders that OpenSSL, GnuTLS, Go and Python's ssl look into.
	"certificates": {
		paths: []string{
			"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/usr/lib/ssl/{certs,cert.pem}", "/etc/ssl1.1/{certs,cert.pem}",
			"/etc/pki/tls/{certs,cert.pem}", "/etc/pki/ca-trust/extracted/{openssl,pem,java}", "/var/lib/ca-certificates/ca-bundle.pem",
		},
		contents: []string{"*.pem", "*.crt", "*.0", "cacerts"},
		unmade:   []string{"/usr/share/ca-certificates/**/*.crt", "/usr/share/pki/ca-trust-source/*", "/etc/pki/ca-trust/source/anchors/*"},
		maker:    "update-ca-certificates or update-ca-trust", packages: "ca-certificates", byFormat: of("ca-certificates", "ca-certificates"),
		words: []string{"/etc/ssl/certs", "/etc/pki/tls/certs"},
		imports: []string{
			"SSL_CTX_set_default_verify_paths", "X509_STORE_set_default_paths", "gnutls_certificate_set_x509_system_trust",
		},
		libraries: []string{"libgnutls.", "libcrypto.", "libssl.", "libp11-kit."},
	},
	// tzset(3). The zone of the machine (/etc/localtime) is not the image's.
	"timezones": {paths: []string{"/usr/share/zoneinfo"}, packages: "tzdata", byFormat: of("tzdata", "tzdata"), words: []string{"/usr/share/zoneinfo"}},
	// locale(7): glibc's compiled locales, musl's translations.
	"locales": {
		paths:  []string{"/usr/lib/locale", "/usr/share/locale/locale.alias", "/usr/share/i18n/locales/musl"},
		unmade: []string{"/usr/share/i18n/locales/*_*"},
		maker:  "localedef or locale-gen", packages: "locales-all or glibc-all-langpacks", byFormat: of("locales-all", "glibc-all-langpacks"),
	},
	// terminfo(5).
	"terminfo": {
		paths:    []string{"/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"},
		packages: "ncurses-base", byFormat: of("ncurses-base", "ncurses-base"),
		imports: []string{"setupterm", "initscr", "newterm", "tgetent"}, libraries: []string{"libtinfo.", "libncurses", "libform", "libpanel", "libmenu"},
	},
	// protocols(5), services(5), rpc(5).
	"protocols": {paths: []string{"/etc/protocols", "/etc/services", "/etc/rpc", "/usr/etc/{protocols,services,rpc}"}, packages: "netbase or setup", byFormat: of("netbase", "setup")},
}

func of(deb, rpm string) map[record.Format]string {
	return map[record.Format]string{record.FormatDeb: deb, record.FormatRPM: rpm}
}

// BundlePackage returns the package of a format that holds what a bundle is made
// of, "" where none is known.
func BundlePackage(bundle string, format record.Format) string {
	return bundles[bundle].byFormat[format]
}

// bundleData brings the bundles that the spec names. One that the source has
// no file of is a problem.
func bundleData(_ context.Context, s *selector, out *outcome) error {
	for _, name := range slices.Sorted(slices.Values(s.in.Bundles)) {
		b, known := bundles[name]
		if !known {
			out.lacks(Problem{Name: name, Text: "bundles: there is no bundle " + name + ", only " + strings.Join(sortedKeys(bundles), ", ")})
			continue
		}
		paths, err := s.withFiles(b.paths, b.contents)
		if err != nil {
			return err
		}
		for _, p := range paths {
			out.needs(edge{to: p, reason: record.Reason{Rule: record.RuleBundle, Detail: "bundle " + name}, whole: true, broad: true})
		}
		if len(paths) > 0 {
			continue
		}
		text := "bundle " + name + ": the source has no file in " + strings.Join(b.paths, ", ")
		if unmade, err := s.withFiles(b.unmade, nil); err != nil {
			return err
		} else if len(unmade) > 0 {
			text += "; it has " + unmade[0] + ", of which " + b.maker + " makes the bundle: run that in the source, or add the result to rootfs/"
		} else {
			text += "; distributions have it in the package " + b.packages
		}
		out.lacks(Problem{Name: name, Text: text})
	}
	return nil
}

// wantedBy returns why an object seems to want the bundle, "" where it does not.
func (b bundle) wantedBy(name string, names, imports []string) string {
	if slices.ContainsFunc(b.libraries, func(library string) bool { return strings.HasPrefix(name, library) }) {
		return ""
	}
	for _, word := range b.words {
		if slices.Contains(names, word) {
			return "names " + word
		}
	}
	for _, function := range b.imports {
		if slices.Contains(imports, function) {
			return "calls " + function
		}
	}
	return ""
}

// unkeptBundles returns the bundles of which the image holds nothing, by name.
func (s *selector) unkeptBundles() ([]bundle, error) {
	var all []bundle
	for _, name := range sortedKeys(bundles) {
		b := bundles[name]
		b.name = name
		kept := slices.Contains(s.in.Bundles, name)
		for _, p := range b.paths {
			for _, it := range s.items {
				kept = kept || it.node.Kind != tree.Dir && (tree.Match(p, it.path) || tree.Match(p+"/**", it.path))
			}
			if s.in.Parent == nil || kept {
				continue
			}
			paths, err := s.in.Parent.Glob(p)
			if err != nil {
				return nil, err
			}
			kept = len(paths) > 0
		}
		if !kept {
			all = append(all, b)
		}
	}
	return all, nil
}

// suspectBundles lists each bundle that an object seems to want, with the first
// such object.
func (s *selector) suspectBundles(objects []*item, wanted []bundle, why [][]string) {
	for i, b := range wanted {
		at := slices.IndexFunc(why, func(w []string) bool { return len(w) > i && w[i] != "" })
		if at < 0 {
			continue
		}
		s.suspects = append(s.suspects, suspect{nil, record.Finding{Name: "bundles: [" + b.name + "]", From: objects[at].path, Detail: why[at][i]}})
	}
}

// bundleHint names the bundle that brings what one of some links leads to, as
// the end of a sentence, or "".
func bundleHint(links []*tree.Node) string {
	for _, name := range sortedKeys(bundles) {
		for _, n := range links {
			target := tree.Clean(linkTarget(n))
			for _, p := range bundles[name].paths {
				if tree.Match(p, target) || tree.Match(p+"/**", target) {
					return "; bundles: [" + name + "] brings " + target
				}
			}
		}
	}
	return ""
}

// withFiles returns the paths that globs match and that are a file, or hold
// one, at any depth, whose name is one of contents.
func (s *selector) withFiles(patterns, contents []string) ([]string, error) {
	var found []string
	for _, pattern := range patterns {
		paths, err := s.view.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			at, err := s.view.Resolve(p)
			if err != nil {
				continue
			}
			holds, err := s.holdsFile(at.Node, contents)
			if err != nil {
				return nil, err
			}
			if holds || at.Node.Kind == tree.File {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// errFound ends a walk.
var errFound = errors.New("found")

// holdsFile says whether there is a file below a node whose name is one of
// some globs, be it behind a link; without globs anything that is no folder
// counts.
func (s *selector) holdsFile(top *tree.Node, contents []string) (bool, error) {
	err := top.Walk(func(n *tree.Node) error {
		if n.Kind == tree.Dir || len(contents) > 0 && !slices.ContainsFunc(contents, func(glob string) bool { return tree.Match(glob, n.Name()) }) {
			return nil
		}
		at, err := s.view.Resolve(n.Path())
		if len(contents) == 0 || err == nil && at.Node.Kind == tree.File {
			return errFound
		}
		return nil // a link to nothing
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}
