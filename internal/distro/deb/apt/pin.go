package apt

import (
	"fmt"
	"regexp"
	"strings"
)

// A pattern is what apt compares text with, ignoring the case of letters: a
// glob as in fnmatch(3) in which "*" spans "/" too, or a regular expression
// between slashes.
type pattern struct{ *regexp.Regexp }

func newPattern(s string) (pattern, error) {
	if len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
		re, err := regexp.Compile("(?i)" + s[1:len(s)-1])
		return pattern{re}, err
	}
	var b strings.Builder
	b.WriteString("(?is)^")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			class, length := globClass(s[i:])
			b.WriteString(class)
			i += length - 1
		default:
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	return pattern{re}, err
}

// literal returns a pattern that matches one text.
func literal(s string) pattern { return pattern{regexp.MustCompile("^" + regexp.QuoteMeta(s) + "$")} }

// globClass turns "[!a-z]" into a class of a regular expression. A bracket
// that is not closed stands for itself.
func globClass(s string) (class string, length int) {
	end := -1
	if len(s) > 2 {
		end = strings.IndexByte(s[2:], ']')
	}
	if end < 0 {
		return `\[`, 1
	}
	inner := s[1 : end+2]
	negated := ""
	if inner[0] == '!' || inner[0] == '^' {
		negated, inner = "^", inner[1:]
	}
	inner = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(inner)
	return "[" + negated + inner + "]", end + 3
}

// A matcher is the value of a Pin field: what it says of a version.
type matcher struct {
	// version, for "version".
	version *pattern
	// site, for "origin": the host that the list came from.
	site *pattern
	// properties, for "release": each of them must match.
	properties []property
}

// A property is one condition on a release: "n=bookworm".
type property struct {
	// key is a letter as in apt_preferences(5), or 0 for a suite or codename.
	key     byte
	pattern pattern
}

func parseMatcher(text string) (matcher, error) {
	kind, value, _ := strings.Cut(strings.TrimSpace(text), " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(kind) {
	case "version":
		p, err := newPattern(value)
		return matcher{version: &p}, err
	case "origin":
		p, err := newPattern(strings.Trim(value, `"`))
		return matcher{site: &p}, err
	case "release":
		properties, err := parseProperties(value)
		return matcher{properties: properties}, err
	default:
		return matcher{}, fmt.Errorf("pin %q is none of version, origin and release", text)
	}
}

// parseProperties reads "bookworm", "12*", "*" or "o=Debian, n=bookworm".
func parseProperties(text string) ([]property, error) {
	if !strings.Contains(text, "=") {
		var key byte
		if text != "" && '0' <= text[0] && text[0] <= '9' {
			key = 'v'
		}
		p, err := newPattern(text)
		return []property{{key, p}}, err
	}
	var properties []property
	for part := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || len(key) != 1 || !strings.Contains("voanlcb", strings.ToLower(key)) {
			return nil, fmt.Errorf("%q is not a property of a release: want one of v, o, a, n, l, c, b, and a value", part)
		}
		p, err := newPattern(value)
		if err != nil {
			return nil, err
		}
		properties = append(properties, property{strings.ToLower(key)[0], p})
	}
	return properties, nil
}

// matches reports whether the pin covers the version: by its number, or by any
// of its offers.
func (m matcher) matches(v *Version) bool {
	if m.version != nil {
		return m.version.MatchString(v.Version)
	}
	for _, o := range v.Offers {
		if m.matchesOffer(o, v.Architecture) {
			return true
		}
	}
	return false
}

func (m matcher) matchesOffer(o *Offer, architecture string) bool {
	if m.site != nil {
		return m.site.MatchString(o.Site)
	}
	if m.version != nil || o.Release == nil {
		return false
	}
	for _, p := range m.properties {
		if !p.holds(o, architecture) {
			return false
		}
	}
	return true
}

func (p property) holds(o *Offer, architecture string) bool {
	r := o.Release
	switch p.key {
	case 'v':
		return p.pattern.MatchString(r.Version)
	case 'o':
		return p.pattern.MatchString(r.Origin)
	case 'a':
		return p.pattern.MatchString(r.Suite)
	case 'n':
		return p.pattern.MatchString(r.Codename)
	case 'l':
		return p.pattern.MatchString(r.Label)
	case 'c':
		return p.pattern.MatchString(o.Component)
	case 'b':
		return p.pattern.MatchString(architecture)
	default:
		return p.pattern.MatchString(r.Suite) || p.pattern.MatchString(r.Codename)
	}
}
