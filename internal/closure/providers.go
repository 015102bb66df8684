package closure

import (
	"context"
	"path"
	"regexp"
	"slices"

	"smith/record"
)

// legacyProvider is the module of OpenSSL with algorithms that are out of use,
// which programs load by its name (OSSL_PROVIDER-legacy(7ssl)). The other
// providers are in libcrypto itself, or the configuration names them.
const legacyProvider = "legacy"

// extension matches objects that belong to modules of a language, whose scripts
// choose the provider.
var extension = regexp.MustCompile(`/(dist-packages|site-packages|perl5?|ruby)/`)

// providers brings OpenSSL's legacy provider with an object that loads it: one
// that calls OSSL_PROVIDER_load and holds the name, or whose scripts do.
func providers(ctx context.Context, s *selector, it *item, out *outcome) error {
	use, err := s.firstImport(it, []string{"OSSL_PROVIDER_load", "OSSL_PROVIDER_try_load"})
	if use == "" || err != nil {
		return err
	}
	f, err := s.loader.ELF(it.node)
	if err != nil {
		return s.unreadable(it, err)
	}
	r, err := it.node.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	const word = "\x00" + legacyProvider + "\x00"
	names, err := f.Names(r, it.node.Size, word)
	if err != nil {
		return err
	}
	if !slices.Contains(names, word) && !extension.MatchString(it.path) {
		return nil
	}
	crypto, missing, err := s.loader.Find(ctx, "libcrypto.so.3", it.path)
	if missing != nil || err != nil {
		return err // another OpenSSL, or the check reports it
	}
	to := path.Join(path.Dir(crypto.Path), "ossl-modules", legacyProvider+".so")
	out.needs(edge{to: to, reason: record.Reason{
		Rule: record.RulePlugin, From: it.path, Detail: "the " + legacyProvider + " provider of OpenSSL, for " + use,
	}})
	return nil
}
