package apt

import (
	"maps"
	"regexp"
	"strings"
	"time"
)

// A Conf is apt's settings (apt.conf(5)): values by their whole names, which
// count in any case of letters.
type Conf map[string]string

// Get returns a setting such as "Acquire::Check-Valid-Until", or "".
func (c Conf) Get(name string) string { return c[strings.ToLower(name)] }

// bool returns a setting that is on or off.
func (c Conf) bool(name string, byDefault bool) bool {
	if text := c.Get(name); text != "" {
		return yes(text)
	}
	return byDefault
}

// seconds returns a setting that is a number of seconds.
func (c Conf) seconds(name string) time.Duration { return seconds(c.Get(name)) }

// maxNested bounds how deep scopes may stand in each other.
const maxNested = 64

// Parse adds the settings in a file. As apt does it takes the last value of a
// name; members of lists ("A::B:: x") have no name and are left out, and so is
// what it cannot read. include adds the files that a directive names; nil leaves
// them out.
func (c Conf) Parse(text string, include func(name string)) {
	var scopes, words []string
	for _, token := range tokens(text) {
		switch token {
		case "{":
			if len(scopes) == maxNested || len(words) == 0 {
				return
			}
			if len(words) == 2 { // a value with members
				c.set(append(scopes, words[0]), unquote(words[1]))
			}
			scopes, words = append(scopes, words[0]), nil
		case "}":
			if len(scopes) > 0 {
				scopes = scopes[:len(scopes)-1]
			}
			words = nil
		case ";":
			c.statement(scopes, words, include)
			words = nil
		default:
			words = append(words, token)
		}
	}
}

// statement does what precedes a semicolon.
func (c Conf) statement(scopes, words []string, include func(name string)) {
	if len(words) != 2 {
		return
	}
	switch value := unquote(words[1]); words[0] {
	case "#include":
		if include != nil {
			include(value)
		}
	case "#clear":
		c.clear(value)
	default:
		c.set(append(scopes, words[0]), value)
	}
}

// clear forgets a setting and all below it.
func (c Conf) clear(name string) {
	name = strings.ToLower(strings.Trim(name, ":"))
	maps.DeleteFunc(c, func(key, _ string) bool { return key == name || strings.HasPrefix(key, name+"::") })
}

func (c Conf) set(scopes []string, value string) {
	name := strings.ToLower(strings.Trim(strings.Join(scopes, "::"), ":"))
	c[name] = value
}

// directives begin with what otherwise begins a comment.
var directives = regexp.MustCompile(`^#(include|clear)[ \t]`)

// tokens splits a file into words, quoted ones with their quotes, and the
// signs { } ;. Comments are left out.
func tokens(text string) []string {
	var all []string
	for text != "" {
		switch first := text[0]; {
		case first == ' ' || first == '\t' || first == '\n' || first == '\r':
			text = text[1:]
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
		case strings.HasPrefix(text, "//") || first == '#' && !directives.MatchString(text):
			_, text, _ = strings.Cut(text, "\n")
		case first == '{' || first == '}' || first == ';':
			all, text = append(all, text[:1]), text[1:]
		case first == '"':
			end := strings.IndexByte(text[1:], '"') + 2
			if end < 2 {
				return all
			}
			all, text = append(all, text[:end]), text[end:]
		default:
			end := strings.IndexAny(text, " \t\r\n{};\"")
			if end < 0 {
				end = len(text)
			}
			all, text = append(all, text[:end]), text[end:]
		}
	}
	return all
}

func unquote(text string) string { return strings.Trim(text, `"`) }
