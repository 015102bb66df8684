// Package node reads what a JavaScript module requires and runs, from its
// tokens (Node.js, "Modules: CommonJS modules", "ECMAScript modules",
// "Child process"), and what a package.json says of a package's files.
package node

import (
	"encoding/json"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

func language() token.Language {
	return token.Language{
		Comments: []string{"//", "#!"}, Blocks: [][2]string{{"/*", "*/"}}, Letters: "$", Regexps: true,
		Quotes: []token.Quote{{Open: `"`, Close: `"`}, {Open: `'`, Close: `'`}, {Open: "`", Close: "`", Lines: true}},
	}
}

// Read returns what a module refers to, in its order.
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
	depth  int
	try    []int // the depths of blocks that follow try
}

func (r *reader) peek(n int) token.Token {
	if i := r.at + n; i >= 0 && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token.Token{}
}

func (r *reader) token() {
	t := r.tokens[r.at]
	switch {
	case t.Is("{"):
		if r.depth++; r.peek(-1).Is("try") {
			r.try = append(r.try, r.depth)
		}
	case t.Is("}"):
		if n := len(r.try); n > 0 && r.try[n-1] == r.depth {
			r.try = r.try[:n-1]
		}
		r.depth--
	case t.Kind != token.Name:
	case t.Text == "require" || t.Text == "import" || t.Text == "from" || t.Text == "export":
		r.module(t)
	case r.peek(1).Is("("):
		r.run(t)
	}
}

// module reads require("x"), require.resolve("x"), import("x"), import "x" and
// … from "x".
func (r *reader) module(t token.Token) {
	n := 1
	if t.Text == "require" && r.peek(1).Is(".") && r.peek(2).Is("resolve") {
		n = 3
	}
	called := r.peek(n).Is("(")
	if called {
		n++
	}
	arg := r.peek(n)
	owner := r.peek(-1)
	if owner.Is(".") && !r.peek(-2).Is("module") || owner.Is("function") || t.Text == "from" && called || t.Text == "export" {
		return
	}
	switch {
	case arg.Kind == token.Text && (arg.Quote != "`" || !strings.Contains(arg.Text, "${")):
		if called && !r.peek(n+1).Is(")") && !r.peek(n+1).Is(",") {
			r.computed(t)
			return
		}
		kind := imports.Module
		if strings.HasPrefix(arg.Text, ".") || strings.HasPrefix(arg.Text, "/") {
			kind = imports.File
		}
		r.Add(imports.Reference{Kind: kind, Name: arg.Text, Line: t.Line, Optional: len(r.try) > 0, Late: r.depth > 0})
	case called && t.Text != "from":
		r.computed(t)
	}
}

func (r *reader) computed(t token.Token) {
	if t.Text == "require" {
		r.Add(imports.Reference{Kind: imports.Computed, Name: t.Text + "(…)", Line: t.Line, Late: true})
	}
}

// run reads calls of the module child_process.
func (r *reader) run(t token.Token) {
	switch t.Text {
	case "spawn", "spawnSync", "execFile", "execFileSync", "execSync":
	case "exec":
		if owner := r.peek(-2); r.peek(-1).Is(".") && !owner.Is("child_process") && !owner.Is("cp") {
			return // RegExp.exec
		}
	default:
		return
	}
	arg := r.peek(2)
	words := strings.Fields(arg.Text)
	if arg.Kind != token.Text || len(words) == 0 || strings.ContainsAny(words[0], "${}*?~<>|&;()`'\"=") {
		return
	}
	r.Add(imports.Reference{Kind: imports.Command, Name: words[0], Line: t.Line, Late: true})
}

// A Package is what a package.json says.
type Package struct {
	Name string
	// Files are those that another module gets by the package's name: main, and
	// all that exports names, without patterns.
	Files []string
	// Dependencies are names of packages, Optional those that it does without.
	Dependencies, Optional []string
}

// maxExports bounds how deep exports are followed, and how many are taken.
const (
	maxExports = 16
	maxFiles   = 4096
)

// ReadPackage reads a package.json.
func ReadPackage(src []byte) (Package, error) {
	var raw struct {
		Name                 string                     `json:"name"`
		Main                 json.RawMessage            `json:"main"`
		Exports              json.RawMessage            `json:"exports"`
		Dependencies         map[string]json.RawMessage `json:"dependencies"`
		OptionalDependencies map[string]json.RawMessage `json:"optionalDependencies"`
	}
	if err := json.Unmarshal(src, &raw); err != nil {
		return Package{}, err
	}
	p := Package{Name: raw.Name, Dependencies: sorted(raw.Dependencies), Optional: sorted(raw.OptionalDependencies)}
	var main string
	if json.Unmarshal(raw.Main, &main) == nil && main != "" {
		p.Files = append(p.Files, main)
	}
	p.exports(raw.Exports, 0)
	return p, nil
}

// exports collects the files that an exports field names.
func (p *Package) exports(raw json.RawMessage, depth int) {
	if depth > maxExports || len(p.Files) >= maxFiles || len(raw) == 0 {
		return
	}
	var file string
	if json.Unmarshal(raw, &file) == nil {
		if !strings.Contains(file, "*") {
			p.Files = append(p.Files, file)
		}
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, next := range list {
			p.exports(next, depth+1)
		}
		return
	}
	var conditions map[string]json.RawMessage
	if json.Unmarshal(raw, &conditions) != nil {
		return
	}
	for _, key := range sorted(conditions) {
		p.exports(conditions[key], depth+1)
	}
}
