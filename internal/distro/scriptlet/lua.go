package scriptlet

import (
	"fmt"
	"maps"
	"strings"

	"github.com/yuin/gopher-lua/ast"
	luaparse "github.com/yuin/gopher-lua/parse"
)

// luaName begins the text of a scriptlet for rpm's own interpreter of Lua.
const luaName = "#!<lua>"

// readLua works out the effects of a script in Lua, as Read does for the
// shell's. rpm's interpreter has modules of its own (rpm-lua(7)), which are
// what such scripts are about.
func readLua(s Script) []Effect {
	l := &lua{evaluator: newEvaluator(s), vars: map[string]luaValue{}}
	_, text, _ := strings.Cut(s.Text, "\n")
	if deep := luaTooDeep(text); deep != "" {
		return []Effect{{Class: Unhandled, Command: firstLine(text), Line: 1, Why: deep}}
	}
	chunk, err := luaparse.Parse(strings.NewReader(text), s.Name)
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return []Effect{{Class: Unhandled, Command: firstLine(text), Line: 1, Why: "it cannot be parsed: " + strings.ToValidUTF8(reason, "?")}}
	}
	arguments := []luaValue{{kind: luaText, text: s.Name}}
	for _, a := range s.Args {
		arguments = append(arguments, luaValue{kind: luaText, text: a})
	}
	l.vars["arg"] = luaValue{kind: luaList, list: arguments}
	l.block(chunk)
	return l.effects
}

// A luaKind is what is known of a value.
type luaKind uint8

const (
	luaUnknown luaKind = iota
	luaNil
	luaBool
	luaNumber // as text
	luaText
	luaList     // a table that has only elements in an order
	luaFunction // of the script
	luaBuiltin  // a function or module of the interpreter, by its name
)

// A luaValue is a value; of an unknown one text shows where it is from.
type luaValue struct {
	kind  luaKind
	text  string
	truth bool
	list  []luaValue
	body  *ast.FunctionExpr
}

func unknownLua(text string) luaValue { return luaValue{text: text} }

// truth is how a condition takes the value.
func (v luaValue) condition() truth {
	switch v.kind {
	case luaUnknown:
		return maybe
	case luaNil:
		return no
	case luaBool:
		return truthOf(v.truth)
	}
	return yes
}

func luaTruth(t truth, text string) luaValue {
	if t == maybe {
		return unknownLua(text)
	}
	return luaValue{kind: luaBool, truth: t == yes}
}

// word is the value as an argument of a command.
func (v luaValue) word() value {
	switch v.kind {
	case luaText, luaNumber:
		return value{v.text, true}
	case luaBuiltin:
		return value{v.text, false}
	case luaNil:
		return value{"nil", false}
	}
	if v.text == "" {
		return value{"…", false}
	}
	return value{v.text, false}
}

func words(values []luaValue) []value {
	all := make([]value, len(values))
	for i, v := range values {
		all[i] = v.word()
	}
	return all
}

// lua follows a script in Lua. All variables are in one scope, which tells less
// than the language's and nothing wrong of scripts that people write.
type lua struct {
	*evaluator
	vars    map[string]luaValue
	more    []luaValue // what ... stands for
	result  luaValue   // of the function that was followed last
	ended   bool       // the script ends with the statement that is followed
	nesting int
}

// maxNesting bounds expressions in expressions.
const maxNesting = 500

// block follows statements one after another.
func (l *lua) block(stmts []ast.Stmt) flow {
	for _, s := range stmts {
		if l.steps++; l.steps > maxSteps {
			l.note(Effect{Class: Unhandled, Command: "…", Line: s.Line(), Why: "the script is too long to be followed"})
			return leaveScript
		}
		f := l.statement(s)
		if l.ended {
			l.ended, f = false, leaveScript
		}
		if f != onward {
			return f
		}
	}
	return onward
}

func (l *lua) statement(s ast.Stmt) flow {
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		for i, v := range l.values(s.Exprs, len(s.Names)) {
			l.vars[s.Names[i]] = v
		}
	case *ast.AssignStmt:
		l.assign(s)
	case *ast.FuncDefStmt:
		if name, ok := s.Name.Func.(*ast.IdentExpr); ok && s.Name.Method == "" {
			l.vars[name.Value] = luaValue{kind: luaFunction, body: s.Func}
		}
	case *ast.FuncCallStmt:
		l.expr(s.Expr)
	case *ast.DoBlockStmt:
		return l.block(s.Stmts)
	case *ast.IfStmt:
		return l.ifStatement(s)
	case *ast.WhileStmt:
		return l.loop(l.expr(s.Condition).condition(), s.Stmts)
	case *ast.RepeatStmt:
		return l.loop(yes, s.Stmts)
	case *ast.NumberForStmt:
		l.vars[s.Name] = unknownLua(s.Name)
		return l.loop(maybe, s.Stmts)
	case *ast.GenericForStmt:
		return l.each(s)
	case *ast.ReturnStmt:
		l.result = l.values(s.Exprs, 1)[0]
		return leaveFunction
	case *ast.BreakStmt:
		return leaveLoop
	case *ast.GotoStmt:
		l.note(Effect{Class: Unhandled, Command: "goto " + s.Label, Line: s.Line(), Why: "where the script goes on is not followed"})
	}
	return onward
}

func (l *lua) assign(s *ast.AssignStmt) {
	values := l.values(s.Rhs, len(s.Lhs))
	for i, to := range s.Lhs {
		switch to := to.(type) {
		case *ast.IdentExpr:
			l.vars[to.Value] = values[i]
		case *ast.AttrGetExpr: // what the table holds is not followed
			if name, ok := to.Object.(*ast.IdentExpr); ok {
				l.vars[name.Value] = unknownLua(name.Value)
			}
		}
	}
}

func (l *lua) ifStatement(s *ast.IfStmt) flow {
	then, otherwise := func() flow { return l.block(s.Then) }, func() flow { return l.block(s.Else) }
	switch l.expr(s.Condition).condition() {
	case yes:
		return then()
	case no:
		return otherwise()
	}
	return l.either(then, otherwise)
}

// loop follows the body of a loop once: what one round changes, another may
// change again.
func (l *lua) loop(begins truth, body []ast.Stmt) flow {
	if begins == no {
		return onward
	}
	return l.either(func() flow {
		if f := l.block(body); f > nextRound {
			return f
		}
		return onward
	}, func() flow { return onward })
}

// each follows a loop over a list that is known, or else its body once.
func (l *lua) each(s *ast.GenericForStmt) flow {
	items := l.values(s.Exprs, 1)[0]
	if items.kind != luaList {
		for _, name := range s.Names {
			l.vars[name] = unknownLua(name)
		}
		return l.loop(maybe, s.Stmts)
	}
	for i, item := range items.list {
		if i == maxRound {
			l.note(Effect{Class: Unhandled, Command: "for …", Line: s.Line(), Why: "the loop is too long to be followed"})
			break
		}
		l.vars[s.Names[0]] = luaValue{kind: luaNumber, text: fmt.Sprint(i + 1)}
		if len(s.Names) > 1 {
			l.vars[s.Names[1]] = item
		}
		if f := l.block(s.Stmts); f == leaveLoop {
			break
		} else if f > nextRound {
			return f
		}
	}
	return onward
}

// either follows ways of which one is taken, nobody knows which.
func (l *lua) either(ways ...func() flow) flow {
	before, left := l.vars, leaveScript
	l.steps += len(before) / maxCopied
	var after map[string]luaValue
	for _, way := range ways {
		l.vars = maps.Clone(before)
		f := way()
		if f != onward {
			left, l.result = min(left, f), unknownLua("…")
			continue
		}
		if after == nil {
			after = l.vars
			continue
		}
		after = mergedLua(after, l.vars)
	}
	if after == nil {
		l.vars = before
		return left
	}
	l.vars = after
	return onward
}

// mergedLua keeps what both know.
func mergedLua(a, b map[string]luaValue) map[string]luaValue {
	all := map[string]luaValue{}
	for _, vars := range []map[string]luaValue{a, b} {
		for name := range vars {
			x, y := a[name], b[name]
			if all[name] = x; x.kind != y.kind || x.text != y.text || x.truth != y.truth || x.body != y.body || len(x.list) != len(y.list) {
				all[name] = unknownLua(name)
			}
		}
	}
	return all
}

// values evaluates expressions and returns so many values: what is left over
// is dropped, and what is missing is nil, or unknown after a call.
func (l *lua) values(list []ast.Expr, count int) []luaValue {
	var all []luaValue
	rest := luaValue{kind: luaNil}
	for _, x := range list {
		if _, ok := x.(*ast.Comma3Expr); ok {
			all = append(all, l.more...)
			continue
		}
		if _, ok := x.(*ast.FuncCallExpr); ok {
			rest = unknownLua("…")
		}
		all = append(all, l.expr(x))
	}
	for len(all) < count {
		all = append(all, rest)
	}
	return all[:max(count, 0)]
}

// arguments evaluates the arguments of a call.
func (l *lua) arguments(list []ast.Expr) []luaValue {
	count := len(list)
	if count > 0 {
		if _, ok := list[count-1].(*ast.Comma3Expr); ok {
			count += len(l.more) - 1
		}
	}
	return l.values(list, count)
}
