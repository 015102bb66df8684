package service

import (
	"maps"
	"path"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// command returns the words of an ExecStart= line: without the prefixes that
// say how systemd starts it, with variables and specifiers replaced
// (systemd.service(5), "COMMAND LINES").
func (u *unit) command(line string) []string {
	as := false
	for line != "" && strings.IndexByte("@-:+!|", line[0]) >= 0 {
		as = as || line[0] == '@'
		line = strings.TrimSpace(line[1:])
	}
	var words []string
	for i, word := range split(line) {
		if word == ";" && i > 0 {
			break
		}
		if i == 1 && as {
			continue // argv[0]
		}
		words = append(words, u.variables(u.expanded(word))...)
	}
	return words
}

// variables replaces $NAME, which as a word of its own is split at spaces, and
// ${NAME} anywhere. A variable that is not set is empty.
func (u *unit) variables(word string) []string {
	if name, ok := strings.CutPrefix(word, "$"); ok && isName(name) {
		return split(u.vars[name])
	}
	var b strings.Builder
	for word != "" {
		at := strings.IndexByte(word, '$')
		if at < 0 {
			break
		}
		b.WriteString(word[:at])
		word = word[at:]
		switch {
		case strings.HasPrefix(word, "$$"):
			b.WriteByte('$')
			word = word[2:]
		case strings.HasPrefix(word, "${"):
			name, rest, ok := strings.Cut(word[2:], "}")
			if !ok || !isName(name) {
				b.WriteByte('$')
				word = word[1:]
				continue
			}
			b.WriteString(u.vars[name])
			word = rest
		default:
			b.WriteByte('$')
			word = word[1:]
		}
	}
	return []string{b.String() + word}
}

// expanded replaces specifiers (systemd.unit(5), "SPECIFIERS"): those that
// have the same value on every system. Others stay as they are.
func (u *unit) expanded(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	base := strings.TrimSuffix(u.name, ".service")
	prefix, _, _ := strings.Cut(base, "@")
	values := map[byte]string{
		'%': "%", 'n': u.name, 'N': base, 'p': prefix, 'P': prefix, 'i': u.instance, 'I': u.instance, 't': "/run", 'S': "/var/lib", 'C': "/var/cache",
		'L': "/var/log", 'E': "/etc", 'T': "/tmp", 'V': "/var/tmp", 'h': "/root", 'j': prefix[strings.LastIndexByte(prefix, '-')+1:],
		'f': path.Join("/", u.instance), 'u': "root", 'g': "root", 'U': "0", 'G': "0",
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+1 < len(text) {
			if v, ok := values[text[i+1]]; ok {
				b.WriteString(v)
				i++
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// escapes are what may follow a backslash (systemd.syntax(7), "QUOTING").
var escapes = map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', 's': ' '}

// split splits a text into words: quotes hold words together, backslashes take
// a meaning away or give one.
func split(text string) []string {
	var words []string
	var word strings.Builder
	begun, quote := false, byte(0)
	end := func() {
		if begun {
			words = append(words, word.String())
			word.Reset()
			begun = false
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			begun = true
			if e, ok := escapes[text[i]]; ok {
				word.WriteByte(e)
			} else {
				word.WriteByte(text[i])
			}
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteByte(c)
			}
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\n':
			end()
		default:
			begun = true
			word.WriteByte(c)
		}
	}
	end()
	return words
}
