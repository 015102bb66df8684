// Package token cuts the text of a script into names, literal texts and marks:
// as much of a language's grammar as it takes to find what a script imports.
// Comments, documentation and here-documents are passed over. A text that is
// not closed ends with its line, unless the language says otherwise, so that
// whatever is misread is over at the next line.
package token

import "strings"

// A Kind is what a token is.
type Kind uint8

// The kinds of tokens.
const (
	Name Kind = iota + 1 // an identifier or a number
	Text                 // a literal text, without its quotes
	Mark                 // any other character
)

// A Token is a piece of a script.
type Token struct {
	Kind Kind
	Text string
	Line int
	// First says that it is the first of its line, Indent how far that is
	// indented.
	First  bool
	Indent int
	// Prefix are the letters before the quote of a text, in lower case, and Quote is its
	// opening delimiter.
	Prefix, Quote string
}

// Is reports whether the token is a name or a mark with this text.
func (t Token) Is(text string) bool { return t.Kind != Text && t.Text == text }

// A Quote is how a literal text is written.
type Quote struct {
	Open, Close string
	// Lines says that the text may hold line ends, Raw that a backslash means
	// itself.
	Lines, Raw bool
}

// A Language says how a script is to be cut.
type Language struct {
	Comments []string    // that end with their line
	Blocks   [][2]string // comments with an end
	Quotes   []Quote     // the longest of those that begin alike comes first
	// Letters are the characters that names may hold beside a-z, 0-9 and "_".
	Letters string
	// Prefixes says that letters directly before a quote belong to the text.
	Prefixes bool
	// Continues says that a backslash at the end of a line joins the next one.
	Continues bool
	// Heredocs says that "<<NAME" begins a document, which ends at that name.
	Heredocs bool
	// Regexps says that a slash where an operand is expected begins a regular
	// expression.
	Regexps bool
	// Documents are what a line begins with that begins documentation, and what
	// the line begins with that ends it.
	Documents [][2]string
	// End are lines after which nothing of the script follows.
	End []string
}

// maxTokens bounds the tokens of one script.
const maxTokens = 1 << 20

// Split cuts a script into tokens.
func (l Language) Split(src []byte) []Token {
	s := splitter{Language: l, src: string(src), line: 1, fresh: true}
	for s.at < len(s.src) && len(s.tokens) < maxTokens {
		s.step()
	}
	return s.tokens
}

type splitter struct {
	Language
	src    string
	at     int
	line   int
	fresh  bool // at the beginning of a line
	indent int
	ends   []string // of the here-documents that begin after this line
	tokens []Token
}

func (s *splitter) has(text string) bool {
	return text != "" && strings.HasPrefix(s.src[s.at:], text)
}

// step reads one piece.
func (s *splitter) step() {
	c := s.src[s.at]
	switch {
	case c == '\n':
		s.newline()
	case s.fresh && s.document():
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		if s.at++; s.fresh {
			s.indent++
			if c == '\t' {
				s.indent += 7 - (s.indent-1)%8
			}
		}
	case c == '\\' && s.Continues && s.at+1 < len(s.src) && s.src[s.at+1] == '\n':
		s.at, s.line = s.at+2, s.line+1
	case s.comment(), s.quoted(""), s.heredoc(), s.regexp():
	case s.isLetter(c):
		s.name()
	default:
		s.at++
		s.add(Token{Kind: Mark, Text: s.src[s.at-1 : s.at]}, s.line)
	}
}

func (s *splitter) newline() {
	s.at, s.line, s.fresh, s.indent = s.at+1, s.line+1, true, 0
	for _, end := range s.ends {
		s.skipDocument(end)
	}
	s.ends = nil
	for _, end := range s.End {
		if s.has(end) && (s.at+len(end) == len(s.src) || strings.IndexByte("\r\n \t", s.src[s.at+len(end)]) >= 0) {
			s.at = len(s.src)
			return
		}
	}
}

func (s *splitter) add(t Token, line int) {
	t.Line, t.First, t.Indent = line, s.fresh, s.indent
	s.fresh = false
	s.tokens = append(s.tokens, t)
}

func (s *splitter) isLetter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || strings.IndexByte(s.Letters, c) >= 0
}

func (s *splitter) name() {
	begin := s.at
	for s.at < len(s.src) && s.isLetter(s.src[s.at]) {
		s.at++
	}
	text := s.src[begin:s.at]
	if s.Prefixes && len(text) <= 2 && s.at < len(s.src) && s.quoted(strings.ToLower(text)) {
		return
	}
	s.add(Token{Kind: Name, Text: text}, s.line)
}

// comment passes over a comment, and reports whether there was one.
func (s *splitter) comment() bool {
	for _, c := range s.Comments {
		if s.has(c) {
			if end := strings.IndexByte(s.src[s.at:], '\n'); end >= 0 {
				s.at += end
			} else {
				s.at = len(s.src)
			}
			return true
		}
	}
	for _, b := range s.Blocks {
		if s.has(b[0]) {
			s.skip(len(b[0]), b[1])
			return true
		}
	}
	return false
}

// skip passes over what ends with a text.
func (s *splitter) skip(begin int, end string) {
	rest := s.src[min(len(s.src), s.at+begin):]
	length := strings.Index(rest, end)
	if length < 0 {
		length = len(rest)
	} else {
		length += len(end)
	}
	s.line += strings.Count(s.src[s.at:s.at+begin+length], "\n")
	s.at += begin + length
}

// quoted reads a literal text, and reports whether there was one.
func (s *splitter) quoted(prefix string) bool {
	for _, q := range s.Quotes {
		if !s.has(q.Open) {
			continue
		}
		raw := q.Raw || strings.Contains(prefix, "r")
		begin, line := s.at+len(q.Open), s.line
		end, next := s.closing(q, begin, raw)
		text := s.src[begin:end]
		if raw || strings.IndexByte(text, '\\') < 0 {
			s.add(Token{Kind: Text, Text: text, Prefix: prefix, Quote: q.Open}, line)
		} else {
			s.add(Token{Kind: Text, Text: unescaped(text), Prefix: prefix, Quote: q.Open}, line)
		}
		s.at, s.line = next, s.line+strings.Count(s.src[begin:next], "\n")
		return true
	}
	return false
}

// closing returns where a text ends and where the script goes on.
func (s *splitter) closing(q Quote, at int, raw bool) (end, next int) {
	for ; at < len(s.src); at++ {
		switch c := s.src[at]; {
		case c == '\\' && (!q.Raw || raw && !q.Raw) && at+1 < len(s.src):
			at++
		case c == '\n' && !q.Lines:
			return at, at
		case c == q.Close[0] && strings.HasPrefix(s.src[at:], q.Close):
			return at, at + len(q.Close)
		}
	}
	return len(s.src), len(s.src)
}

// unescaped takes backslashes away; those that stand for characters which no
// name holds become blanks.
func unescaped(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		if i++; strings.IndexByte("abfnrtvx0\n", text[i]) >= 0 {
			b.WriteByte(' ')
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// heredoc notes a document that begins after the line.
func (s *splitter) heredoc() bool {
	if !s.Heredocs || !s.has("<<") {
		return false
	}
	rest := s.src[s.at+2 : min(len(s.src), s.at+80)]
	n := 0
	for n < len(rest) && strings.IndexByte("<~-", rest[n]) >= 0 {
		n++
	}
	quote := byte(0)
	if n < len(rest) && strings.IndexByte(`"'`, rest[n]) >= 0 {
		quote, n = rest[n], n+1
	}
	begin := n
	for n < len(rest) && (rest[n] == '_' || rest[n] >= 'A' && rest[n] <= 'Z' || n > begin && rest[n] >= '0' && rest[n] <= '9' || quote != 0 && rest[n] >= 'a' && rest[n] <= 'z') {
		n++
	}
	if n == begin {
		return false
	}
	s.ends = append(s.ends, rest[begin:n])
	if quote != 0 && n < len(rest) && rest[n] == quote {
		n++
	}
	s.at += 2 + n
	s.add(Token{Kind: Mark, Text: "<<"}, s.line)
	return true
}

// skipDocument passes over the lines up to one that holds the end alone. A
// document without an end is none.
func (s *splitter) skipDocument(end string) {
	for at, line := s.at, s.line; at < len(s.src); {
		length := strings.IndexByte(s.src[at:], '\n') + 1
		if length == 0 {
			length = len(s.src) - at
		}
		text := strings.TrimRight(strings.TrimSpace(s.src[at:at+length]), ";,)")
		at, line = at+length, line+1
		if text == end {
			s.at, s.line = at, line
			return
		}
	}
}

// document passes over documentation that begins with a line.
func (s *splitter) document() bool {
	if s.indent > 0 {
		return false
	}
	for _, d := range s.Documents {
		if s.at > 0 && s.src[s.at-1] != '\n' || !s.has(d[0]) {
			continue
		}
		rest := s.src[s.at:]
		length := strings.Index(rest, "\n"+d[1])
		if length < 0 {
			length = len(rest)
		} else if end := strings.IndexByte(rest[length+1:], '\n'); end >= 0 {
			length += 1 + end
		} else {
			length = len(rest)
		}
		s.line += strings.Count(rest[:length], "\n")
		s.at += length
		return true
	}
	return false
}

// regexp passes over a regular expression.
func (s *splitter) regexp() bool {
	if !s.Regexps || s.src[s.at] != '/' || !s.operand() {
		return false
	}
	class := false
	for at := s.at + 1; at < len(s.src) && s.src[at] != '\n'; at++ {
		switch s.src[at] {
		case '\\':
			at++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				s.at = at + 1
				s.add(Token{Kind: Mark, Text: "/"}, s.line)
				return true
			}
		}
	}
	return false
}

// operand reports whether an operand may follow what was read last.
func (s *splitter) operand() bool {
	if len(s.tokens) == 0 {
		return true
	}
	last := s.tokens[len(s.tokens)-1]
	switch last.Kind {
	case Mark:
		return last.Text != ")" && last.Text != "]" && last.Text != "}"
	case Name:
		return last.Text == "return" || last.Text == "typeof" || last.Text == "case" || last.Text == "and" || last.Text == "or" || last.Text == "if" || last.Text == "when"
	}
	return false
}
