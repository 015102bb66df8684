package repodata

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A scanner reads the XML of repository metadata: elements, attributes, text,
// comments, CDATA, and the five entities that need no declaration. Document
// types, and with them every other entity, are refused; prefixes of names are
// dropped. encoding/xml reads the same ten times slower, and a distribution's
// lists of files have a gigabyte.
type scanner struct {
	r *bufio.Reader
	// name and attributes are of the element that next returned, text is what
	// stood before it. They are valid until next is called again.
	name       string
	text       string
	attributes []attribute

	buffer []byte
	more   []byte   // of the text, after a comment or CDATA within it
	open   []string // the elements around
	closed bool     // the element was closed where it was opened: "<a/>"
	known  map[string]string
}

type attribute struct{ name, value string }

// An event is what the scanner met.
type event int

const (
	opens event = iota
	closes
)

const (
	maxToken = 16 << 20 // bytes of a tag, or of text
	maxOpen  = 64       // elements in each other
)

func newScanner(r io.Reader) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, 256<<10), known: map[string]string{}}
}

// next returns the next beginning or end of an element, io.EOF after the last.
func (s *scanner) next() (event, error) {
	if s.closed {
		s.closed, s.text = false, ""
		return closes, s.leave(s.name)
	}
	s.text, s.more = "", s.more[:0]
	e, err := s.scan()
	if len(s.more) > 0 {
		s.text += string(s.more)
	}
	return e, err
}

// scan reads up to the next beginning or end of an element.
func (s *scanner) scan() (event, error) {
	for {
		raw, err := s.until('<')
		if errors.Is(err, io.EOF) {
			return 0, s.end(raw)
		}
		if err != nil {
			return 0, err
		}
		if err := s.escaped(raw[:len(raw)-1]); err != nil {
			return 0, err
		}
		first, err := s.r.Peek(1)
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		switch first[0] {
		case '!':
			err = s.markup()
		case '?':
			err = s.through("?>")
		case '/':
			raw, err := s.until('>')
			if err != nil {
				return 0, unexpected(err)
			}
			s.name = s.intern(bytes.TrimSpace(raw[1 : len(raw)-1]))
			return closes, s.leave(s.name)
		default:
			return opens, s.element()
		}
		if err != nil {
			return 0, unexpected(err)
		}
	}
}

// end checks that nothing is missing.
func (s *scanner) end(rest []byte) error {
	if len(s.open) > 0 {
		return fmt.Errorf("%w: <%s> is not closed", io.ErrUnexpectedEOF, s.open[len(s.open)-1])
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("text follows the last element")
	}
	return io.EOF
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// until reads up to and including a byte.
func (s *scanner) until(delimiter byte) ([]byte, error) {
	raw, err := s.r.ReadSlice(delimiter)
	if !errors.Is(err, bufio.ErrBufferFull) {
		return raw, err
	}
	s.buffer = s.buffer[:0]
	for errors.Is(err, bufio.ErrBufferFull) {
		if s.buffer = append(s.buffer, raw...); len(s.buffer) > maxToken {
			return nil, fmt.Errorf("more than %d bytes without %q", maxToken, delimiter)
		}
		raw, err = s.r.ReadSlice(delimiter)
	}
	s.buffer = append(s.buffer, raw...)
	return s.buffer, err
}

// through passes over everything up to and including an end.
func (s *scanner) through(end string) error {
	_, err := s.upTo(end)
	return err
}

func (s *scanner) upTo(end string) ([]byte, error) {
	var all []byte
	for {
		raw, err := s.until(end[len(end)-1])
		if err != nil {
			return nil, err
		}
		if all = append(all, raw...); bytes.HasSuffix(all, []byte(end)) {
			return all[:len(all)-len(end)], nil
		}
		if len(all) > maxToken {
			return nil, fmt.Errorf("more than %d bytes without %q", maxToken, end)
		}
	}
}

// markup passes over a comment, and adds CDATA to the text.
func (s *scanner) markup() error {
	head, err := s.r.Peek(8)
	if bytes.HasPrefix(head, []byte("!--")) {
		if _, err := s.r.Discard(3); err != nil {
			return err
		}
		return s.through("-->")
	}
	if err != nil {
		return err
	}
	if string(head) != "![CDATA[" {
		return errors.New("a document type, which repository metadata has none of")
	}
	if _, err := s.r.Discard(len(head)); err != nil {
		return err
	}
	data, err := s.upTo("]]>")
	if err != nil {
		return err
	}
	return s.add(string(data))
}

// escaped adds to the text, entities replaced.
func (s *scanner) escaped(raw []byte) error {
	if s.text == "" && len(raw) < 32 && len(bytes.TrimSpace(raw)) == 0 {
		return nil // between elements
	}
	text, err := unescape(raw)
	if err != nil {
		return err
	}
	return s.add(text)
}

// add adds to the text.
func (s *scanner) add(text string) error {
	if s.text == "" {
		s.text = text
		return nil
	}
	if s.more = append(s.more, text...); len(s.more) > maxToken {
		return fmt.Errorf("a text of more than %d bytes", maxToken)
	}
	return nil
}

// element reads the beginning of an element.
func (s *scanner) element() error {
	raw, err := s.tag()
	if err != nil {
		return unexpected(err)
	}
	raw = raw[:len(raw)-1]
	if rest, ok := bytes.CutSuffix(raw, []byte("/")); ok {
		raw, s.closed = rest, true
	}
	end := bytes.IndexAny(raw, " \t\r\n")
	if end < 0 {
		end = len(raw)
	}
	s.name = s.intern(raw[:end])
	if s.name == "" || len(s.open) >= maxOpen {
		return fmt.Errorf("an element without a name, or more than %d in each other", maxOpen)
	}
	s.open = append(s.open, s.name)
	return s.attribute(raw[end:])
}

// tag reads up to ">", which may stand in a value.
func (s *scanner) tag() ([]byte, error) {
	raw, err := s.until('>')
	if err != nil {
		return nil, err
	}
	quote := inValue(0, raw)
	if quote == 0 {
		return raw, nil
	}
	all := bytes.Clone(raw)
	for quote != 0 {
		if len(all) > maxToken {
			return nil, fmt.Errorf("an element of more than %d bytes", maxToken)
		}
		if raw, err = s.until('>'); err != nil {
			return nil, err
		}
		all, quote = append(all, raw...), inValue(quote, raw)
	}
	return all, nil
}

// inValue returns the quote that is open after more of a tag, or 0; quote is
// the one that was open before.
func inValue(quote byte, more []byte) byte {
	for _, c := range more {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote
}

// attribute reads all attributes of an element.
func (s *scanner) attribute(raw []byte) error {
	s.attributes = s.attributes[:0]
	for {
		raw = bytes.TrimLeft(raw, " \t\r\n")
		if len(raw) == 0 {
			return nil
		}
		name, rest, ok := bytes.Cut(raw, []byte("="))
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return fmt.Errorf("<%s>: an attribute without a value", s.name)
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return fmt.Errorf("<%s>: an attribute without an end", s.name)
		}
		value, err := unescape(rest[1 : 1+end])
		if err != nil {
			return err
		}
		s.attributes = append(s.attributes, attribute{s.intern(bytes.TrimSpace(name)), value})
		raw = rest[2+end:]
	}
}

// leave ends the element called name.
func (s *scanner) leave(name string) error {
	last := len(s.open) - 1
	if last < 0 || s.open[last] != name {
		return fmt.Errorf("</%s> closes nothing", name)
	}
	s.open = s.open[:last]
	return nil
}

// intern returns a name without its prefix, the same string each time.
func (s *scanner) intern(raw []byte) string {
	if i := bytes.LastIndexByte(raw, ':'); i >= 0 {
		raw = raw[i+1:]
	}
	if name, ok := s.known[string(raw)]; ok {
		return name
	}
	name := string(raw)
	if len(s.known) < 1000 {
		s.known[name] = name
	}
	return name
}

// get returns the value of an attribute, or "".
func (s *scanner) get(name string) string {
	for _, a := range s.attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// skip passes over what is left of the element under way.
func (s *scanner) skip() error {
	for depth := 1; depth > 0; {
		e, err := s.next()
		if err != nil {
			return unexpected(err)
		}
		if depth--; e == opens {
			depth += 2
		}
	}
	return nil
}

// content returns the text of the element under way, which holds no other.
func (s *scanner) content() (string, error) {
	name := s.name
	e, err := s.next()
	if err != nil {
		return "", unexpected(err)
	}
	if e == opens {
		return "", fmt.Errorf("<%s> holds <%s>", name, s.name)
	}
	return strings.TrimSpace(s.text), nil
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// unescape replaces entities.
func unescape(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '&') < 0 {
		return string(raw), nil
	}
	var b strings.Builder
	for {
		before, after, found := bytes.Cut(raw, []byte("&"))
		b.Write(before)
		if !found {
			return b.String(), nil
		}
		name, rest, ok := bytes.Cut(after, []byte(";"))
		if value, known := entities[string(name)]; ok && known {
			b.WriteString(value)
		} else if c, valid := reference(name); ok && valid {
			b.WriteRune(c)
		} else {
			return "", fmt.Errorf("the entity &%.20s; is not known", name)
		}
		raw = rest
	}
}

// reference reads "#65" or "#x41".
func reference(name []byte) (rune, bool) {
	digits, base := strings.TrimPrefix(string(name), "#"), 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && len(name) > 0 && name[0] == '#' && n > 0 && utf8.ValidRune(rune(n))
}
