// Package php reads what a PHP script includes and runs, from its tokens (PHP
// Manual, "include", "require", "Program execution").
package php

import (
	"path"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"//", "#"}, Blocks: [][2]string{{"/*", "*/"}}, Letters: `$\`,
		Quotes: []token.Quote{{Open: `"`, Close: `"`}, {Open: `'`, Close: `'`}, {Open: "`", Close: "`"}},
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
}

func (r *reader) peek(n int) token.Token {
	if i := r.at + n; i >= 0 && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token.Token{}
}

func (r *reader) token() {
	t := r.tokens[r.at]
	if t.Kind != token.Name || r.peek(-1).Is(">") || r.peek(-1).Is("function") {
		return
	}
	switch strings.ToLower(t.Text) {
	case "require", "require_once", "include", "include_once":
		r.file(t)
	case "exec", "shell_exec", "system", "passthru", "proc_open", "popen":
		arg := r.peek(2)
		words := strings.Fields(arg.Text)
		if r.peek(1).Is("(") && arg.Kind == token.Text && len(words) > 0 && !strings.ContainsAny(words[0], "${}*?~<>|&;()`'\"=") {
			r.Add(imports.Reference{Kind: imports.Command, Name: words[0], Line: t.Line, Late: true})
		}
	case "extension_loaded", "function_exists", "class_exists":
	}
}

// maxParts bounds how many parts of a path are looked at.
const maxParts = 24

// file reads a path that is put together of literal texts, __DIR__ and
// dirname(__FILE__).
func (r *reader) file(t token.Token) {
	var name strings.Builder
	own, up := false, 0
	for n := 1; n < maxParts; n++ {
		a := r.peek(n)
		switch {
		case a.Is(";") || a.Kind == 0 || a.Is("?") || a.Is("}"):
			r.path(t, name.String(), own, up)
			return
		case a.Is("(") || a.Is(")") || a.Is(".") || a.Is(","):
		case a.Is("dirname"):
			up++
		case a.Is("__DIR__"):
			own = true
		case a.Is("__FILE__"):
			own, up = true, up-1
		case a.Kind == token.Text && (a.Quote == "'" || !strings.Contains(a.Text, "$")):
			name.WriteString(a.Text)
		default:
			r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + " " + a.Text, Line: t.Line})
			return
		}
	}
}

func (r *reader) path(t token.Token, name string, own bool, up int) {
	switch {
	case name == "":
		return
	case own:
		name = path.Join(strings.Repeat("../", max(0, up)), name)
		if !strings.HasPrefix(name, "../") {
			name = "./" + name
		}
	case up > 0:
		return
	}
	r.Add(imports.Reference{Kind: imports.File, Name: name, Line: t.Line, Optional: strings.HasPrefix(strings.ToLower(t.Text), "include")})
}
