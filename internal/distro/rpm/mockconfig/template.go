package mockconfig

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxRendered bounds what a template becomes, and maxWork the tags carried
	// out for one configuration.
	maxRendered = 4 << 20
	maxWork     = 100_000
	// maxDepth bounds how often templates stand for each other, maxTags how
	// deeply the tags of one template nest.
	maxDepth = 10
	maxTags  = 50
)

var (
	errCircle = errors.New("templates that mean each other")
	errWork   = fmt.Errorf("templates of more than %d steps", maxWork)
)

// rendered replaces what Jinja would, as often as the result is a template
// again: an option may hold one.
func (r *reader) rendered(text string) (string, error) {
	for range maxDepth {
		if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") && !strings.Contains(text, "{#") {
			return text, nil
		}
		next, err := r.render(text)
		if err != nil {
			return "", err
		}
		text = next
	}
	return "", errCircle
}

// render carries out a template once: "{{ … }}" is replaced by the value,
// "{# … #}" by nothing, and the tags if, for, set and macro do what they say.
func (r *reader) render(text string) (string, error) {
	if r.depth++; r.depth > maxDepth {
		return "", errCircle
	}
	defer func() { r.depth-- }()
	pieces, err := split(text)
	if err != nil {
		return "", err
	}
	p := &templateParser{pieces: pieces}
	nodes, end, err := p.block(0)
	if err == nil && end != "" {
		err = errTag(end)
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := r.write(&b, nodes); err != nil {
		return "", err
	}
	return b.String(), nil
}

func errTag(tag string) error {
	return fmt.Errorf("cannot read {%% %.60s %%}: of Jinja, smith knows the tags if, for, set and macro", tag)
}

// A piece of a template is text, or what stands in "{{ }}" or "{% %}".
type piece struct {
	kind byte // 0 for text, '{' or '%'
	text string
}

// split takes a template apart. A "-" within a tag strips the white space on
// its side; the end of a line after a tag is dropped, as trim_blocks does.
func split(text string) ([]piece, error) {
	var pieces []piece
	for text != "" {
		at := strings.IndexByte(text, '{')
		for at >= 0 && (at+1 >= len(text) || !strings.ContainsRune("{%#", rune(text[at+1]))) {
			next := strings.IndexByte(text[at+1:], '{')
			if next < 0 {
				at = -1
				break
			}
			at += 1 + next
		}
		if at < 0 {
			return append(pieces, piece{0, text}), nil
		}
		kind := text[at+1]
		inner, rest, ok := strings.Cut(text[at+2:], map[byte]string{'{': "}}", '%': "%}", '#': "#}"}[kind])
		if !ok {
			return nil, fmt.Errorf("%.40q has no end", text[at:])
		}
		before := text[:at]
		if strings.HasPrefix(inner, "-") {
			before = strings.TrimRight(before, " \t\r\n")
		}
		pieces = append(pieces, piece{0, before})
		if strings.HasSuffix(inner, "-") {
			rest = strings.TrimLeft(rest, " \t\r\n")
		} else if kind == '%' {
			rest = strings.TrimPrefix(rest, "\n")
		}
		if kind != '#' {
			pieces = append(pieces, piece{kind, strings.TrimSpace(strings.Trim(inner, "-+"))})
		}
		text = rest
	}
	return pieces, nil
}

// A node is a part of a template.
type node struct {
	kind string // "text", "value", "if", "for", "set", "macro"
	text string // the text; the expression of a value; a name
	// branches are those of an if, with their conditions; else there is one:
	// the body.
	branches []branch
	params   []string
}

type branch struct {
	test string // "" always holds
	body []node
}

type templateParser struct {
	pieces []piece
	at     int
}

// block reads nodes up to a tag that belongs to the tag around, and returns
// that.
func (p *templateParser) block(depth int) (nodes []node, end string, err error) {
	for p.at < len(p.pieces) {
		one := p.pieces[p.at]
		p.at++
		if one.kind != '%' {
			kind := "text"
			if one.kind == '{' {
				kind = "value"
			}
			nodes = append(nodes, node{kind: kind, text: one.text})
			continue
		}
		word, rest, _ := strings.Cut(one.text, " ")
		switch word {
		case "elif", "else", "endif", "endfor", "endmacro":
			return nodes, one.text, nil
		}
		if depth >= maxTags {
			return nil, "", fmt.Errorf("tags nest more than %d deep", maxTags)
		}
		n, err := p.tag(word, strings.TrimSpace(rest), one.text, depth+1)
		if err != nil {
			return nil, "", err
		}
		nodes = append(nodes, n)
	}
	return nodes, "", nil
}

// tag reads a tag with what belongs to it.
func (p *templateParser) tag(word, rest, text string, depth int) (node, error) {
	switch word {
	case "set":
		name, value, ok := strings.Cut(rest, "=")
		if ok {
			return node{kind: "set", text: strings.TrimSpace(name), params: []string{strings.TrimSpace(value)}}, nil
		}
	case "if":
		return p.conditional(rest, depth)
	case "for":
		name, list, ok := strings.Cut(rest, " in ")
		if ok && isName(strings.TrimSpace(name)) {
			return p.body(node{kind: "for", text: strings.TrimSpace(name), params: []string{strings.TrimSpace(list)}}, "endfor", depth)
		}
	case "macro":
		name, list, ok := strings.Cut(strings.TrimSuffix(rest, ")"), "(")
		n := node{kind: "macro", text: strings.TrimSpace(name)}
		for param := range strings.SplitSeq(list, ",") {
			if param = strings.TrimSpace(param); param != "" {
				ok = ok && isName(param)
				n.params = append(n.params, param)
			}
		}
		if ok {
			return p.body(n, "endmacro", depth)
		}
	}
	return node{}, errTag(text)
}

func (p *templateParser) body(n node, end string, depth int) (node, error) {
	nodes, found, err := p.block(depth)
	if err == nil && found != end {
		err = fmt.Errorf("{%% %s %%} has no {%% %s %%}", n.kind, end)
	}
	n.branches = []branch{{body: nodes}}
	return n, err
}

func (p *templateParser) conditional(test string, depth int) (node, error) {
	n := node{kind: "if"}
	for {
		nodes, end, err := p.block(depth)
		if err != nil {
			return n, err
		}
		n.branches = append(n.branches, branch{test, nodes})
		word, rest, _ := strings.Cut(end, " ")
		switch word {
		case "endif":
			return n, nil
		case "elif":
			test = strings.TrimSpace(rest)
		case "else":
			test = ""
		default:
			return n, errors.New("{% if %} has no {% endif %}")
		}
	}
}

// write carries out nodes.
func (r *reader) write(b *strings.Builder, nodes []node) error {
	for i := range nodes {
		if r.work++; r.work > maxWork {
			return errWork
		}
		if err := r.writeNode(b, &nodes[i]); err != nil {
			return err
		}
		if b.Len() > maxRendered {
			return fmt.Errorf("a template of more than %d bytes", maxRendered)
		}
	}
	return nil
}

func (r *reader) writeNode(b *strings.Builder, n *node) error {
	switch n.kind {
	case "text":
		b.WriteString(n.text)
	case "value":
		v, err := r.evaluate(n.text)
		if err != nil {
			return err
		}
		b.WriteString(shown(v))
	case "set":
		v, err := r.evaluate(n.params[0])
		r.config[n.text] = v
		return err
	case "macro":
		if r.macros == nil {
			r.macros = map[string]*node{}
		}
		r.macros[n.text] = n
	case "if":
		for _, branch := range n.branches {
			holds := branch.test == ""
			if !holds {
				v, err := r.evaluate(branch.test)
				if err != nil {
					return err
				}
				holds = truth(v)
			}
			if holds {
				return r.write(b, branch.body)
			}
		}
	case "for":
		v, err := r.evaluate(n.params[0])
		if err != nil {
			return err
		}
		items, ok := v.(list)
		if !ok {
			return fmt.Errorf("{%% for %s in %.60s %%}: not a list", n.text, n.params[0])
		}
		return r.each(n.text, items, func() error { return r.write(b, n.branches[0].body) })
	}
	return nil
}

// each calls do with a name set to each item, and sets it back.
func (r *reader) each(name string, items list, do func() error) error {
	old, had := r.config[name]
	for _, item := range items {
		r.config[name] = item
		if err := do(); err != nil {
			return err
		}
	}
	delete(r.config, name)
	if had {
		r.config[name] = old
	}
	return nil
}

// call returns what a macro becomes.
func (r *reader) call(m *node, args []value) (value, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, errCircle
	}
	defer func() { r.depth-- }()
	if len(args) != len(m.params) {
		return nil, fmt.Errorf("%s takes %d arguments", m.text, len(m.params))
	}
	var b strings.Builder
	do := func() error { return r.write(&b, m.branches[0].body) }
	for i, param := range m.params {
		inner := do
		do = func() error { return r.each(param, list{args[i]}, inner) }
	}
	err := do()
	return b.String(), err
}

// shown is how Jinja prints a value.
func shown(v value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return fmt.Sprint(v)
}

// truth is Python's.
func truth(v value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case list:
		return len(v) > 0
	}
	return true
}
