package mockconfig

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A value is what a literal of Python stands for: string, int64, bool, nil,
// list or dict.
type (
	value any
	list  []value
	dict  map[string]value
)

// errNoValue says that a text is more than plain values. Whoever asks for one
// names the statement.
var errNoValue = errors.New("it is no plain value")

// unreadable is a value that only Python could work out, and why.
type unreadable struct{ text string }

// A parser reads the part of Python that configurations are written in.
type parser struct {
	text string
	at   int
	line int
	// config resolves config_opts['…'].
	config dict
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) advance(n int) {
	p.line += strings.Count(p.text[p.at:p.at+n], "\n")
	p.at += n
}

// space passes over spaces and comments; within parentheses over ends of lines
// too.
func (p *parser) space(lines bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\f', c == '\n' && lines:
			p.advance(1)
		case c == '\\' && strings.HasPrefix(p.rest(), "\\\n"):
			p.advance(2)
		case c == '#':
			end := strings.IndexByte(p.rest(), '\n')
			if end < 0 {
				end = len(p.rest())
			}
			p.advance(end)
		default:
			return
		}
	}
}

// take takes a text if it stands next.
func (p *parser) take(text string) bool {
	if !strings.HasPrefix(p.rest(), text) {
		return false
	}
	p.advance(len(text))
	return true
}

// maxNesting bounds lists in lists.
const maxNesting = 50

// expression reads a value, and values joined by "+".
func (p *parser) expression(depth int, lines bool) (value, error) {
	if depth > maxNesting {
		return nil, errNoValue
	}
	v, err := p.operand(depth)
	for err == nil {
		p.space(lines)
		if p.take("==") {
			return p.compared(v, true, depth, lines)
		}
		if p.take("!=") {
			return p.compared(v, false, depth, lines)
		}
		if !p.take("+") {
			return v, nil
		}
		p.space(lines)
		var more value
		if more, err = p.operand(depth); err == nil {
			v = plus(v, more)
		}
	}
	return nil, err
}

// compared reads what a value is compared with.
func (p *parser) compared(v value, equal bool, depth int, lines bool) (value, error) {
	p.space(lines)
	other, err := p.operand(depth)
	if err != nil {
		return nil, err
	}
	for _, one := range []value{v, other} {
		switch one.(type) {
		case list, dict, unreadable:
			return nil, errNoValue
		}
	}
	return (v == other) == equal, nil
}

// plus is Python's +.
func plus(a, b value) value {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return a + b
		}
	case list:
		if b, ok := b.(list); ok {
			return append(append(list{}, a...), b...)
		}
	case int64:
		if b, ok := b.(int64); ok {
			return a + b
		}
	case unreadable:
		return a
	}
	if u, ok := b.(unreadable); ok {
		return u
	}
	return unreadable{"a sum of values that do not go together"}
}

func (p *parser) operand(depth int) (value, error) {
	rest := p.rest()
	switch {
	case rest == "":
		return nil, errNoValue
	case rest[0] == '[':
		return p.sequence(depth, "[", "]")
	case rest[0] == '(':
		v, err := p.sequence(depth, "(", ")")
		if l, ok := v.(list); ok && len(l) == 1 && !strings.HasSuffix(strings.TrimRight(p.text[:p.at-1], " \t\n"), ",") {
			return l[0], err // parentheses, no tuple
		}
		return v, err
	case rest[0] == '{':
		return p.dict(depth)
	case quoteAt(rest) >= 0:
		return p.strings(depth)
	}
	return p.word()
}

// quoteAt returns where a string's quote stands, after a prefix, or -1.
func quoteAt(text string) int {
	for i := 0; i < len(text) && i < 3; i++ {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			return i
		case !strings.ContainsRune("rRuUfFbB", rune(c)):
			return -1
		}
	}
	return -1
}

// strings reads a string, and those that follow it at once.
func (p *parser) strings(depth int) (value, error) {
	v := value("")
	for {
		one, err := p.string()
		if err != nil {
			return nil, err
		}
		v = plus(v, one)
		p.space(depth > 0)
		if quoteAt(p.rest()) < 0 {
			return v, nil
		}
	}
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': `"`, '\n': "", 'a': "\a", '0': "\x00"}

func (p *parser) string() (value, error) {
	at := quoteAt(p.rest())
	prefix := strings.ToLower(p.rest()[:at])
	p.advance(at)
	quote := p.rest()[:1]
	if strings.HasPrefix(p.rest(), strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	p.advance(len(quote))
	raw := strings.Contains(prefix, "r")
	var b strings.Builder
	for !p.take(quote) {
		rest := p.rest()
		switch {
		case rest == "", len(quote) == 1 && rest[0] == '\n':
			return nil, errNoValue
		case rest[0] == '\\' && len(rest) > 1:
			text, known := escapes[rest[1]]
			if raw || !known {
				text = rest[:2]
			}
			b.WriteString(text)
			p.advance(2)
		default:
			b.WriteByte(rest[0])
			p.advance(1)
		}
	}
	if strings.Contains(prefix, "f") && strings.Contains(b.String(), "{") {
		return unreadable{"an f-string"}, nil
	}
	return b.String(), nil
}

func (p *parser) sequence(depth int, open, end string) (value, error) {
	p.take(open)
	l := list{}
	for {
		p.space(true)
		if p.take(end) {
			return l, nil
		}
		v, err := p.expression(depth+1, true)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
		p.space(true)
		if !p.take(",") && !strings.HasPrefix(p.rest(), end) {
			return nil, errNoValue
		}
	}
}

func (p *parser) dict(depth int) (value, error) {
	p.take("{")
	d := dict{}
	for {
		p.space(true)
		if p.take("}") {
			return d, nil
		}
		key, err := p.expression(depth+1, true)
		if err != nil {
			return nil, err
		}
		p.space(true)
		if !p.take(":") {
			return nil, errNoValue
		}
		p.space(true)
		v, err := p.expression(depth+1, true)
		if err != nil {
			return nil, err
		}
		d[fmt.Sprint(key)] = v
		p.space(true)
		if !p.take(",") && !strings.HasPrefix(p.rest(), "}") {
			return nil, errNoValue
		}
	}
}

// word reads a number, a constant, or config_opts['…'].
func (p *parser) word() (value, error) {
	rest := p.rest()
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n] == '.' || rest[n] == '-' || '0' <= rest[n] && rest[n] <= '9' || 'a' <= rest[n]|0x20 && rest[n]|0x20 <= 'z') {
		n++
	}
	word := rest[:n]
	if word == "config_opts" {
		keys, err := p.keys()
		if err != nil {
			return nil, err
		}
		var v value = p.config
		for _, key := range keys {
			d, _ := v.(dict)
			v = d[key]
		}
		return v, nil
	}
	p.advance(n)
	switch word {
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "None":
		return nil, nil
	}
	if i, err := strconv.ParseInt(word, 0, 64); err == nil {
		return i, nil
	}
	return nil, errNoValue
}

// keys reads config_opts['a']['b'].
func (p *parser) keys() ([]string, error) {
	p.take("config_opts")
	var keys []string
	for p.take("[") {
		p.space(true)
		if quoteAt(p.rest()) < 0 {
			return nil, errNoValue
		}
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		keys = append(keys, fmt.Sprint(key))
		p.space(true)
		if !p.take("]") {
			return nil, errNoValue
		}
	}
	return keys, nil
}
