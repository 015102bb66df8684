// Package ruby reads what a Ruby script requires and runs, from its tokens
// (Kernel#require, #require_relative, #load, #autoload; RubyGems' gem).
package ruby

import (
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"#"}, Letters: "$@:?!", Heredocs: true, Regexps: true,
		Quotes:    []token.Quote{{Open: `"`, Close: `"`}, {Open: `'`, Close: `'`}, {Open: "`", Close: "`"}},
		Documents: [][2]string{{"=begin", "=end"}},
		End:       []string{"__END__"},
	}
}

// Read returns what a script refers to, in its order.
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
	begins []int // the numbers of references before each begin that may be rescued
}

func (r *reader) peek(n int) token.Token {
	if i := r.at + n; i >= 0 && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token.Token{}
}

// maxBegins bounds how deep begin is followed.
const maxBegins = 200

func (r *reader) token() {
	t := r.tokens[r.at]
	before := r.peek(-1)
	switch {
	case t.Kind == token.Text && t.Quote == "`":
		r.command(t.Text, t.Line)
	case t.Kind != token.Name || before.Is(".") || before.Is("def"):
		if before.Is(".") {
			r.method(t)
		}
	case t.Text == "begin" && t.First && len(r.begins) < maxBegins:
		r.begins = append(r.begins, len(r.All))
	case t.Text == "rescue" && t.First && len(r.begins) > 0:
		r.rescue()
	case t.Text == "rescue": // a modifier: require "x" rescue nil
		r.modifier(t)
	default:
		r.call(t)
	}
}

// rescue makes optional what the begin before it requires, where LoadError is
// caught.
func (r *reader) rescue() {
	first := r.begins[len(r.begins)-1]
	r.begins = r.begins[:len(r.begins)-1]
	for n := 1; n < 12; n++ {
		t := r.peek(n)
		if t.First || t.Kind == 0 {
			break
		}
		if t.Is("LoadError") || t.Is("Exception") || t.Is("Gem::LoadError") || t.Is("ScriptError") || t.Is("::LoadError") {
			for i := first; i < len(r.All); i++ {
				r.All[i].Optional = true
			}
		}
	}
}

func (r *reader) modifier(t token.Token) {
	for i := len(r.All) - 1; i >= 0 && r.All[i].Line == t.Line; i-- {
		r.All[i].Optional = true
	}
}

// argument returns the nth literal argument of the call, 1 being the first.
func (r *reader) argument(n int) token.Token {
	i := 1
	for r.peek(i).Is("(") {
		i++
	}
	for ; n > 1; n-- {
		for i < 20 && !r.peek(i).Is(",") {
			if t := r.peek(i); t.First || t.Kind == 0 {
				return token.Token{}
			}
			i++
		}
		i++
	}
	return r.peek(i)
}

func (r *reader) call(t token.Token) {
	arg := r.argument(1)
	late := t.Indent > 0 && !t.First
	switch t.Text {
	case "require", "load":
		r.file(t, arg, "", late)
	case "require_relative":
		r.file(t, arg, "./", late)
	case "autoload":
		r.file(t, r.argument(2), "", true)
	case "gem":
		if arg.Kind == token.Text && isPlain(arg) {
			r.Add(imports.Reference{Kind: imports.Metadata, Name: arg.Text, Line: t.Line})
		}
	case "system", "exec", "spawn":
		if arg.Kind == token.Text {
			r.command(arg.Text, t.Line)
		}
	}
}

func (r *reader) method(t token.Token) {
	owner, arg := r.peek(-2), r.argument(1)
	switch {
	case t.Text == "activate_bin_path" || t.Text == "bin_path":
		if arg.Kind == token.Text {
			r.Add(imports.Reference{Kind: imports.Metadata, Name: arg.Text, Line: t.Line, Names: []string{"bin"}})
		}
	case t.Text == "require" && (owner.Is("Kernel") || owner.Is("Bundler")), t.Text == "autoload" && owner.Is("self"):
		if t.Text == "autoload" {
			arg = r.argument(2)
		}
		r.file(t, arg, "", true)
	case owner.Is("Open3") || owner.Is("IO") && t.Text == "popen" || owner.Is("Process") && t.Text == "spawn":
		if arg.Kind == token.Text {
			r.command(arg.Text, t.Line)
		}
	}
}

// isPlain reports whether nothing is computed in a text.
func isPlain(t token.Token) bool { return t.Quote == "'" || !strings.Contains(t.Text, "#{") }

// file takes a file that is required.
func (r *reader) file(t, arg token.Token, prefix string, late bool) {
	switch {
	case arg.Kind == token.Text && isPlain(arg):
		name := arg.Text
		if prefix != "" && !strings.HasPrefix(name, "/") {
			name = prefix + name
		}
		kind := imports.Module
		if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
			kind = imports.File
		}
		r.Add(imports.Reference{Kind: kind, Name: name, Line: t.Line, Late: late})
	case arg.Is("File") || arg.Is("File::") || strings.HasPrefix(arg.Text, "File"):
		r.joined(t)
	case arg.Kind == token.Text, arg.Kind == token.Name && !arg.First && arg.Text != "do" && arg.Text != "if" && arg.Text != "unless":
		r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + " " + arg.Text, Line: t.Line, Late: late})
	}
}

// joined reads File.join(__dir__, "x") and File.expand_path("../x", __FILE__).
func (r *reader) joined(t token.Token) {
	var parts []string
	own, from := false, ""
	for n := 1; n < 20; n++ {
		a := r.peek(n)
		if a.First || a.Kind == 0 {
			break
		}
		switch {
		case a.Is("__dir__"), a.Is("dirname"):
			own = true
		case a.Is("__FILE__") && !own:
			own, from = true, ".."
		case a.Kind == token.Text && isPlain(a):
			parts = append(parts, a.Text)
		}
	}
	if !own || len(parts) == 0 {
		r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + " File…", Line: t.Line})
		return
	}
	name := strings.TrimPrefix(strings.Join(parts, "/"), "/")
	if from != "" { // expand_path counts from the file, not from its directory
		name = strings.TrimPrefix(name, "../")
	}
	r.Add(imports.Reference{Kind: imports.File, Name: "./" + name, Line: t.Line})
}

func (r *reader) command(text string, line int) {
	words := strings.Fields(text)
	if len(words) == 0 || strings.ContainsAny(words[0], "#{}$*?~<>|&;()`'\"=") || strings.HasPrefix(words[0], "-") {
		return
	}
	r.Add(imports.Reference{Kind: imports.Command, Name: words[0], Line: line})
}
