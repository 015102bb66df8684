package scriptlet

import (
	"maps"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds of how far a script is followed.
const (
	maxSteps = 20_000
	maxDepth = 40
	maxRound = 200 // rounds of one loop
	// maxCopied is how many variables are copied in the time of a step.
	maxCopied = 20
)

// A truth is the status of a command.
type truth uint8

const (
	maybe truth = iota
	yes
	no
)

func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A flow says where a script goes on after a statement.
type flow uint8

const (
	onward flow = iota
	leaveLoop
	nextRound
	leaveFunction
	leaveScript
)

// An evaluator follows a script.
type evaluator struct {
	script    Script
	vars      map[string]value
	args      []value // $1 and on
	functions map[string]*syntax.Stmt
	status    truth
	line      int // of the command whose text is followed; 0 for the script's own
	steps     int
	depth     int
	draft     string // what a temporary file is a copy of, "" where that is not known
	effects   []Effect
	seen      map[string]bool               // commands that are among the effects
	watch     func(words []value, line int) // sees each command; nil where nobody looks
}

func newEvaluator(s Script) *evaluator {
	e := &evaluator{script: s, vars: map[string]value{}, functions: map[string]*syntax.Stmt{}, seen: map[string]bool{}}
	for _, a := range s.Args {
		e.args = append(e.args, value{a, true})
	}
	for name, text := range s.Env {
		e.vars[name] = value{text, true}
	}
	return e
}

// note adds an effect, unless it is there already.
func (e *evaluator) note(f Effect) {
	f.Command = strings.ToValidUTF8(f.Command, "?")
	if key := string(f.Class) + f.Command; !e.seen[key] {
		e.seen[key] = true
		e.effects = append(e.effects, f)
	}
}

// run follows statements one after another.
func (e *evaluator) run(stmts []*syntax.Stmt) flow {
	for _, s := range stmts {
		if f := e.stmt(s); f != onward {
			return f
		}
	}
	return onward
}

func (e *evaluator) stmt(s *syntax.Stmt) flow {
	if e.steps++; e.steps > maxSteps {
		e.note(Effect{Class: Unhandled, Command: "…", Line: int(s.Pos().Line()), Why: "the script is too long to be followed"})
		return leaveScript
	}
	for _, r := range s.Redirs {
		e.redirect(s, r)
	}
	f := e.command(s)
	if s.Negated {
		e.status = not(e.status)
	}
	return f
}

func (e *evaluator) command(s *syntax.Stmt) flow {
	switch c := s.Cmd.(type) {
	case nil:
		e.status = yes
	case *syntax.CallExpr:
		return e.call(c)
	case *syntax.IfClause:
		return e.ifClause(c)
	case *syntax.CaseClause:
		return e.caseClause(c)
	case *syntax.ForClause:
		return e.forClause(c)
	case *syntax.WhileClause:
		return e.whileClause(c)
	case *syntax.BinaryCmd:
		return e.binary(c)
	case *syntax.Block:
		return e.run(c.Stmts)
	case *syntax.Subshell:
		e.aside(c.Stmts)
	case *syntax.FuncDecl:
		if c.Name != nil {
			e.functions[c.Name.Value] = c.Body
		}
		e.status = yes
	case *syntax.DeclClause:
		for _, a := range c.Args {
			if a.Name != nil && (!a.Naked || c.Variant.Value == "local") {
				e.assign(a)
			}
		}
		e.status = yes
	case *syntax.TestClause:
		e.status = e.testExpr(c.X)
	case *syntax.TimeClause:
		if c.Stmt != nil {
			return e.stmt(c.Stmt)
		}
	default:
		e.status = maybe // arithmetic and the like change nothing outside
	}
	return onward
}

// aside follows statements of a subshell: what they assign is lost, and they
// cannot leave the script.
func (e *evaluator) aside(stmts []*syntax.Stmt) {
	vars := maps.Clone(e.vars)
	e.run(stmts)
	e.vars = vars
}

// either follows ways of which one is taken, nobody knows which.
func (e *evaluator) either(ways ...func() flow) flow {
	before := e.vars
	e.steps += len(before) / maxCopied
	var after map[string]value
	left := leaveScript
	for _, way := range ways {
		e.vars = maps.Clone(before)
		f := way()
		if f != onward {
			left = min(left, f)
			continue
		}
		if after == nil {
			after = e.vars
			continue
		}
		after = merged(after, e.vars)
	}
	e.status = maybe
	if after == nil {
		e.vars = before
		return left
	}
	e.vars = after
	return onward
}

// merged keeps what both know.
func merged(a, b map[string]value) map[string]value {
	all := map[string]value{}
	for _, vars := range []map[string]value{a, b} {
		for name := range vars {
			if all[name] = a[name]; a[name] != b[name] {
				all[name] = value{"$" + name, false}
			}
		}
	}
	return all
}

func (e *evaluator) ifClause(c *syntax.IfClause) flow {
	if len(c.Cond) == 0 { // else
		return e.run(c.Then)
	}
	if f := e.run(c.Cond); f != onward {
		return f
	}
	then := func() flow { return e.run(c.Then) }
	otherwise := func() flow {
		if c.Else == nil {
			e.status = yes
			return onward
		}
		return e.ifClause(c.Else)
	}
	switch e.status {
	case yes:
		return then()
	case no:
		return otherwise()
	}
	return e.either(then, otherwise)
}

func (e *evaluator) caseClause(c *syntax.CaseClause) flow {
	word := e.single(c.Word)
	var ways []func() flow
	for _, item := range c.Items {
		match := no
		for _, p := range item.Patterns {
			if t := e.match(word, p); t == yes || match == no {
				match = t
			}
			if match == yes {
				break
			}
		}
		if match == no {
			continue
		}
		ways = append(ways, func() flow { return e.run(item.Stmts) })
		if match == yes {
			break
		}
	}
	if len(ways) == 0 {
		return onward
	}
	if len(ways) == 1 && word.known {
		return ways[0]()
	}
	return e.either(append(ways, func() flow { return onward })...)
}

func (e *evaluator) binary(c *syntax.BinaryCmd) flow {
	switch c.Op {
	case syntax.AndStmt, syntax.OrStmt:
		if f := e.stmt(c.X); f != onward {
			return f
		}
		goesOn := yes
		if c.Op == syntax.OrStmt {
			goesOn = no
		}
		switch e.status {
		case goesOn:
			return e.stmt(c.Y)
		case maybe:
			return e.either(func() flow { return e.stmt(c.Y) }, func() flow { return onward })
		}
	default: // pipes: each side is a subshell
		e.aside([]*syntax.Stmt{c.X})
		e.aside([]*syntax.Stmt{c.Y})
		e.status = maybe
	}
	return onward
}

// call follows a simple command.
func (e *evaluator) call(c *syntax.CallExpr) flow {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			e.assign(a)
		}
		e.status = yes
		return onward
	}
	var words []value
	for _, w := range c.Args {
		words = append(words, e.fields(w)...)
	}
	if len(words) == 0 {
		e.status = yes
		return onward
	}
	line := int(c.Pos().Line())
	if body := e.functions[words[0].text]; body != nil && words[0].known {
		return e.function(body, words[1:], line)
	}
	return e.simple(words, line)
}

// function follows a function of the script.
func (e *evaluator) function(body *syntax.Stmt, args []value, line int) flow {
	if e.depth++; e.depth > maxDepth {
		e.note(Effect{Class: Unhandled, Command: "…", Line: line, Why: "its functions call each other too deep to be followed"})
		e.depth--
		return onward
	}
	outer := e.args
	e.args = args
	f := e.stmt(body)
	e.args = outer
	e.depth--
	if f == leaveScript {
		return f
	}
	return onward
}

func (e *evaluator) assign(a *syntax.Assign) {
	name := a.Name.Value
	switch {
	case a.Array != nil || a.Index != nil:
		e.vars[name] = value{"$" + name, false}
	case a.Value == nil:
		e.vars[name] = value{"", true}
	case a.Append:
		old, v := e.variable(name), e.single(a.Value)
		e.vars[name] = value{old.text + v.text, old.known && v.known}
	default:
		e.vars[name] = e.single(a.Value)
	}
}
