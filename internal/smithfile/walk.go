package smithfile

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A field is one key of smith.yaml, as the tags of a struct in spec.go tell it.
type field struct {
	index int
	// owner is the struct's name, name the field's: where its comment is.
	owner, name string
	// key is how it is written, alias another way of writing it or "".
	key, alias string
	byDefault  string
	// single says that a list may be written as the one element that it holds;
	// every list with an alias may.
	single bool
	// filled says that a key which is written must hold something.
	filled bool
	// word stands for the whole map where this key, a boolean, is true.
	word  string
	rule  rule
	keys  rule
	shape reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, field{
			index: i, owner: t.Name(), name: f.Name,
			key: key, alias: f.Tag.Get("alias"), byDefault: f.Tag.Get("default"),
			single: f.Tag.Get("single") != "" || f.Tag.Get("alias") != "", word: f.Tag.Get("word"),
			filled: f.Tag.Get("filled") != "",
			rule:   rules[f.Tag.Get("rule")], keys: rules[f.Tag.Get("keys")], shape: f.Type,
		})
	}
	return fields
}

// A decoder walks the nodes of a document along the types of a Spec. It never
// goes deeper than they do, so aliases that lead in a circle end by themselves.
type decoder struct {
	name     string
	problems []problem
	lines    map[string]int
	// read counts the bytes of all values, which aliases can multiply.
	read int
}

type problem struct {
	line, column int
	message      string
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, problem{n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// err joins the problems in the order of the file.
func (d *decoder) err() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	var all []error
	for i, p := range d.problems {
		if i == maxProblems {
			all = append(all, fmt.Errorf("%s: %d more errors", d.name, len(d.problems)-i))
			break
		}
		all = append(all, fmt.Errorf("%s:%d:%d: %s", d.name, p.line, p.column, p.message))
	}
	return errors.Join(all...)
}

// structure decodes a map whose keys are the fields of v.
func (d *decoder) structure(n *yaml.Node, v reflect.Value, at string) {
	fields := fieldsOf(v.Type())
	setDefaults(v, fields)
	given := map[int]*yaml.Node{}
	d.pairs(n, at, "a map of keys and values", func(key, value *yaml.Node) {
		f, ok := findField(fields, key.Value)
		if !ok {
			d.fail(key, "unknown key %s%s", quote(key.Value), suggestKey(fields, key.Value))
			return
		}
		if first := given[f.index]; first != nil {
			d.fail(key, "key %q says the same as %q in line %d: keep one of them", key.Value, first.Value, first.Line)
			return
		}
		given[f.index] = key
		d.lines[join(at, f.key)] = key.Line
		d.lines[join(at, key.Value)] = key.Line
		before := len(d.problems)
		d.value(value, v.Field(f.index), f, join(at, key.Value))
		if f.filled && v.Field(f.index).IsZero() && len(d.problems) == before {
			d.fail(key, "%s is empty: write a name, or leave the key out", key.Value)
		}
	})
}

// setDefaults gives every key what it means where it is absent.
func setDefaults(v reflect.Value, fields []field) {
	for _, f := range fields {
		switch {
		case f.byDefault == "":
		case f.shape.Kind() == reflect.Bool:
			v.Field(f.index).SetBool(f.byDefault == "true")
		default:
			v.Field(f.index).SetString(f.byDefault)
		}
	}
}

func findField(fields []field, key string) (field, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return key != "" && (f.key == key || f.alias == key) })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

// pairs calls do for each key and value of a map. Keys are strings and differ.
func (d *decoder) pairs(n *yaml.Node, at, want string, do func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.expected(n, at, want)
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := target(n.Content[i])
		if key.Kind != yaml.ScalarNode || !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, key.ShortTag()) {
			d.fail(n.Content[i], "expected a key, found %s", describe(key))
			continue
		}
		if line, ok := lines[key.Value]; ok {
			d.fail(n.Content[i], "key %s is here a second time: the first is in line %d", quote(key.Value), line)
			continue
		}
		lines[key.Value] = n.Content[i].Line
		if !d.count(key) {
			return
		}
		do(key, target(n.Content[i+1]))
	}
}

// count says whether the document is still of a size that a person writes.
func (d *decoder) count(n *yaml.Node) bool {
	before := d.read
	d.read += len(n.Value) + 1
	if d.read > maxFile && before <= maxFile {
		d.fail(n, "aliases repeat more than %d bytes: write the file without them", maxFile)
	}
	return d.read <= maxFile
}

// value decodes what a key holds. Nothing, or an empty string, leaves v as it is.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f field, at string) {
	switch {
	case n.ShortTag() == "!!null":
	case f.shape.Kind() == reflect.String || f.shape == reflect.TypeFor[Duration]():
		d.scalar(n, v, f, at)
	case f.shape.Kind() == reflect.Bool:
		d.boolean(n, v, at)
	case f.shape.Kind() == reflect.Int:
		d.integer(n, v, at)
	case f.shape.Kind() == reflect.Slice && f.shape.Elem().Kind() == reflect.Struct:
		d.structures(n, v, f, at)
	case f.shape.Kind() == reflect.Slice:
		d.list(n, v, f, at)
	case f.shape.Kind() == reflect.Map && f.shape.Elem().Kind() == reflect.Slice:
		d.listMap(n, v, f, at)
	case f.shape.Kind() == reflect.Map:
		d.stringMap(n, v, f, at)
	default:
		v.Set(reflect.New(f.shape.Elem()))
		d.structure(n, v.Elem(), at)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field, at string) {
	text, ok := d.text(n, f.rule, at)
	if !ok || text == "" || !d.matches(n, f.rule, text, at) {
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			d.fail(n, "%s: %v", at, err)
		}
		return
	}
	v.SetString(normal(f.rule, text))
}

// boolean also takes the words of YAML 1.1, which the original smith read.
func (d *decoder) boolean(n *yaml.Node, v reflect.Value, at string) {
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on":
			v.SetBool(true)
			return
		case "false", "no", "off":
			v.SetBool(false)
			return
		}
	}
	d.expected(n, at, "true or false")
}

// maxInteger is the greatest number of retries: what fits Docker's int32.
const maxInteger = 1<<31 - 1

func (d *decoder) integer(n *yaml.Node, v reflect.Value, at string) {
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if n.ShortTag() != "!!int" || err != nil || i < 0 || i > maxInteger {
		d.expected(n, at, "a whole number, 0 or more")
		return
	}
	v.SetInt(i)
}

// structures decodes a list of maps, or of the words that stand for one.
func (d *decoder) structures(n *yaml.Node, v reflect.Value, f field, at string) {
	if n.Kind != yaml.SequenceNode {
		d.expected(n, at, "a list")
		return
	}
	word, fields := "", fieldsOf(f.shape.Elem())
	for _, inner := range fields {
		word += inner.word
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.Content)))
	for i, item := range n.Content {
		item, place := target(item), element(at, i)
		one := reflect.New(f.shape.Elem()).Elem()
		d.lines[place] = item.Line
		switch {
		case item.Kind != yaml.ScalarNode:
			d.structure(item, one, place)
		case item.Value == word && d.count(item):
			setDefaults(one, fields)
			at := slices.IndexFunc(fields, func(f field) bool { return f.word != "" })
			one.Field(fields[at].index).SetBool(true)
		default:
			d.expected(item, place, "a map, or the word "+word)
		}
		v.Set(reflect.Append(v, one))
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f field, at string) {
	var nodes []*yaml.Node
	switch {
	case n.Kind == yaml.SequenceNode:
		nodes = n.Content
	case n.Kind == yaml.ScalarNode && f.single:
		if n.Value == "" {
			return
		}
		d.add(n, v, f, at)
		return
	case n.Kind == yaml.MappingNode && f.rule.keyed:
		d.keyed(n, v, f, at)
		return
	case n.ShortTag() == "!!str":
		d.fail(n, "%s: expected a list, found the string %s: write %s: %s", at, quote(n.Value), at, listForm(strings.Fields(n.Value)))
		return
	case n.Kind == yaml.MappingNode && f.rule.assigned:
		d.fail(n, "%s: expected a list, found a map: write %s: %s", at, at, listForm(assignments(n)))
		return
	default:
		d.expected(n, at, "a list")
		return
	}
	if f.filled && len(nodes) == 0 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(nodes)))
	for i, item := range nodes {
		if !d.add(target(item), v, f, element(at, i)) {
			continue
		}
		if !f.rule.set {
			last := v.Len() - 1
			d.lines[element(f.keyAt(at), last)] = item.Line
			d.lines[element(at, last)] = item.Line
		}
	}
	d.finish(n, v, f, at)
}

// keyAt is at, with the field's own key in place of an alias.
func (f field) keyAt(at string) string {
	if f.alias != "" && strings.HasSuffix(at, f.alias) {
		return strings.TrimSuffix(at, f.alias) + f.key
	}
	return at
}

// add decodes one element and says whether it is there.
func (d *decoder) add(n *yaml.Node, v reflect.Value, f field, at string) bool {
	text, ok := d.text(n, f.rule, at)
	if !ok || !d.matches(n, f.rule, text, at) {
		return false
	}
	v.Set(reflect.Append(v, reflect.ValueOf(normal(f.rule, text))))
	return true
}

// keyed decodes a list that is written as a map with empty values.
func (d *decoder) keyed(n *yaml.Node, v reflect.Value, f field, at string) {
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.Content)/2))
	d.pairs(n, at, "a map", func(key, value *yaml.Node) {
		d.add(key, v, f, at)
		if value.ShortTag() != "!!null" && (value.Kind != yaml.MappingNode || len(value.Content) > 0) {
			d.expected(value, at+"."+key.Value, "nothing or {}")
		}
	})
	d.finish(n, v, f, at)
}

// finish looks at a list as a whole.
func (d *decoder) finish(n *yaml.Node, v reflect.Value, f field, at string) {
	list := v.Interface().([]string)
	if f.rule.set {
		slices.Sort(list)
		v.Set(reflect.ValueOf(slices.Compact(list)))
	}
	if f.rule.list != nil && len(list) == len(n.Content) {
		if form, ok := f.rule.list(list); !ok {
			d.fail(n, "%s is not %s", at, form)
		}
	}
}

func (d *decoder) stringMap(n *yaml.Node, v reflect.Value, f field, at string) {
	v.Set(reflect.MakeMap(f.shape))
	d.pairs(n, at, "a map of names and values", func(key, value *yaml.Node) {
		name := at + "[" + quote(key.Value) + "]"
		if !d.matches(key, f.keys, key.Value, name) {
			return
		}
		text := ""
		if value.ShortTag() != "!!null" {
			var ok bool
			if text, ok = d.text(value, f.rule, name); !ok || !d.matches(value, f.rule, text, name) {
				return
			}
		}
		v.SetMapIndex(reflect.ValueOf(key.Value), reflect.ValueOf(text))
	})
}

// listMap decodes a map of names to lists, each of which may be written as its
// one element. An empty list leaves the name out.
func (d *decoder) listMap(n *yaml.Node, v reflect.Value, f field, at string) {
	v.Set(reflect.MakeMap(f.shape))
	inner := f
	inner.shape, inner.single = f.shape.Elem(), true
	d.pairs(n, at, "a map of names and lists", func(key, value *yaml.Node) {
		place := at + "[" + quote(key.Value) + "]"
		if !d.matches(key, f.keys, key.Value, place) {
			return
		}
		name := normal(f.keys, key.Value)
		if v.MapIndex(reflect.ValueOf(name)).IsValid() {
			d.fail(key, "%s: %s is here a second time", at, quote(name))
			return
		}
		list := reflect.New(inner.shape).Elem()
		if d.value(value, list, inner, place); list.Len() == 0 {
			return
		}
		v.SetMapIndex(reflect.ValueOf(name), list)
		d.lines[join(f.key, name)] = key.Line
	})
}

var decimal = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`)

// text returns a scalar as it is written. What YAML takes for a number or a
// boolean is a string where the key's rule says that it cannot mean anything
// else: the original smith took it so too.
func (d *decoder) text(n *yaml.Node, r rule, at string) (string, bool) {
	if !d.count(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		d.expected(n, at, "a string")
		return "", false
	}
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return n.Value, true
	case "!!int":
		if r.plain == decimals && !decimal.MatchString(n.Value) {
			d.fail(n, "%s: %s may be read as several numbers: write it in quotes, or as a plain decimal number", at, n.Value)
			return "", false
		}
		if r.plain != stringsOnly && r.plain != booleans {
			return n.Value, true
		}
	case "!!bool":
		if r.plain == booleans || r.plain == anything {
			return n.Value, true
		}
	case "!!float":
		if r.plain == anything {
			return n.Value, true
		}
	}
	d.expected(n, at, "a string")
	return "", false
}

func (d *decoder) matches(n *yaml.Node, r rule, text, at string) bool {
	switch {
	case r.matches(text):
		return true
	case r.enum != nil:
		d.fail(n, "%s: %s is not %s (%s)%s", at, quote(text), r.form, strings.Join(r.enum, ", "), suggest(r.enum, text))
	case r.hidden:
		d.fail(n, "%s: this is not %s", at, r.form)
	default:
		remedy := suggest(r.known, normal(r, text))
		if r.remedy != nil {
			remedy = r.remedy(text)
		}
		d.fail(n, "%s: %s is not %s%s", at, quote(text), r.form, remedy)
	}
	return false
}

func (d *decoder) expected(n *yaml.Node, at, want string) {
	if at != "" {
		at += ": "
	}
	d.fail(n, "%sexpected %s, found %s", at, want, describe(n))
}

func normal(r rule, text string) string {
	if r.normal == nil {
		return text
	}
	return r.normal(text)
}

// target is the node that an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func element(key string, index int) string { return fmt.Sprintf("%s[%d]", key, index) }
