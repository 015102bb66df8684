package mockconfig

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// evaluate returns what an expression of Jinja stands for: names of options,
// literals, arithmetic, comparisons, filters, and calls of range and of macros.
func (r *reader) evaluate(text string) (value, error) {
	e := &expression{parser: parser{text: text, line: 1, config: r.config}, reader: r}
	v, err := e.or(0)
	if e.space(true); err == nil && e.rest() != "" {
		err = errNoValue
	}
	if errors.Is(err, errNoValue) {
		return nil, fmt.Errorf("cannot read {{ %.60s }}: of Jinja, smith knows names, literals, comparisons, arithmetic, range, macros and some filters", text)
	}
	return v, err
}

// An expression reads an expression and works it out as it goes.
type expression struct {
	parser
	reader *reader
}

// word takes a word, such as "and", if it stands next.
func (e *expression) keyword(word string) bool {
	e.space(true)
	rest, ok := strings.CutPrefix(e.rest(), word)
	if !ok || rest != "" && isWord(rest[0]) {
		return false
	}
	e.advance(len(word))
	return true
}

// sign takes the first of some signs that stands next.
func (e *expression) sign(signs ...string) string {
	e.space(true)
	for _, s := range signs {
		if e.take(s) {
			return s
		}
	}
	return ""
}

func (e *expression) or(depth int) (value, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("an expression nests more than %d deep", maxNesting)
	}
	v, err := e.and(depth)
	for err == nil && e.keyword("or") {
		var other value
		if other, err = e.and(depth); !truth(v) {
			v = other
		}
	}
	return v, err
}

func (e *expression) and(depth int) (value, error) {
	v, err := e.not(depth)
	for err == nil && e.keyword("and") {
		var other value
		if other, err = e.not(depth); truth(v) {
			v = other
		}
	}
	return v, err
}

func (e *expression) not(depth int) (value, error) {
	negated := false
	for e.keyword("not") {
		negated = !negated
	}
	v, err := e.comparison(depth)
	if negated {
		return !truth(v), err
	}
	return v, err
}

func (e *expression) comparison(depth int) (value, error) {
	a, err := e.sum(depth)
	if err != nil {
		return nil, err
	}
	op := e.sign("==", "!=", "<=", ">=", "<", ">")
	switch {
	case op != "":
	case e.keyword("in"):
		op = "in"
	case e.keyword("not"):
		if op = "not in"; !e.keyword("in") {
			return nil, errNoValue
		}
	case e.keyword("is"):
		return e.test(a)
	default:
		return a, nil
	}
	b, err := e.sum(depth)
	if err != nil {
		return nil, err
	}
	return compare(op, a, b)
}

// test works out "is defined", "is none" and their negations.
func (e *expression) test(a value) (value, error) {
	negated := e.keyword("not")
	switch {
	case e.keyword("defined"):
		return (a != nil) != negated, nil
	case e.keyword("undefined"), e.keyword("none"):
		return (a == nil) != negated, nil
	}
	return nil, errNoValue
}

func compare(op string, a, b value) (value, error) {
	equal := shown(a) == shown(b) && (a == nil) == (b == nil)
	switch op {
	case "==":
		return equal, nil
	case "!=":
		return !equal, nil
	case "in", "not in":
		return contains(b, shown(a)) == (op == "in"), nil
	}
	var order int
	switch a := a.(type) {
	case int64:
		other, ok := b.(int64)
		if !ok {
			return nil, errNoValue
		}
		order = int(min(1, max(-1, a-other)))
	case string:
		other, ok := b.(string)
		if !ok {
			return nil, errNoValue
		}
		order = strings.Compare(a, other)
	default:
		return nil, errNoValue
	}
	return map[string]bool{"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[op], nil
}

func contains(v value, text string) bool {
	switch v := v.(type) {
	case list:
		return slices.ContainsFunc(v, func(one value) bool { return shown(one) == text })
	case string:
		return strings.Contains(v, text)
	}
	return false
}

func (e *expression) sum(depth int) (value, error) {
	v, err := e.operand(depth)
	for err == nil {
		op := e.sign("+", "-", "~")
		if op == "" {
			return v, nil
		}
		var other value
		if other, err = e.operand(depth); err != nil {
			return nil, err
		}
		a, isA := v.(int64)
		b, isB := other.(int64)
		switch {
		case op == "~":
			v = shown(v) + shown(other)
		case op == "+":
			v = plus(v, other)
		case isA && isB:
			v = a - b
		default:
			return nil, errNoValue
		}
		if s, ok := v.(string); ok && len(s) > maxRendered {
			return nil, errWork
		}
	}
	return nil, err
}

// operand reads a value and the filters that follow it.
func (e *expression) operand(depth int) (value, error) {
	v, err := e.primary(depth)
	for err == nil && e.sign("|") != "" {
		e.space(true)
		name := e.name()
		var args []value
		if e.sign("(") != "" {
			if args, err = e.arguments(depth, ")"); err != nil {
				return nil, err
			}
		}
		v, err = filter(name, v, args)
	}
	return v, err
}

func (e *expression) primary(depth int) (value, error) {
	e.space(true)
	rest := e.rest()
	switch {
	case rest == "":
		return nil, errNoValue
	case quoteAt(rest) == 0:
		return e.strings(1)
	case e.take("("):
		v, err := e.or(depth + 1)
		if err == nil && e.sign(")") == "" {
			err = errNoValue
		}
		return v, err
	case e.take("["):
		items, err := e.arguments(depth, "]")
		return list(items), err
	case '0' <= rest[0] && rest[0] <= '9':
		n, err := strconv.ParseInt(e.name(), 10, 64)
		if err != nil {
			return nil, errNoValue
		}
		return n, nil
	case strings.HasPrefix(rest, "config_opts["):
		return e.word()
	}
	name := e.name()
	if name == "" {
		return nil, errNoValue
	}
	if e.sign("(") == "" {
		return e.reader.named(name)
	}
	args, err := e.arguments(depth, ")")
	if err != nil {
		return nil, err
	}
	if m := e.reader.macros[name]; m != nil {
		return e.reader.call(m, args)
	}
	if name == "range" {
		return numbers(args)
	}
	return nil, errNoValue
}

// arguments reads a list of expressions up to its end.
func (e *expression) arguments(depth int, end string) ([]value, error) {
	var all []value
	for e.sign(end) == "" {
		v, err := e.or(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if e.sign(",") == "" && !strings.HasPrefix(e.rest(), end) {
			return nil, errNoValue
		}
	}
	return all, nil
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// isName reports whether a text is a name that a template may set.
func isName(text string) bool {
	for i := range len(text) {
		if !isWord(text[i]) {
			return false
		}
	}
	return text != ""
}

// name takes the letters, digits and underscores that stand next.
func (e *expression) name() string {
	n := 0
	for rest := e.rest(); n < len(rest) && isWord(rest[n]); {
		n++
	}
	name := e.rest()[:n]
	e.advance(n)
	return name
}

// numbers is range.
func numbers(args []value) (value, error) {
	ints := make([]int64, len(args))
	for i, a := range args {
		n, ok := a.(int64)
		if !ok {
			return nil, errNoValue
		}
		ints[i] = n
	}
	var from, to int64
	switch len(ints) {
	case 1:
		to = ints[0]
	case 2:
		from, to = ints[0], ints[1]
	default:
		return nil, errNoValue
	}
	if to-from > maxWork {
		return nil, errWork
	}
	all := list{}
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all, nil
}

// filter is what Jinja's filter of that name does.
func filter(name string, v value, args []value) (value, error) {
	text := shown(v)
	switch {
	case name == "int" && len(args) == 0:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return int64(0), nil //nolint:nilerr // as Jinja does
		}
		return n, nil
	case name == "string" && len(args) == 0:
		return text, nil
	case name == "lower" && len(args) == 0:
		return strings.ToLower(text), nil
	case name == "upper" && len(args) == 0:
		return strings.ToUpper(text), nil
	case name == "trim" && len(args) == 0:
		return strings.TrimSpace(text), nil
	case name == "default" && len(args) == 1:
		if v == nil {
			return args[0], nil
		}
		return v, nil
	case name == "replace" && len(args) == 2:
		return strings.ReplaceAll(text, shown(args[0]), shown(args[1])), nil
	}
	return nil, errNoValue
}

// named returns the option of a name. One that nothing sets is empty, as in
// mock.
func (r *reader) named(name string) (value, error) {
	if v, ok := r.config[name]; ok {
		if name == "repo_arch" && v == nil {
			v = r.config["target_arch"]
		}
		if s, ok := v.(string); ok && strings.Contains(s, "{{") && !strings.Contains(s, name) {
			return r.render(s)
		}
		return v, nil
	}
	switch name {
	case "releasever_major", "releasever_minor":
		major, minor, _ := strings.Cut(shown(r.config["releasever"]), ".")
		return map[string]value{"releasever_major": major, "releasever_minor": minor}[name], nil
	case "none", "None":
		return nil, nil
	case "true", "True":
		return true, nil
	case "false", "False":
		return false, nil
	}
	if where, ok := r.unread[name]; ok {
		return nil, fmt.Errorf("{{ %s }}: %s sets it to what cannot be read without running Python", name, where)
	}
	return nil, nil
}
