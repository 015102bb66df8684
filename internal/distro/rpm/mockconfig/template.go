package mockconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxRendered bounds what a template becomes.
const maxRendered = 4 << 20

// rendered replaces what Jinja would: "{{ name }}" by the option, "{# … #}" by
// nothing; of "{% if … %}" with elif and else the part that holds is kept, and
// "{% set name = … %}" sets an option. An option may be a template itself.
func (r *reader) rendered(text string) (string, error) {
	for range maxDepth {
		if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") && !strings.Contains(text, "{#") {
			return text, nil
		}
		next, err := r.render(text)
		if err != nil {
			return "", err
		}
		if len(next) > maxRendered {
			return "", fmt.Errorf("a template of more than %d bytes", maxRendered)
		}
		text = next
	}
	return "", errCircle
}

// A branch is an "if" that is open.
type branch struct {
	outer bool // the text around counts
	now   bool // the part under way counts
	done  bool // some part has counted
}

// maxDepth bounds how often templates stand for each other.
const maxDepth = 10

var errCircle = errors.New("templates that mean each other")

func (r *reader) render(text string) (string, error) {
	if r.depth++; r.depth > maxDepth {
		return "", errCircle
	}
	defer func() { r.depth-- }()
	var b strings.Builder
	var branches []branch
	counts := func() bool { return len(branches) == 0 || branches[len(branches)-1].now }
	for text != "" {
		at := strings.IndexByte(text, '{')
		if at < 0 || at+1 >= len(text) {
			at = len(text)
		}
		if counts() {
			b.WriteString(text[:at])
		}
		if text = text[at:]; text == "" {
			break
		}
		end, ok := map[byte]string{'{': "}}", '%': "%}", '#': "#}"}[text[1]]
		if !ok {
			if counts() {
				b.WriteByte('{')
			}
			text = text[1:]
			continue
		}
		inner, rest, ok := strings.Cut(text[2:], end)
		if !ok {
			return "", fmt.Errorf("%.40q has no end", text)
		}
		tag := strings.TrimSpace(strings.Trim(inner, "-+"))
		var err error
		switch {
		case end == "%}":
			branches, err = r.tag(tag, branches)
		case end == "}}" && counts():
			var v value
			if v, err = r.evaluate(tag); err == nil {
				b.WriteString(shown(v))
			}
		}
		if err != nil {
			return "", err
		}
		if text = rest; end == "%}" { // as trim_blocks does
			text = strings.TrimPrefix(text, "\n")
		}
	}
	if len(branches) > 0 {
		return "", fmt.Errorf("{%% if %%} has no {%% endif %%}")
	}
	return b.String(), nil
}

// shown is how Jinja prints a value.
func shown(v value) string {
	switch v {
	case nil:
		return ""
	case true:
		return "True"
	case false:
		return "False"
	}
	return fmt.Sprint(v)
}

// tag carries out "{% … %}".
func (r *reader) tag(tag string, branches []branch) ([]branch, error) {
	word, rest, _ := strings.Cut(tag, " ")
	last := len(branches) - 1
	counts := last < 0 || branches[last].now
	switch {
	case word == "if":
		holds := false
		if counts {
			var err error
			if holds, err = r.condition(rest); err != nil {
				return nil, err
			}
		}
		return append(branches, branch{outer: counts, now: holds, done: holds}), nil
	case word == "elif" && last >= 0, word == "else" && last >= 0:
		at := branches[last]
		at.now = at.outer && !at.done
		if at.now && word == "elif" {
			var err error
			if at.now, err = r.condition(rest); err != nil {
				return nil, err
			}
		}
		at.done = at.done || at.now
		return append(branches[:last], at), nil
	case word == "endif" && last >= 0:
		return branches[:last], nil
	case word == "set":
		name, text, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		if !counts {
			return branches, nil
		}
		v, err := r.evaluate(strings.TrimSpace(text))
		r.config[strings.TrimSpace(name)] = v
		return branches, err
	case !counts:
		return branches, nil
	}
	return nil, fmt.Errorf("{%% %.60s %%} cannot be read: of Jinja, smith knows variables, if, elif, else and set", tag)
}

// condition evaluates operands joined by "or" and "and", compared by ==, !=,
// in, or not in.
func (r *reader) condition(text string) (bool, error) {
	for part := range strings.SplitSeq(text, " or ") {
		holds := true
		for one := range strings.SplitSeq(part, " and ") {
			yes, err := r.comparison(strings.TrimSpace(one))
			if err != nil {
				return false, err
			}
			holds = holds && yes
		}
		if holds {
			return true, nil
		}
	}
	return false, nil
}

func (r *reader) comparison(text string) (bool, error) {
	if rest, ok := strings.CutPrefix(text, "not "); ok && !strings.Contains(text, " in ") {
		yes, err := r.comparison(strings.TrimSpace(rest))
		return !yes, err
	}
	for _, op := range []string{"==", "!=", " not in ", " in "} {
		left, right, ok := strings.Cut(text, op)
		if !ok {
			continue
		}
		a, err := r.evaluate(strings.TrimSpace(left))
		if err != nil {
			return false, err
		}
		b, err := r.evaluate(strings.TrimSpace(right))
		if err != nil {
			return false, err
		}
		equal := shown(a) == shown(b) && (a == nil) == (b == nil)
		switch op {
		case "==":
			return equal, nil
		case "!=":
			return !equal, nil
		}
		return contains(b, shown(a)) == (op == " in "), nil
	}
	v, err := r.evaluate(text)
	return v != nil && v != false && v != "" && v != int64(0), err
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

// evaluate returns what an expression stands for: an option's name, a literal,
// or a sum of these.
func (r *reader) evaluate(text string) (value, error) {
	if rest, ok := strings.CutPrefix(text, "not "); ok {
		holds, err := r.condition(rest)
		return !holds, err
	}
	sum := value("")
	for i, part := range strings.Split(text, " + ") {
		v, err := r.operand(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if i == 0 {
			sum = v
		} else {
			sum = plus(sum, v)
		}
	}
	return sum, nil
}

func (r *reader) operand(text string) (value, error) {
	if v, ok := r.config[text]; ok {
		if text == "repo_arch" && v == nil {
			v = r.config["target_arch"]
		}
		if s, ok := v.(string); ok && strings.Contains(s, "{{") && !strings.Contains(s, text) {
			return r.render(s)
		}
		return v, nil
	}
	switch text {
	case "releasever_major", "releasever_minor":
		major, minor, _ := strings.Cut(shown(r.config["releasever"]), ".")
		return map[string]value{"releasever_major": major, "releasever_minor": minor}[text], nil
	case "none":
		return nil, nil
	}
	p := &parser{text: text, line: 1, config: r.config}
	if v, err := p.expression(1, true); err == nil && strings.TrimSpace(p.rest()) == "" {
		return v, nil
	}
	if where, ok := r.unread[text]; ok {
		return nil, fmt.Errorf("{{ %.60s }}: %s sets it to what cannot be read without running Python", text, where)
	}
	if strings.ContainsAny(text, "()|[]{}'\" ") {
		return nil, fmt.Errorf("{{ %.60s }} cannot be read: of Jinja, smith knows variables, if, elif, else and set", text)
	}
	return nil, nil // as in mock, what nobody sets is empty
}
