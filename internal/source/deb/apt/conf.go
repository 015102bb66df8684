package apt

import (
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
// what it cannot read.
func (c Conf) Parse(text string) {
	var scopes, words []string
	for _, token := range tokens(text) {
		switch token {
		case "{":
			if len(scopes) == maxNested {
				return
			}
			scopes, words = append(scopes, strings.Join(words, "")), nil
		case "}":
			if len(scopes) > 0 {
				scopes = scopes[:len(scopes)-1]
			}
			words = nil
		case ";":
			if len(words) == 2 {
				c.set(append(scopes, words[0]), unquote(words[1]))
			}
			words = nil
		default:
			words = append(words, token)
		}
	}
}

func (c Conf) set(scopes []string, value string) {
	name := strings.ToLower(strings.Trim(strings.Join(scopes, "::"), ":"))
	c[name] = value
}

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
		case strings.HasPrefix(text, "//") || first == '#':
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
