package scriptlet

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// expr evaluates an expression, with the effects of the calls in it.
func (l *lua) expr(x ast.Expr) luaValue {
	if l.nesting++; l.nesting > maxNesting {
		l.nesting--
		return unknownLua("…")
	}
	defer func() { l.nesting-- }()
	switch x := x.(type) {
	case *ast.NilExpr:
		return luaValue{kind: luaNil}
	case *ast.TrueExpr:
		return luaValue{kind: luaBool, truth: true}
	case *ast.FalseExpr:
		return luaValue{kind: luaBool}
	case *ast.NumberExpr:
		return luaValue{kind: luaNumber, text: x.Value}
	case *ast.StringExpr:
		return luaValue{kind: luaText, text: x.Value}
	case *ast.IdentExpr:
		if v, ok := l.vars[x.Value]; ok {
			return v
		}
		return luaValue{kind: luaBuiltin, text: x.Value}
	case *ast.FunctionExpr:
		return luaValue{kind: luaFunction, body: x}
	case *ast.TableExpr:
		return l.table(x)
	case *ast.AttrGetExpr:
		return l.index(l.expr(x.Object), l.expr(x.Key))
	case *ast.FuncCallExpr:
		return l.call(x)
	case *ast.StringConcatOpExpr:
		v := l.expr(x.Lhs).word().plus(l.expr(x.Rhs).word())
		if v.known {
			return luaValue{kind: luaText, text: v.text}
		}
		return unknownLua(v.text)
	case *ast.RelationalOpExpr:
		return luaTruth(compare(l.expr(x.Lhs), x.Operator, l.expr(x.Rhs)), "…")
	case *ast.LogicalOpExpr:
		return l.logical(x)
	case *ast.UnaryNotOpExpr:
		return luaTruth(not(l.expr(x.Expr).condition()), "…")
	case *ast.ArithmeticOpExpr:
		l.expr(x.Lhs)
		l.expr(x.Rhs)
	case *ast.UnaryMinusOpExpr:
		if v := l.expr(x.Expr); v.kind == luaNumber {
			return luaValue{kind: luaNumber, text: "-" + v.text}
		}
	case *ast.UnaryLenOpExpr:
		l.expr(x.Expr)
	}
	return unknownLua("…")
}

// table is a list where no element has a name.
func (l *lua) table(x *ast.TableExpr) luaValue {
	v := luaValue{kind: luaList}
	for _, f := range x.Fields {
		item := l.expr(f.Value)
		if f.Key != nil {
			v = unknownLua("{…}")
		} else if v.kind == luaList {
			v.list = append(v.list, item)
		}
	}
	return v
}

// index is an element of a list, or a function of a module.
func (l *lua) index(object, key luaValue) luaValue {
	switch {
	case object.kind == luaBuiltin && key.kind == luaText:
		return luaValue{kind: luaBuiltin, text: object.text + "." + key.text}
	case object.kind == luaList && key.kind == luaNumber:
		i, err := strconv.Atoi(key.text)
		if err == nil && i >= 1 && i <= len(object.list) {
			return object.list[i-1]
		}
		return luaValue{kind: luaNil}
	}
	return unknownLua(object.word().text + "." + key.word().text)
}

func (l *lua) logical(x *ast.LogicalOpExpr) luaValue {
	first := l.expr(x.Lhs)
	stays := no // the first operand is the result where it is false
	if x.Operator == "or" {
		stays = yes
	}
	switch first.condition() {
	case stays:
		return first
	case maybe:
		var second luaValue
		l.either(func() flow { second = l.expr(x.Rhs); return onward }, func() flow { return onward })
		if second.condition() == stays {
			return luaTruth(stays, "")
		}
		return unknownLua("…")
	}
	return l.expr(x.Rhs)
}

// compare evaluates ==, ~=, <, >, <= and >=.
func compare(a luaValue, operator string, b luaValue) truth {
	if a.kind == luaUnknown || b.kind == luaUnknown || a.kind == luaBuiltin || b.kind == luaBuiltin {
		return maybe
	}
	if number := (a.kind == luaNumber) != (b.kind == luaNumber); number && (a.kind == luaText || b.kind == luaText) {
		return maybe // rpm's arguments are numbers in some versions
	}
	same := a.kind == b.kind && a.text == b.text && a.truth == b.truth && a.list == nil && b.list == nil
	switch operator {
	case "==":
		return truthOf(same)
	case "~=":
		return truthOf(!same)
	}
	x, first := strconv.ParseFloat(a.text, 64)
	y, second := strconv.ParseFloat(b.text, 64)
	if a.kind != luaNumber || b.kind != luaNumber || first != nil || second != nil {
		return maybe
	}
	switch operator {
	case "<":
		return truthOf(x < y)
	case ">":
		return truthOf(x > y)
	case "<=":
		return truthOf(x <= y)
	}
	return truthOf(x >= y)
}

// call follows a call. Methods are those of strings and open files, which
// change nothing that opening the file does not tell.
func (l *lua) call(x *ast.FuncCallExpr) luaValue {
	if x.Func == nil {
		receiver := l.expr(x.Receiver)
		l.arguments(x.Args)
		return unknownLua(receiver.word().text + ":" + x.Method + "()")
	}
	f, args := l.expr(x.Func), l.arguments(x.Args)
	switch f.kind {
	case luaFunction:
		return l.follow(f.body, args, x.Line())
	case luaBuiltin:
		return l.builtinCall(f.text, args, x.Line())
	}
	l.effect(Effect{Class: Unhandled, Why: "the function is not known"}, append([]value{f.word()}, words(args)...), x.Line())
	return unknownLua("…")
}

// follow follows a function of the script.
func (l *lua) follow(f *ast.FunctionExpr, args []luaValue, line int) luaValue {
	if l.depth++; l.depth > maxDepth {
		l.note(Effect{Class: Unhandled, Command: "…", Line: line, Why: "its functions call each other too deep to be followed"})
		l.depth--
		return unknownLua("…")
	}
	outer, outerMore := map[string]luaValue{}, l.more
	for i, name := range f.ParList.Names {
		if v, ok := l.vars[name]; ok {
			outer[name] = v
		}
		if l.vars[name] = (luaValue{kind: luaNil}); i < len(args) {
			l.vars[name] = args[i]
		}
	}
	l.more = args[min(len(args), len(f.ParList.Names)):]
	l.result = luaValue{kind: luaNil}
	if l.block(f.Stmts) == leaveScript {
		l.ended = true
	}
	for _, name := range f.ParList.Names {
		delete(l.vars, name)
	}
	for name, v := range outer {
		l.vars[name] = v
	}
	l.more = outerMore
	l.depth--
	return l.result
}
