package relation

import (
	"errors"
	"fmt"
	"strings"
)

// A Verb joins the parts of a rich dependency.
type Verb string

// The verbs (rpm's docs/manual/boolean_dependencies.md).
const (
	And     Verb = "and"
	Or      Verb = "or"
	If      Verb = "if"
	Unless  Verb = "unless"
	With    Verb = "with"
	Without Verb = "without"

	elseVerb Verb = "else"
)

// A Rich is a rich dependency: a Relation, where Verb is "", or a verb with
// its parts. If and Unless have two parts, or three with "else".
type Rich struct {
	Relation
	Verb  Verb
	Parts []Rich
}

// IsRich says whether the text of a dependency is a rich one.
func IsRich(text string) bool { return strings.HasPrefix(text, "(") }

// maxDepth bounds how deep rich dependencies stand in each other, maxParts how
// many relations one has.
const (
	maxDepth = 32
	maxParts = 4096
)

// ParseRich reads a rich dependency, "(a if b >= 1 else (c or d))".
func ParseRich(text string) (Rich, error) {
	p := &richParser{rest: text}
	r, err := p.group(0)
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%.80q follows its end", p.rest)
	}
	if err != nil {
		return Rich{}, fmt.Errorf("rich dependency %.200q: %w", text, err)
	}
	return r, nil
}

type richParser struct {
	rest  string
	parts int
}

// group reads what stands in parentheses.
func (p *richParser) group(depth int) (Rich, error) {
	if depth > maxDepth {
		return Rich{}, fmt.Errorf("more than %d parentheses in each other", maxDepth)
	}
	if !p.take("(") {
		return Rich{}, errors.New("it does not begin with a parenthesis")
	}
	first, err := p.operand(depth)
	if err != nil {
		return Rich{}, err
	}
	if p.take(")") {
		return first, nil
	}
	r := Rich{Parts: []Rich{first}}
	for {
		verb := Verb(p.word())
		if err := r.join(verb); err != nil {
			return Rich{}, err
		}
		next, err := p.operand(depth)
		if err != nil {
			return Rich{}, err
		}
		r.Parts = append(r.Parts, next)
		if p.take(")") {
			return r, nil
		}
	}
}

// join says whether a verb may follow the parts read so far.
func (r *Rich) join(verb Verb) error {
	switch verb {
	case And, Or, With, Without, If, Unless:
		chain := verb == And || verb == Or || verb == With
		if r.Verb == "" || r.Verb == verb && chain {
			r.Verb = verb
			return nil
		}
		return fmt.Errorf("%q follows %q without parentheses", verb, r.Verb)
	case elseVerb:
		if (r.Verb == If || r.Verb == Unless) && len(r.Parts) == 2 {
			return nil
		}
	}
	return fmt.Errorf("%.80q where a verb should stand", verb)
}

// operand reads a relation or a group.
func (p *richParser) operand(depth int) (Rich, error) {
	if p.parts++; p.parts > maxParts {
		return Rich{}, fmt.Errorf("more than %d relations", maxParts)
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	if strings.HasPrefix(p.rest, "(") {
		return p.group(depth + 1)
	}
	name := p.word()
	if name == "" {
		return Rich{}, errors.New("a name is missing")
	}
	r := Rich{Relation: Relation{Name: name}}
	before := p.rest
	op, known := ParseOp(p.word())
	if !known || op == 0 {
		p.rest = before
		return r, nil
	}
	version := p.word()
	if version == "" {
		return Rich{}, fmt.Errorf("the version of %s is missing", name)
	}
	r.Op, r.EVR = op, ParseEVR(version)
	return r, nil
}

// word reads up to a space, or to a parenthesis that the word did not open:
// names such as "libc.so.6()(64bit)" hold them. It is "" where one is not
// closed.
func (p *richParser) word() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	open := 0
	for i := range len(p.rest) {
		switch c := p.rest[i]; {
		case (c == ' ' || c == '\t') && open > 0:
			return ""
		case c == ' ' || c == '\t' || c == ')' && open == 0:
			return p.cut(i)
		case c == '(':
			open++
		case c == ')':
			open--
		}
	}
	return "" // nothing closes the group
}

func (p *richParser) cut(n int) string {
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}

// take reads one byte, if it stands next.
func (p *richParser) take(what string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	rest, ok := strings.CutPrefix(p.rest, what)
	p.rest = rest
	return ok
}

// String writes the dependency as a spec file does.
func (r Rich) String() string {
	if r.Verb == "" {
		return r.Relation.String()
	}
	var b strings.Builder
	b.WriteString("(" + r.Parts[0].String())
	for i, part := range r.Parts[1:] {
		verb := r.Verb
		if i == 1 && (verb == If || verb == Unless) {
			verb = elseVerb
		}
		b.WriteString(" " + string(verb) + " " + part.String())
	}
	return b.String() + ")"
}
