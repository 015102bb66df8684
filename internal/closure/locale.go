package closure

import (
	"context"

	"smith/record"
)

// UTF8Locale is the locale C.UTF-8, which distributions have beside glibc and
// which needs no archive of locales (glibc 2.35, NEWS; locale(7)).
const UTF8Locale = "/usr/lib/locale/C.utf8"

// entryLocale brings the locale C.UTF-8 with an entry point that asks for the
// character set of its locale: tmux, R and initdb refuse the C locale, and others
// take text in any other language for noise.
func entryLocale(_ context.Context, s *selector, it *item, out *outcome) error {
	if !s.isEntry(it.node) || !s.view.Exists(UTF8Locale) {
		return nil
	}
	use, err := s.firstImport(it, []string{"nl_langinfo", "nl_langinfo_l"})
	if use == "" || err != nil {
		return err
	}
	out.needs(edge{to: UTF8Locale, whole: true, reason: record.Reason{Rule: record.RuleData, From: it.path, Detail: "the locale C.UTF-8, for " + use}})
	return nil
}
