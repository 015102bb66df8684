// Package perl reads what a Perl script or module loads and runs, from its
// tokens (perlfunc(1) "use", "require", "do"; perlmod(1)). Perl cannot be
// parsed without being run; what begins a statement can be found.
package perl

import (
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"#"}, Letters: "$@%&:\\", Heredocs: true,
		Quotes: []token.Quote{{Open: `"`, Close: `"`}, {Open: `'`, Close: `'`}, {Open: "`", Close: "`"}},
		Documents: [][2]string{
			{"=pod", "=cut"}, {"=head", "=cut"}, {"=encoding", "=cut"}, {"=over", "=cut"}, {"=item", "=cut"}, {"=begin", "=cut"}, {"=for", "=cut"},
		},
		End: []string{"__END__", "__DATA__"},
	}
}

// Read returns what a script refers to, in its order. A module's name is as in
// "use": A::B.
func Read(src []byte) []imports.Reference {
	if len(src) > imports.MaxSize {
		return []imports.Reference{{Kind: imports.Computed, Name: "a script of more than 4 MB", Line: 1}}
	}
	r := reader{tokens: language().Split(src)}
	for r.at = range r.tokens {
		r.token()
	}
	return r.Compact()
}

type reader struct {
	imports.List
	tokens []token.Token
	at     int
	eval   int // the depth of braces in which an eval began, plus one
	depth  int
	subs   []int // the depths in which subroutines began
	named  bool  // a subroutine's name was read, its body not
}

func (r *reader) peek(n int) token.Token {
	if i := r.at + n; i >= 0 && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token.Token{}
}

// token looks at one token.
func (r *reader) token() {
	t := r.tokens[r.at]
	switch {
	case t.Is("{"):
		r.open()
	case t.Is("}"):
		r.close()
	case t.Kind == token.Text && t.Quote == "`":
		r.command(t.Text, t.Line, false)
	case t.Kind != token.Name || !r.begins():
	case t.Text == "sub":
		r.named = true
	case t.Text == "use" || t.Text == "no":
		r.use(t)
	case t.Text == "require" || t.Text == "do":
		r.require(t)
	default:
		r.call(t)
	}
}

func (r *reader) open() {
	r.depth++
	if before := r.peek(-1); (before.Is("eval") || before.Is("try")) && r.eval == 0 {
		r.eval = r.depth
	}
	if r.named {
		r.subs, r.named = append(r.subs, r.depth), false
	}
}

func (r *reader) close() {
	if r.eval == r.depth {
		r.eval = 0
	}
	if n := len(r.subs); n > 0 && r.subs[n-1] == r.depth {
		r.subs = r.subs[:n-1]
	}
	r.depth--
}

// begins reports whether the token can be a function's name: it is no method,
// no key of a hash and no part of a declaration.
func (r *reader) begins() bool {
	before := r.peek(-1)
	if before.Is(">") && r.peek(-2).Is("-") || before.Is("sub") || before.Is("{") && r.peek(1).Is("}") {
		return false
	}
	return !(r.peek(1).Is("=") && r.peek(2).Is(">"))
}

func (r *reader) add(kind imports.Kind, name string, line int, optional bool) {
	r.Add(imports.Reference{Kind: kind, Name: name, Line: line, Optional: optional || r.eval > 0, Late: len(r.subs) > 0})
}

// isModule reports whether a name is one of a module: it begins with a letter
// and holds no sigil.
func isModule(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' || strings.HasPrefix(name, ":") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && c != ':' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// use reads "use Module LIST" and the pragmas that load modules.
func (r *reader) use(t token.Token) {
	module := r.peek(1)
	if module.Kind != token.Name || !isModule(module.Text) || isVersion(module.Text) {
		return
	}
	name := module.Text
	if name == "if" { // use if CONDITION, MODULE => ARGUMENTS
		for _, word := range r.words(2) {
			if isModule(word) && word[0] >= 'A' && word[0] <= 'Z' {
				r.Add(imports.Reference{Kind: imports.Module, Name: word, Line: t.Line, Late: true})
			}
		}
		return
	}
	if t.Text == "use" {
		r.add(imports.Module, name, t.Line, false)
	}
	switch name {
	case "base", "parent", "aliased", "autouse", "superclass":
		for _, word := range r.words(2) {
			if word == "-norequire" {
				return
			}
			if isModule(word) {
				r.add(imports.Module, word, t.Line, false)
			}
		}
	case "lib":
		for _, word := range r.words(2) {
			r.add(imports.Directory, word, t.Line, false)
		}
	case "Module::Pluggable", "Module::Find":
		r.add(imports.Computed, "use "+name, t.Line, false)
	}
}

func isVersion(name string) bool {
	return len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9'
}

// words returns the literal words up to the end of the statement, those of
// qw(…) too.
func (r *reader) words(from int) []string {
	var words []string
	for i := from; i < from+200; i++ {
		t := r.peek(i)
		switch {
		case t.Kind == 0 || t.Is(";"):
			return words
		case t.Kind == token.Text:
			words = append(words, t.Text)
		case t.Kind == token.Name && strings.IndexByte("$@%&", t.Text[0]) < 0 && t.Text != "qw":
			if before := r.peek(i - 1); before.Is("-") {
				words = append(words, "-"+t.Text)
			} else {
				words = append(words, t.Text)
			}
		}
	}
	return words
}

// require reads "require Module", "require 'file'" and "do 'file'".
func (r *reader) require(t token.Token) {
	what := r.peek(1)
	for what.Is("(") {
		what = r.peek(2)
	}
	switch {
	case what.Kind == token.Text && !strings.Contains(what.Text, "$"):
		r.add(imports.File, what.Text, t.Line, t.Text == "do")
	case t.Text == "do":
	case what.Kind == token.Name && isModule(what.Text) && !isVersion(what.Text):
		r.add(imports.Module, what.Text, t.Line, false)
	case what.Kind == token.Name && what.Text[0] == '$', what.Kind == token.Text:
		r.Add(imports.Reference{Kind: imports.Computed, Name: "require " + what.Text, Line: t.Line, Late: len(r.subs) > 0})
	}
}

// call reads functions that load modules or run programs.
func (r *reader) call(t token.Token) {
	i := 1
	for r.peek(i).Is("(") {
		i++
	}
	arg := r.peek(i)
	switch t.Text {
	case "eval":
		r.evaluated(arg, t.Line)
	case "system", "exec":
		if arg.Kind == token.Text && strings.IndexByte(`"'`, arg.Quote[0]) >= 0 {
			r.command(arg.Text, t.Line, false)
		}
	case "qx":
		if arg.Kind == token.Name {
			r.command(arg.Text, t.Line, false)
		}
	case "load_class", "use_module", "require_module", "load_first_existing_class", "try_load_class", "load_module":
		if arg.Kind == token.Text && isModule(arg.Text) {
			r.add(imports.Module, arg.Text, t.Line, strings.HasPrefix(t.Text, "try"))
		} else {
			r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + "(…)", Line: t.Line, Late: true})
		}
	case "find_modules", "find_packages", "findsubmod", "findallmod":
		r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + "(…)", Line: t.Line, Late: true})
	}
}

// evaluated reads a text that is evaluated: "require Module" or "use Module".
func (r *reader) evaluated(arg token.Token, line int) {
	if arg.Kind != token.Text {
		return
	}
	for statement := range strings.SplitSeq(arg.Text, ";") {
		words := strings.Fields(statement)
		if len(words) < 2 || words[0] != "use" && words[0] != "require" {
			continue
		}
		name := strings.Trim(words[1], `"'()`)
		if isModule(name) && !isVersion(name) {
			r.add(imports.Module, name, line, true)
		} else if strings.Contains(name, "$") {
			r.Add(imports.Reference{Kind: imports.Computed, Name: "eval " + words[0] + " " + name, Line: line, Late: len(r.subs) > 0})
		}
	}
}

// command takes the program of a command line.
func (r *reader) command(text string, line int, optional bool) {
	words := strings.Fields(text)
	if len(words) == 0 || strings.ContainsAny(words[0], "$@{}*?~<>|&;()`'\"=\\") || strings.HasPrefix(words[0], "-") {
		return
	}
	r.add(imports.Command, words[0], line, optional)
}
