package program

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// env(1) as what a "#!" line runs: its options and settings lead to the
// program that it executes (coreutils manual, "env invocation").

// envOptions maps the long options that matter to their short forms; all but ignore-environment take an argument.
var envOptions = map[string]byte{"ignore-environment": 'i', "unset": 'u', "chdir": 'C', "split-string": 'S', "argv0": 'a'}

// An envCall is one run of env under way.
type envCall struct {
	words   []string
	given   []string // the environment it is called with
	cleared bool
	unset   []string
	dir     string
}

// envCommand returns the program that env runs with these arguments, and the
// environment in which it looks for it. The program is "" where env runs none.
func envCommand(words, env []string) Command {
	c := envCall{words: words, given: env}
	for options := true; options && len(c.words) > 0; {
		options = c.option()
	}
	result := Command{Env: c.environment()}
	for _, w := range c.words {
		if !strings.Contains(w, "=") {
			result.Program = w
			break
		}
		result.Env = append(result.Env, w)
	}
	result.Search = !strings.Contains(result.Program, "/")
	if !result.Search && c.dir != "" && !path.IsAbs(result.Program) {
		result.Program = path.Join(c.dir, result.Program)
	}
	return result
}

// option takes one word of options off the front; it is false where they end.
func (c *envCall) option() bool {
	word := c.words[0]
	switch {
	case word == "-":
		c.words, c.cleared = c.words[1:], true
		return false
	case word == "--":
		c.words = c.words[1:]
		return false
	case strings.HasPrefix(word, "--"):
		c.words = c.words[1:]
		c.long(word[2:])
		return true
	case strings.HasPrefix(word, "-"):
		c.words = c.words[1:]
		c.short(word[1:])
		return true
	}
	return false
}

// long follows an option such as "--unset=NAME". Names may be cut short.
func (c *envCall) long(text string) {
	name, argument, given := strings.Cut(text, "=")
	for _, full := range slices.Sorted(maps.Keys(envOptions)) {
		if !strings.HasPrefix(full, name) {
			continue
		}
		if letter := envOptions[full]; given || letter == 'i' {
			c.apply(letter, argument)
		} else {
			c.apply(letter, c.next())
		}
		return
	}
}

// short follows a cluster such as "iS": the rest of it, or the next word, is
// the argument of the first option that takes one.
func (c *envCall) short(cluster string) {
	for i := range len(cluster) {
		letter := cluster[i]
		if !strings.ContainsRune("uCSa", rune(letter)) {
			c.apply(letter, "")
			continue
		}
		argument := cluster[i+1:]
		if argument == "" {
			argument = c.next()
		}
		c.apply(letter, argument)
		return
	}
}

func (c *envCall) next() string {
	if len(c.words) == 0 {
		return ""
	}
	word := c.words[0]
	c.words = c.words[1:]
	return word
}

func (c *envCall) apply(letter byte, argument string) {
	switch letter {
	case 'i':
		c.cleared = true
	case 'u':
		c.unset = append(c.unset, argument)
	case 'C':
		c.dir = argument
	case 'S':
		c.words = append(envSplit(argument, c.given), c.words...)
	}
}

// environment returns what the program's environment is before the settings.
// Without PATH, execvp(3) looks in _CS_PATH.
func (c *envCall) environment() []string {
	if c.cleared || slices.Contains(c.unset, "PATH") {
		return []string{"PATH=/bin:/usr/bin"}
	}
	return slices.Clone(c.given)
}

// envSplit splits a string as env -S does: at blanks, with quotes, escapes,
// ${NAME} from the environment, and comments that begin with "#".
func envSplit(text string, env []string) []string {
	s := splitter{rest: text, env: env}
	for s.rest != "" && !s.ended {
		s.step()
	}
	s.end()
	return s.words
}

type splitter struct {
	rest  string
	env   []string
	words []string
	word  strings.Builder
	open  bool // whether a word has begun
	quote byte // the quote that is open, or 0
	ended bool // by a comment or \c
}

// end closes a word, if one is open.
func (s *splitter) end() {
	if s.open {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.open = false
}

func (s *splitter) put(text string) {
	s.word.WriteString(text)
	s.open = true
}

// step takes a character, an escape or a variable off the front.
func (s *splitter) step() {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch {
	case c == '\\' && s.rest != "":
		s.escape()
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	case s.quote == 0 && (c == '\'' || c == '"'):
		s.quote = c
		s.open = true
	case s.quote == 0 && strings.IndexByte(" \t\n\v\f\r", c) >= 0:
		s.end()
	case s.quote == 0 && c == '#' && !s.open:
		s.ended = true
	case s.quote != '\'' && c == '$' && strings.HasPrefix(s.rest, "{"):
		s.variable()
	default:
		s.put(string(c))
	}
}

// escapes are the characters that stand after a backslash for another one.
var escapes = map[byte]string{'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

func (s *splitter) escape() {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch {
	case s.quote == '\'' && c != '\'' && c != '\\':
		s.put(`\` + string(c))
	case s.quote == '\'':
		s.put(string(c))
	case c == 'c':
		s.ended = true
	case c == '_' && s.quote == 0:
		s.end()
	case c == '_':
		s.put(" ")
	case escapes[c] != "":
		s.put(escapes[c])
	default:
		s.put(string(c))
	}
}

// variable puts the value of ${NAME}. An unset one leaves nothing, not
// even an empty word.
func (s *splitter) variable() {
	name, rest, closed := strings.Cut(s.rest[1:], "}")
	if !closed {
		s.put("$")
		return
	}
	s.rest = rest
	if value := Getenv(s.env, name); value != "" {
		s.put(value)
	}
}
