package control

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxParagraph bounds the bytes of one paragraph. The largest that are met,
// the Release files of whole distributions, are under 1 MiB.
const MaxParagraph = 8 << 20

// maxFields bounds the fields of one paragraph.
const maxFields = 10000

// A Reader reads paragraphs one after the other and holds one at a time.
type Reader struct {
	in   *bufio.Reader
	line int // lines read
	text []byte
}

// NewReader returns a Reader of the paragraphs in r.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the next paragraph, or io.EOF after the last. Comments (lines
// that begin with "#") are left out, lines may end in CR LF. Other errors name
// the line and end the reading.
func (r *Reader) Next() (Paragraph, error) {
	first, err := r.collect()
	if err != nil {
		return nil, err
	}
	return parse(string(r.text), first)
}

// collect puts the lines of one paragraph into r.text and returns the number
// of its first line.
func (r *Reader) collect() (first int, err error) {
	r.text = r.text[:0]
	for {
		blank, err := r.appendLine()
		if errors.Is(err, io.EOF) && len(r.text) > 0 {
			blank, err = true, nil
		}
		switch {
		case err != nil:
			return 0, err
		case blank && len(r.text) > 0:
			return first, nil
		case first == 0 && len(r.text) > 0:
			first = r.line
		}
	}
}

// appendLine appends the next line, with a line feed, unless it is blank or a
// comment. io.EOF comes after the last line.
func (r *Reader) appendLine() (blank bool, err error) {
	start := len(r.text)
	for {
		part, err := r.in.ReadSlice('\n')
		r.text = append(r.text, part...)
		if len(r.text) > MaxParagraph {
			return false, fmt.Errorf("line %d: paragraph of more than %d bytes", r.line+1, MaxParagraph)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(r.text) == start) {
			return false, err
		}
		break
	}
	r.line++
	line := bytes.TrimRight(r.text[start:], " \t\r\n")
	comment := len(line) > 0 && line[0] == '#'
	if len(line) == 0 || comment {
		r.text = r.text[:start]
		return !comment, nil
	}
	r.text = append(r.text[:start+len(line)], '\n')
	return false, nil
}

// Parse reads one paragraph as String writes it, without the cost of a Reader.
func Parse(text string) (Paragraph, error) { return parse(text, 1) }

// parse splits the text of a paragraph, which begins at that line, into
// fields. The fields share the text's memory.
func parse(text string, line int) (Paragraph, error) {
	p := make(Paragraph, 0, min(strings.Count(text, "\n"), 32))
	for ; text != ""; line++ {
		end := fieldEnd(text)
		name, value, found := strings.Cut(text[:end], ":")
		switch {
		case !found || !fieldName(name):
			return nil, fmt.Errorf("line %d: %.60q is no field: want NAME: VALUE", line, firstLine(text))
		case len(p) == maxFields:
			return nil, fmt.Errorf("line %d: paragraph of more than %d fields", line, maxFields)
		}
		p = append(p, Field{Name: name, Value: strings.TrimRight(strings.TrimLeft(value, " \t"), " \t\n")})
		line += strings.Count(text[:end], "\n") - 1
		text = text[end:]
	}
	return p, nil
}

// fieldEnd returns the end of the first field: of the first line feed that no
// continuation line follows.
func fieldEnd(text string) int {
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '\n')
		if n < 0 {
			return len(text)
		}
		if i += n + 1; i == len(text) || text[i] != ' ' && text[i] != '\t' {
			return i
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// fieldName tells whether a field can have the name: printable ASCII without
// space and colon, and no "#" or "-" first (deb822(5)).
func fieldName(s string) bool {
	if s == "" || s[0] == '#' || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return true
}
