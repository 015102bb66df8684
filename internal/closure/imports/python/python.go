// Package python reads what a Python script imports and runs, from its tokens
// (The Python Language Reference, chapters 2 and 5, "The import system").
package python

import (
	"slices"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"#"}, Prefixes: true, Continues: true,
		Quotes: []token.Quote{
			{Open: `"""`, Close: `"""`, Lines: true}, {Open: `'''`, Close: `'''`, Lines: true}, {Open: `"`, Close: `"`}, {Open: `'`, Close: `'`},
		},
	}
}

// Read returns what a script refers to, in its order. A module's name begins
// with dots where it is relative.
func Read(src []byte) []imports.Reference {
	if len(src) > imports.MaxSize {
		return []imports.Reference{{Kind: imports.Computed, Name: "a script of more than 4 MB", Line: 1}}
	}
	r := reader{tokens: language().Split(src)}
	for r.at < len(r.tokens) {
		r.statement()
	}
	return r.Compact()
}

// A block is a compound statement under way.
type block struct {
	indent int
	word   string // try, except, def, if, …
	// skipped says that the block is for type checkers only.
	skipped bool
	// first is the number of the references before it.
	first int
}

type reader struct {
	imports.List
	tokens []token.Token
	at     int
	blocks []block
	closed block // the try block that ended last
	until  int   // references before the end of that
}

// peek returns a token ahead.
func (r *reader) peek(n int) token.Token {
	if r.at+n < len(r.tokens) {
		return r.tokens[r.at+n]
	}
	return token.Token{}
}

// statement reads one logical line, or one statement of several on a line.
func (r *reader) statement() {
	first := r.tokens[r.at]
	if first.First {
		r.leave(first.Indent)
	}
	end := r.end()
	switch {
	case first.Is("import"):
		r.importModules(end)
	case first.Is("from"):
		r.fromModule(end)
	case first.Kind == token.Name && isCompound(first.Text):
		if r.compound(first, end) {
			return
		}
	}
	r.calls(end)
	r.at = end
}

// end returns where the statement ends: at a semicolon, or at a line that no
// bracket joins to it.
func (r *reader) end() int {
	depth := 0
	for i := r.at; i < len(r.tokens); i++ {
		t := r.tokens[i]
		if i > r.at && depth <= 0 && t.First {
			return i
		}
		if t.Kind != token.Mark {
			continue
		}
		switch t.Text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
		case ";":
			if depth <= 0 {
				return i + 1
			}
		}
	}
	return len(r.tokens)
}

// leave ends the blocks that a line of an indentation does not belong to.
func (r *reader) leave(indent int) {
	for len(r.blocks) > 0 && r.blocks[len(r.blocks)-1].indent >= indent {
		last := r.blocks[len(r.blocks)-1]
		r.blocks = r.blocks[:len(r.blocks)-1]
		if last.word == "try" {
			r.closed, r.until = last, len(r.All)
		}
	}
}

func isCompound(word string) bool {
	switch word {
	case "try", "except", "finally", "else", "elif", "if", "def", "class", "while", "for", "with", "async", "match", "case":
		return true
	}
	return false
}

// maxBlocks bounds how deep blocks are followed.
const maxBlocks = 200

// compound begins a block, and reports whether a statement follows on the same
// line. Its header is looked through for calls.
func (r *reader) compound(first token.Token, end int) (more bool) {
	word := first.Text
	if word == "async" {
		word = r.peek(1).Text
	}
	colon, depth := -1, 0
	for i := r.at; i < end && colon < 0; i++ {
		switch t := r.tokens[i]; {
		case t.Kind != token.Mark:
		case t.Text == "(" || t.Text == "[" || t.Text == "{":
			depth++
		case t.Text == ")" || t.Text == "]" || t.Text == "}":
			depth--
		case t.Text == ":" && depth == 0:
			colon = i
		}
	}
	if colon < 0 {
		return false // a name such as "match", not a statement
	}
	header := r.tokens[r.at:colon]
	if word == "except" && catchesImports(header) && r.closed.indent == first.Indent {
		for i := r.closed.first; i < min(r.until, len(r.All)); i++ {
			r.All[i].Optional = true
		}
	}
	if len(r.blocks) < maxBlocks {
		skipped := (word == "if" || word == "elif") && slices.ContainsFunc(header, func(t token.Token) bool { return t.Is("TYPE_CHECKING") })
		r.blocks = append(r.blocks, block{indent: first.Indent, word: word, skipped: skipped, first: len(r.All)})
	}
	r.calls(colon)
	r.at = colon + 1
	return true
}

// catchesImports reports whether an except clause is for modules that are
// missing.
func catchesImports(header []token.Token) bool {
	return len(header) == 1 || slices.ContainsFunc(header, func(t token.Token) bool {
		return t.Is("ImportError") || t.Is("ModuleNotFoundError") || t.Is("Exception") || t.Is("BaseException")
	})
}

// add takes a reference as the blocks around it have it.
func (r *reader) add(ref imports.Reference) {
	for _, b := range r.blocks {
		switch {
		case b.skipped:
			return
		case b.word == "except":
			ref.Optional = true
		case b.word == "def" || b.word == "if" || b.word == "elif" || b.word == "else":
			ref.Late = true
		}
	}
	r.Add(ref)
}

// importModules reads "import a.b as c, d".
func (r *reader) importModules(end int) {
	line := r.tokens[r.at].Line
	for i := r.at + 1; i < end; {
		var name string
		name, i = dotted(r.tokens, i, end)
		r.add(imports.Reference{Kind: imports.Module, Name: name, Line: line})
		for i < end && !r.tokens[i].Is(",") {
			i++
		}
		i++
	}
}

// fromModule reads "from .a import b as c, d" and "from a import (b, c)".
func (r *reader) fromModule(end int) {
	line := r.tokens[r.at].Line
	name, i := dotted(r.tokens, r.at+1, end)
	if i >= end || !r.tokens[i].Is("import") {
		return
	}
	var names []string
	fresh := true
	for i++; i < end; i++ {
		switch t := r.tokens[i]; {
		case t.Is("("), t.Is(")"), t.Is(";"):
		case t.Is(","):
			fresh = true
		case fresh && (t.Kind == token.Name || t.Is("*")):
			names, fresh = append(names, t.Text), false
		}
	}
	r.add(imports.Reference{Kind: imports.Module, Name: name, Names: names, Line: line})
}

// dotted reads the name of a module.
func dotted(tokens []token.Token, at, end int) (string, int) {
	var b strings.Builder
	for afterName := false; at < end; at++ {
		t := tokens[at]
		if t.Is(".") {
			b.WriteByte('.')
			afterName = false
			continue
		}
		if t.Kind != token.Name || afterName || t.Text == "import" {
			break
		}
		b.WriteString(t.Text)
		afterName = true
	}
	return b.String(), at
}
