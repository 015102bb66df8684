package scriptlet

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// A value is a text; where it is not known, text shows what stands in the
// script.
type value struct {
	text  string
	known bool
}

// maxText bounds a value, so that a script cannot double one for ever.
const maxText = 64 << 10

func (v value) plus(w value) value {
	sum := value{v.text + w.text, v.known && w.known}
	if len(sum.text) > maxText {
		return value{sum.text[:100] + "…", false}
	}
	return sum
}

// unset are variables that the environment, debconf or read may have set; any
// other that the script does not set is empty.
var unset = map[string]bool{"PATH": true, "HOME": true, "USER": true, "LANG": true, "TERM": true, "RET": true, "REPLY": true, "SHELL": true, "PPID": true}

func (e *evaluator) variable(name string) value {
	if v, ok := e.vars[name]; ok {
		return v
	}
	switch name {
	case "@", "*":
		all := value{"", true}
		for i, a := range e.args {
			if i > 0 {
				all = all.plus(value{" ", true})
			}
			all = all.plus(a)
		}
		return all
	case "#":
		return value{strconv.Itoa(len(e.args)), true}
	case "0":
		return value{e.script.Name, true}
	case "?", "$", "!", "-", "_":
		return value{"$" + name, false}
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n >= 1 && n <= len(e.args) {
			return e.args[n-1]
		}
		return value{"", true}
	}
	if unset[name] {
		return value{"$" + name, false}
	}
	return value{"", true}
}

// single expands a word without splitting it, as an assignment does.
func (e *evaluator) single(w *syntax.Word) value {
	v := value{"", true}
	if w == nil {
		return v
	}
	for _, p := range w.Parts {
		v = v.plus(e.part(p, false))
	}
	return v
}

// fields expands a word of a command: what is not quoted is split at spaces.
func (e *evaluator) fields(w *syntax.Word) []value {
	var fields []value
	field, begun := value{"", true}, false
	for _, p := range w.Parts {
		if q, ok := p.(*syntax.DblQuoted); ok && len(q.Parts) == 1 && isAllArgs(q.Parts[0]) {
			fields = append(fields, e.args...)
			continue
		}
		v := e.part(p, false)
		switch p.(type) {
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ArithmExp:
			if !v.known {
				break
			}
			words := strings.Fields(v.text)
			for i, word := range words {
				if i > 0 {
					fields, field = append(fields, field), value{"", true}
				}
				field, begun = field.plus(value{word, true}), true
			}
			continue
		}
		if lit, ok := p.(*syntax.Lit); ok && isGlob(lit.Value) {
			v.known = false // which files there are is not known
		}
		field, begun = field.plus(v), true
	}
	if begun {
		fields = append(fields, field)
	}
	return fields
}

// isGlob says whether a text that is not quoted stands for names of files.
func isGlob(text string) bool {
	open := strings.IndexByte(text, '[')
	return strings.ContainsAny(text, "*?") || open >= 0 && strings.IndexByte(text[open:], ']') > 0
}

func isAllArgs(p syntax.WordPart) bool {
	x, ok := p.(*syntax.ParamExp)
	return ok && x.Param != nil && x.Param.Value == "@" && x.Exp == nil
}

// part expands a piece of a word.
func (e *evaluator) part(p syntax.WordPart, quoted bool) value {
	switch p := p.(type) {
	case *syntax.Lit:
		return value{unescaped(p.Value, quoted), true}
	case *syntax.SglQuoted:
		return value{p.Value, true}
	case *syntax.DblQuoted:
		v := value{"", true}
		for _, inner := range p.Parts {
			v = v.plus(e.part(inner, true))
		}
		return v
	case *syntax.ParamExp:
		return e.parameter(p)
	case *syntax.CmdSubst:
		return e.substitution(p)
	}
	return value{"…", false}
}

// unescaped takes backslashes away as the shell does; between double quotes
// only before what would mean something.
func unescaped(text string, quoted bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\\n", text[i+1]) >= 0) {
			if i++; text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// parameter expands $name, ${name:-word}, ${name%pattern} and their kin.
func (e *evaluator) parameter(p *syntax.ParamExp) value {
	if p.Param == nil {
		return value{"${…}", false}
	}
	name := p.Param.Value
	v := e.variable(name)
	unknown := value{"${" + name + "…}", false}
	if p.Excl || p.Width || p.IsSet || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 || len(p.Modifiers) > 0 {
		return unknown
	}
	if p.Length {
		if !v.known {
			return unknown
		}
		return value{strconv.Itoa(len(v.text)), true}
	}
	if p.Exp == nil {
		return v
	}
	if !v.known {
		return unknown
	}
	word := e.single(p.Exp.Word)
	switch p.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if v.text != "" {
			return v
		}
		if p.Exp.Op == syntax.AssignUnset || p.Exp.Op == syntax.AssignUnsetOrNull {
			e.vars[name] = word
		}
		return word
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if v.text == "" {
			return v
		}
		return word
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		return v
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		if !word.known {
			return unknown
		}
		return trimmed(v.text, word.text, p.Exp.Op)
	}
	return unknown
}

// trimmed takes the shortest or longest prefix or suffix away that matches.
func trimmed(text, pat string, op syntax.ParExpOperator) value {
	re, err := compiled(pat)
	if err != nil {
		return value{text, false}
	}
	for i := range len(text) + 1 {
		var cut, rest string
		switch op {
		case syntax.RemSmallPrefix:
			cut, rest = text[:i], text[i:]
		case syntax.RemLargePrefix:
			cut, rest = text[:len(text)-i], text[len(text)-i:]
		case syntax.RemSmallSuffix:
			cut, rest = text[len(text)-i:], text[:len(text)-i]
		default:
			cut, rest = text[i:], text[:i]
		}
		if re.MatchString(cut) {
			return value{rest, true}
		}
	}
	return value{text, true}
}

func compiled(pat string) (*regexp.Regexp, error) {
	expression, err := pattern.Regexp(pat, pattern.EntireString)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(expression)
}

// match says whether a pattern of a case covers a word.
func (e *evaluator) match(word value, p *syntax.Word) truth {
	pat := value{"", true}
	for _, part := range p.Parts {
		v := e.part(part, false)
		switch lit, ok := part.(*syntax.Lit); {
		case ok:
			v.text = lit.Value // with its backslashes, for the pattern
		default:
			v.text = pattern.QuoteMeta(v.text, 0)
		}
		pat = pat.plus(v)
	}
	if pat.text == "*" {
		return yes
	}
	if !word.known || !pat.known {
		return maybe
	}
	re, err := compiled(pat.text)
	if err != nil {
		return maybe
	}
	return truthOf(re.MatchString(word.text))
}

// substitution expands $(command) where the command's output is known; its
// effects are noted in any case.
func (e *evaluator) substitution(c *syntax.CmdSubst) value {
	unknown := value{"$(…)", false}
	if len(c.Stmts) == 1 {
		if call, ok := c.Stmts[0].Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			var words []value
			for _, w := range call.Args {
				words = append(words, e.fields(w)...)
			}
			if v := e.output(words); v.known {
				return v
			}
		}
	}
	if e.depth++; e.depth <= maxDepth {
		e.aside(c.Stmts)
	}
	e.depth--
	return unknown
}

// output returns what a command prints, where that is known.
func (e *evaluator) output(words []value) value {
	for _, w := range words {
		if !w.known {
			return w
		}
	}
	unknown := value{"$(…)", false}
	if len(words) == 0 {
		return unknown
	}
	args := texts(words[1:])
	switch path.Base(words[0].text) {
	case "echo":
		return value{strings.Join(args, " "), true}
	case "basename":
		switch len(args) {
		case 1:
			return value{path.Base(args[0]), true}
		case 2:
			return value{strings.TrimSuffix(path.Base(args[0]), args[1]), true}
		}
	case "dirname":
		if len(args) == 1 {
			return value{path.Dir(args[0]), true}
		}
	case "mktemp", "tempfile":
		return value{temporary, true}
	case "dpkg":
		if architecture, ok := e.script.Env["DPKG_MAINTSCRIPT_ARCH"]; ok && len(args) == 1 && args[0] == "--print-architecture" {
			return value{architecture, true}
		}
	case "getent":
		return value{"", true} // nobody is known in a new root
	}
	return unknown
}

// temporary is the name of any temporary file.
const temporary = "/tmp/temporary"

func texts(values []value) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.text
	}
	return all
}
