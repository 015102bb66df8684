package scriptlet

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

func (e *evaluator) forClause(c *syntax.ForClause) flow {
	loop, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		return e.either(func() flow { return e.round(c.Do) }, func() flow { return onward })
	}
	items := slices.Clone(e.args)
	if loop.InPos.IsValid() {
		items = nil
		for _, w := range loop.Items {
			items = append(items, e.fields(w)...)
		}
	}
	for i, item := range items {
		if i == maxRound {
			e.note(Effect{Class: Unhandled, Command: "for …", Line: int(c.Pos().Line()), Why: "the loop is too long to be followed"})
			break
		}
		e.vars[loop.Name.Value] = item
		if f := e.run(c.Do); f == leaveLoop {
			break
		} else if f > nextRound {
			return f
		}
	}
	return onward
}

// round follows the body of a loop once.
func (e *evaluator) round(body []*syntax.Stmt) flow {
	if f := e.run(body); f > nextRound {
		return f
	}
	return onward
}

func (e *evaluator) whileClause(c *syntax.WhileClause) flow {
	for range maxRound {
		if f := e.run(c.Cond); f != onward {
			return f
		}
		if c.Until {
			e.status = not(e.status)
		}
		switch e.status {
		case no:
			e.status = yes
			return onward
		case maybe:
			// What one round changes, another may change again.
			return e.either(func() flow { return e.round(c.Do) }, func() flow { return onward })
		}
		if f := e.run(c.Do); f == leaveLoop {
			return onward
		} else if f > nextRound {
			return f
		}
	}
	e.note(Effect{Class: Unhandled, Command: "while …", Line: int(c.Pos().Line()), Why: "the loop is too long to be followed"})
	return onward
}
