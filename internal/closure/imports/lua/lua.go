// Package lua reads what a Lua script requires and runs, from its tokens (Lua
// Reference Manual, "require", "dofile", "loadfile", "os.execute").
package lua

import (
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"--"}, Blocks: [][2]string{{"--[[", "]]"}, {"--[=[", "]=]"}},
		Quotes: []token.Quote{{Open: "[[", Close: "]]", Lines: true, Raw: true}, {Open: `"`, Close: `"`}, {Open: `'`, Close: `'`}},
	}
}

// Read returns what a script refers to, in its order.
func Read(src []byte) []imports.Reference {
	if len(src) > imports.MaxSize {
		return []imports.Reference{{Kind: imports.Computed, Name: "a script of more than 4 MB", Line: 1}}
	}
	l := language()
	// A block comment begins as one that ends with its line does.
	l.Comments, l.Blocks = nil, append(l.Blocks, [2]string{"--", "\n"})
	tokens := l.Split(src)
	var list imports.List
	for i, t := range tokens {
		if t.Kind != token.Name {
			continue
		}
		optional := false
		j := i + 1
		if t.Text == "pcall" && j+2 < len(tokens) && tokens[j].Is("(") && tokens[j+1].Is("require") {
			t, j, optional = tokens[j+1], j+3, true
		} else if i >= 2 && tokens[i-1].Is("(") && tokens[i-2].Is("pcall") {
			continue
		}
		for j < len(tokens) && tokens[j].Is("(") {
			j++
		}
		if j >= len(tokens) {
			break
		}
		if ref, ok := call(t, tokens[j], before(tokens, i)); ok {
			ref.Line, ref.Optional = t.Line, optional
			list.Add(ref)
		}
	}
	return list.Compact()
}

// before returns the name before the dot before a token, or "".
func before(tokens []token.Token, i int) string {
	if i >= 2 && tokens[i-1].Is(".") {
		return tokens[i-2].Text
	}
	return ""
}

func call(t, arg token.Token, owner string) (imports.Reference, bool) {
	literal := arg.Kind == token.Text
	switch {
	case owner == "" && t.Text == "require":
		if literal {
			return imports.Reference{Kind: imports.Module, Name: arg.Text}, true
		}
		return imports.Reference{Kind: imports.Computed, Name: "require " + arg.Text}, arg.Kind == token.Name && !arg.First
	case owner == "" && (t.Text == "dofile" || t.Text == "loadfile") && literal:
		return imports.Reference{Kind: imports.File, Name: arg.Text}, true
	case (owner == "os" && t.Text == "execute" || owner == "io" && t.Text == "popen") && literal:
		words := strings.Fields(arg.Text)
		if len(words) == 0 || strings.ContainsAny(words[0], "$*?~<>|&;()`'\"=") {
			return imports.Reference{}, false
		}
		return imports.Reference{Kind: imports.Command, Name: words[0]}, true
	}
	return imports.Reference{}, false
}
