package closure

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// localeDir is where glibc has compiled locales: a directory each, or the file
// locale-archive for many (localedef(1)).
const localeDir = "/usr/lib/locale/"

// localeVariables name locales (locale(7)). LANGUAGE names translations only.
var localeVariables = []string{
	"LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES",
	"LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION", "LANG",
}

// localeCalls are the functions that load what the variables name.
var localeCalls = []string{"setlocale", "newlocale"}

// locales brings the locales that the environment names where an object of
// glibc's loads them: without one, setlocale(3) fails and the program goes on in
// the locale C or not at all. musl knows every locale as UTF-8.
func locales(_ context.Context, s *selector, out *outcome) error {
	if len(s.libraries("libc.so.6")) == 0 {
		return nil
	}
	for _, variable := range localeVariables {
		name := program.Getenv(s.in.Env, variable)
		if isBuiltinLocale(name) {
			continue
		}
		user, err := s.usesLocales()
		if user == nil || err != nil {
			return err
		}
		if err := s.locale(variable, name, user, out); err != nil {
			return err
		}
	}
	return nil
}

// isBuiltinLocale reports whether a value needs no files under localeDir. With
// a slash it is the path of a compiled locale (setlocale(3)).
func isBuiltinLocale(name string) bool {
	return name == "" || name == "C" || name == "POSIX" || strings.Contains(name, "/")
}

// usesLocales returns the first kept object that loads locales, or nil.
func (s *selector) usesLocales() (*item, error) {
	for _, it := range s.sorted() {
		if it.node.Kind != tree.File || ownedByGlibc(it.node.Name()) {
			continue
		}
		if use, err := s.firstImport(it, localeCalls); use != "" || err != nil {
			return it, err
		}
	}
	return nil, nil
}

// locale brings one locale.
func (s *selector) locale(variable, name string, user *item, out *outcome) error {
	reason := record.Reason{Rule: record.RuleEnv, Detail: variable + "=" + name + ", for " + user.path}
	for _, spelling := range []string{name, normalLocale(name)} {
		if is, err := s.isDir(localeDir + spelling); err != nil || is {
			if is {
				out.needs(edge{to: localeDir + spelling, whole: true, broad: true, reason: reason})
			}
			return err
		}
	}
	if normalLocale(name) == "C.utf8" {
		return nil // built in since glibc 2.35
	}
	at, err := s.view.Resolve(localeDir + "locale-archive")
	if err := ignoreAbsent(err); err != nil {
		return err
	}
	if err == nil && at.Node.Kind == tree.File {
		has, err := archiveHas(at.Node, normalLocale(name))
		if err != nil {
			return err
		}
		if has {
			out.needs(edge{to: at.Path(), reason: reason})
			return nil
		}
	}
	out.lacks(Problem{
		Name: name,
		Text: "env: " + variable + "=" + name + ": nothing on offer has that locale in " + localeDir + ", and " + user.path +
			" loads it; add bundles: [locales], or set " + variable + "=C.UTF-8",
	})
	return nil
}

// normalLocale returns the name under which glibc keeps a locale: the code set
// in lower case and without punctuation (glibc, intl/l10nflist.c,
// _nl_normalize_codeset): "de_DE.UTF-8@euro" is "de_DE.utf8@euro".
func normalLocale(name string) string {
	base, modifier, modified := strings.Cut(name, "@")
	language, codeset, coded := strings.Cut(base, ".")
	if coded {
		letters := strings.Map(func(r rune) rune {
			switch {
			case r >= 'A' && r <= 'Z':
				return r + 'a' - 'A'
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
				return r
			}
			return -1
		}, codeset)
		if letters != "" && strings.Trim(letters, "0123456789") == "" {
			letters = "iso" + letters
		}
		language += "." + letters
	}
	if modified {
		language += "@" + modifier
	}
	return language
}

// maxLocaleNames bounds the names in an archive: glibc-all-langpacks has 24 kB.
const maxLocaleNames = 1 << 20

// archiveHas reports whether a locale-archive has a locale: its names lie one
// after the other, each ended by NUL (glibc, locale/locarchive.h, struct
// locarhead).
func archiveHas(n *tree.Node, name string) (bool, error) {
	const magic, headSize = 0xde020109, 8 * 4
	if n.Size < headSize {
		return false, nil
	}
	r, err := n.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	head := make([]byte, headSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return false, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if order.Uint32(head) != magic {
		order = binary.BigEndian
	}
	at, used := int64(order.Uint32(head[5*4:])), int64(order.Uint32(head[6*4:]))
	if order.Uint32(head) != magic || used > maxLocaleNames || at+used > n.Size {
		return false, nil
	}
	names := make([]byte, used)
	if _, err := r.ReadAt(names, at); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return slices.ContainsFunc(bytes.Split(names, []byte{0}), func(other []byte) bool { return string(other) == name }), nil
}
