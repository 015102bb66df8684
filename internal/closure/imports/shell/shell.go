// Package shell reads which commands a shell script runs and which files it
// reads as its own, from its syntax tree. Nothing is executed. What is run in
// one branch only counts as run; what the script asks for before it runs it
// (command -v, type, which, test -x) is optional.
package shell

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"smith/internal/closure/imports"
	"smith/internal/nesting"
)

// Script is what a shell script refers to.
type Script struct {
	References []imports.Reference
	// Path is the search path that the script sets, "" where it keeps the one
	// that it is given.
	Path string
}

// grammars are where a script can nest: the parser is recursive.
func grammars() []nesting.Grammar {
	return []nesting.Grammar{
		{Characters: "([{`", Words: []string{"if", "while", "until", "for", "case", "select", "time", "coproc", "function"}, Limit: 20_000},
		{Characters: "|?=!", Limit: 60_000},
	}
}

// Read reads a script. A script that is not well formed gives what stands
// before the fault.
func Read(src []byte) Script {
	r := reader{vars: map[string]string{}, values: map[string][]string{}, many: map[string]bool{}, functions: map[string]bool{}, asked: map[string]bool{}}
	switch {
	case len(src) > imports.MaxSize:
		return Script{References: []imports.Reference{{Kind: imports.Computed, Name: "a script of more than 4 MB", Line: 1}}}
	case nested(src):
		return Script{References: []imports.Reference{{Kind: imports.Computed, Name: "a script nested too deeply", Line: 1}}}
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(bytes.NewReader(src), "")
	if err != nil {
		r.Add(imports.Reference{Kind: imports.Computed, Name: "a script that cannot be parsed", Line: 1})
	}
	if file != nil {
		r.read(file)
	}
	return Script{References: r.optional(), Path: r.vars["PATH"]}
}

// nested reports whether a script may be nested more deeply than the parser
// should follow.
func nested(src []byte) bool {
	text := string(src)
	return slices.ContainsFunc(grammars(), func(g nesting.Grammar) bool { return g.Exceeds(text) })
}

type reader struct {
	imports.List
	vars      map[string]string   // those with one literal value
	values    map[string][]string // all literal values that a variable is given
	many      map[string]bool     // variables that are set otherwise too
	functions map[string]bool
	asked     map[string]bool // commands that the script asks for
}

// read collects what is defined first: functions and variables may be used
// before, in functions.
func (r *reader) read(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			if n.Name != nil {
				r.functions[n.Name.Value] = true
			}
		case *syntax.Assign:
			r.assign(n)
		case *syntax.ForClause:
			if w, ok := n.Loop.(*syntax.WordIter); ok && w.Name != nil {
				r.many[w.Name.Value] = true
			}
		}
		return true
	})
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			r.call(n)
		case *syntax.BinaryTest, *syntax.UnaryTest:
			if t, ok := n.(*syntax.UnaryTest); ok && isFileTest(t.Op.String()) {
				r.ask(t.X)
			}
		}
		return true
	})
}

// isFileTest reports whether a test asks whether a file can be used.
func isFileTest(op string) bool {
	switch op {
	case "-x", "-e", "-f", "-s", "-r", "-L", "-h":
		return true
	}
	return false
}

// assign notes the value of a variable that is set once, to a literal text or
// to one made of such variables. ": ${X:=y}" is one that the environment may
// set, and is taken as y.
func (r *reader) assign(a *syntax.Assign) {
	if a.Name == nil || a.Append || a.Array != nil {
		if a.Name != nil {
			r.many[a.Name.Value] = true
		}
		return
	}
	name := a.Name.Value
	value, known := r.text(a.Value)
	old, set := r.vars[name]
	if known && len(r.values[name]) < maxValues && !slices.Contains(r.values[name], value) {
		r.values[name] = append(r.values[name], value)
	}
	switch {
	case a.Naked:
	case !known && name == "PATH":
	case !known, set && old != value:
		r.many[name] = true
	default:
		r.vars[name] = value
	}
}

// maxValues bounds how many values of a variable are followed.
const maxValues = 8

// alternatives takes the programs of a command that begins with a variable of
// several literal values, such as grep='grep -F' and grep='grep -E'. It is also
// for what eval runs, after its exec.
func (r *reader) alternatives(w *syntax.Word, line int) {
	parts := w.Parts
	if len(parts) > 0 {
		if q, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = q.Parts
		}
	}
	if len(parts) > 1 {
		if lit, ok := parts[0].(*syntax.Lit); ok && strings.TrimSpace(lit.Value) == "exec" {
			parts = parts[1:]
		}
	}
	if len(parts) == 0 {
		return
	}
	p, ok := parts[0].(*syntax.ParamExp)
	if !ok || p.Param == nil {
		return
	}
	if len(parts) > 1 {
		if lit, ok := parts[1].(*syntax.Lit); !ok || lit.Value == "" || lit.Value[0] != ' ' {
			return // the variable is only the beginning of the name
		}
	}
	for _, value := range r.values[p.Param.Value] {
		if words := strings.Fields(value); len(words) > 0 && isPlain(words[0]) && !isBuiltin(words[0]) && !r.functions[words[0]] {
			r.Add(imports.Reference{Kind: imports.Command, Name: words[0], Line: line})
		}
	}
}

// isPlain reports whether a word can be the name of a command.
func isPlain(word string) bool { return !strings.ContainsAny(word, " \t\n;|&<>()'\"`=*?{}$") }

// text returns what a word stands for.
func (r *reader) text(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", true
	}
	var b strings.Builder
	for _, p := range w.Parts {
		if !r.part(p, &b) {
			return "", false
		}
	}
	return b.String(), b.Len() <= imports.MaxName
}

func (r *reader) part(p syntax.WordPart, b *strings.Builder) bool {
	switch p := p.(type) {
	case *syntax.Lit:
		if strings.ContainsAny(p.Value, "*?[~") && p.Value != "[" {
			return false
		}
		b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
	case *syntax.SglQuoted:
		b.WriteString(p.Value)
	case *syntax.DblQuoted:
		for _, inner := range p.Parts {
			if !r.part(inner, b) {
				return false
			}
		}
	case *syntax.ParamExp:
		return r.parameter(p, b)
	case *syntax.CmdSubst:
		if b.Len() > 0 || !ownDirectory(p) {
			return false
		}
		b.WriteByte('.')
	default:
		return false
	}
	return true
}

// ownDirectory reports whether a substitution stands for the script's own
// directory: $(dirname "$0"), $(cd "$(dirname "$0")" && pwd) and their kin.
func ownDirectory(p *syntax.CmdSubst) bool {
	var b strings.Builder
	if err := syntax.NewPrinter().Print(&b, p); err != nil || b.Len() > 300 {
		return false
	}
	text := b.String()
	own := strings.Contains(text, "$0") || strings.Contains(text, "${0") || strings.Contains(text, "BASH_SOURCE")
	return own && (strings.Contains(text, "dirname") || strings.Contains(text, "${0%/*}")) && !strings.Contains(text, "/..")
}

// parameter writes the value of $name and of ${name:-default}.
func (r *reader) parameter(p *syntax.ParamExp, b *strings.Builder) bool {
	if p.Param == nil || p.Length || p.Excl || p.Index != nil || p.Slice != nil || p.Repl != nil {
		return false
	}
	name := p.Param.Value
	if name == "0" && p.Exp != nil && p.Exp.Op == syntax.RemSmallSuffix && b.Len() == 0 { // ${0%/*}
		b.WriteByte('.')
		return true
	}
	value, set := r.vars[name]
	if set && !r.many[name] && p.Exp == nil {
		b.WriteString(value)
		return b.Len() <= imports.MaxName
	}
	if p.Exp == nil || p.Exp.Word == nil || set {
		return false
	}
	switch p.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		value, known := r.text(p.Exp.Word)
		b.WriteString(value)
		return known && b.Len() <= imports.MaxName
	}
	return false
}

// ask notes that the script asks whether a command is there.
func (r *reader) ask(w any) {
	if word, ok := w.(*syntax.Word); ok {
		if name, known := r.text(word); known && name != "" {
			r.asked[name], r.asked[path.Base(name)] = true, true
		}
	}
}

// call reads one simple command.
func (r *reader) call(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		return
	}
	r.command(c.Args, int(c.Pos().Line()), 0)
}

// maxWrapped bounds commands that run commands.
const maxWrapped = 8

// command reads a command and its arguments.
func (r *reader) command(args []*syntax.Word, line, depth int) {
	if len(args) == 0 || depth > maxWrapped {
		return
	}
	name, known := r.text(args[0])
	switch {
	case !known:
		r.alternatives(args[0], line)
		if shown := r.written(args[0]); strings.Contains(shown, "/") {
			r.Add(imports.Reference{Kind: imports.Computed, Name: shown, Line: line, Late: true})
		}
		return
	case name == "" || !isPlain(name) || r.functions[name]:
		return
	}
	switch name {
	case ".", "source":
		r.source(args[1:], line)
	case "command", "type", "which", "hash":
		r.asks(name, args[1:], line, depth)
	case "[", "test":
		r.test(args[1:])
	case "exec", "builtin", "time", "nohup":
		r.wrapped(name, args[1:], line, depth)
	case "find":
		r.find(args, line, depth)
	case "eval":
		if len(args) > 1 {
			r.alternatives(args[1], line)
		}
	default:
		r.wrapped(name, args[1:], line, depth)
	}
	if !isBuiltin(name) {
		r.Add(imports.Reference{Kind: imports.Command, Name: name, Line: line})
	}
}

// written shows a word as it stands in the script, for a reader, with what is
// known of it in place of variables.
func (r *reader) written(w *syntax.Word) string {
	var b strings.Builder
	parts := w.Parts
	if len(parts) == 1 {
		if q, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = q.Parts
		}
	}
	for i, p := range parts {
		if before := b.String(); !r.part(p, &b) {
			b.Reset()
			b.WriteString(before)
			if err := syntax.NewPrinter().Print(&b, &syntax.Word{Parts: parts[i:]}); err != nil {
				return ""
			}
			break
		}
	}
	if b.Len() > 200 || strings.Contains(b.String(), "\n") {
		return ""
	}
	return b.String()
}

// source takes a file that is read as a part of the script.
func (r *reader) source(args []*syntax.Word, line int) {
	if len(args) == 0 {
		return
	}
	name, known := r.text(args[0])
	if !known || name == "" {
		if shown := r.written(args[0]); shown != "" {
			r.Add(imports.Reference{Kind: imports.Computed, Name: ". " + shown, Line: line, Late: true})
		}
		return
	}
	r.Add(imports.Reference{Kind: imports.File, Name: name, Line: line})
}

// asks reads command -v X, type X, which X and hash X; command X runs X.
func (r *reader) asks(name string, args []*syntax.Word, line, depth int) {
	options := 0
	for options < len(args) && strings.HasPrefix(args[options].Lit(), "-") {
		options++
	}
	if name == "command" && (options == 0 || args[0].Lit() == "-p" || args[0].Lit() == "--") {
		r.command(args[options:], line, depth+1)
		return
	}
	for _, a := range args[options:] {
		r.ask(a)
	}
}

// test reads test -x FILE.
func (r *reader) test(args []*syntax.Word) {
	for i := 0; i+1 < len(args); i++ {
		if isFileTest(args[i].Lit()) {
			r.ask(args[i+1])
		}
	}
}

// find reads the commands of -exec and its kin.
func (r *reader) find(args []*syntax.Word, line, depth int) {
	for i, a := range args {
		switch a.Lit() {
		case "-exec", "-execdir", "-ok", "-okdir":
			r.command(args[i+1:], line, depth+1)
		}
	}
}

// wrappers are commands that run the command among their arguments: with the
// options that take an argument of their own, and how many arguments come
// before the command.
func wrappers(name string) (withArgument string, before int, known bool) {
	switch name {
	case "exec":
		return "a", 0, true
	case "builtin", "time", "nohup", "setsid", "eatmydata", "fakeroot":
		return "fo", 0, true
	case "env":
		return "uC", 0, true
	case "nice":
		return "n", 0, true
	case "ionice":
		return "cnp", 0, true
	case "xargs":
		return "aEeIidLlnPs", 0, true
	case "sudo", "doas":
		return "ugCpTh", 0, true
	case "stdbuf":
		return "ioe", 0, true
	case "timeout":
		return "ks", 1, true
	case "flock":
		return "wE", 1, true
	case "chroot", "taskset":
		return "", 1, true
	}
	return "", 0, false
}

// wrapped reads the command that another command runs.
func (r *reader) wrapped(name string, args []*syntax.Word, line, depth int) {
	withArgument, before, known := wrappers(path.Base(name))
	if !known {
		r.shell(name, args, line)
		return
	}
	for len(args) > 0 {
		word := args[0].Lit()
		switch {
		case len(word) > 1 && word[0] == '-' && word != "--":
			if len(word) == 2 && strings.IndexByte(withArgument, word[1]) >= 0 && len(args) > 1 {
				args = args[1:]
			}
		case strings.Contains(firstLiteral(args[0]), "=") && path.Base(name) == "env":
		case word == "--":
		case before > 0:
			before--
		default:
			r.command(args, line, depth+1)
			return
		}
		args = args[1:]
	}
}

// firstLiteral returns the literal text that a word begins with.
func firstLiteral(w *syntax.Word) string {
	if lit, ok := w.Parts[0].(*syntax.Lit); ok {
		return lit.Value
	}
	return ""
}

// shell reads what sh -c and its kin run, by its first word.
func (r *reader) shell(name string, args []*syntax.Word, line int) {
	switch path.Base(name) {
	case "sh", "bash", "dash", "ksh", "su":
	default:
		return
	}
	for i, a := range args {
		if a.Lit() != "-c" || i+1 >= len(args) {
			continue
		}
		text, _ := r.text(args[i+1])
		words := strings.Fields(text)
		if len(words) > 1 && words[0] == "exec" {
			words = words[1:]
		}
		if len(words) > 0 && !isBuiltin(words[0]) && !r.functions[words[0]] && !strings.ContainsAny(words[0], ";|&<>()'\"`=*?{}$") {
			r.Add(imports.Reference{Kind: imports.Command, Name: words[0], Line: line})
		}
		return
	}
}

// optional returns the references, those that the script asks for as optional.
func (r *reader) optional() []imports.Reference {
	for i, ref := range r.All {
		if ref.Kind == imports.Command || ref.Kind == imports.File {
			r.All[i].Optional = ref.Optional || r.asked[ref.Name] || ref.Kind == imports.Command && r.asked[path.Base(ref.Name)]
		}
	}
	return r.Compact()
}

// isBuiltin reports whether the shells of POSIX and bash have a command built
// in, or take it for a word of their grammar (sh(1), bash(1)).
func isBuiltin(name string) bool {
	switch name {
	case ".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "compgen", "complete", "compopt", "continue", "declare",
		"dirs", "disown", "echo", "enable", "eval", "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let",
		"local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set", "shift", "shopt", "source", "suspend",
		"test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait", "chdir", "time", "then", "do", "done", "fi", "esac":
		return true
	}
	return false
}
