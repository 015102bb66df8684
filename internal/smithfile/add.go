package smithfile

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// An Addition is an element to add to a list of smith.yaml.
type Addition struct {
	// Key is that of the list, such as "packages".
	Key string
	// Value is the element.
	Value string
	// Comment says why it is there.
	Comment string
}

// errByHand is the cause of edits that Add does not know how to make.
var errByHand = errors.New("add it by hand")

// Add returns the text of a smith.yaml with elements added to its lists, each
// with a comment; all other text stays as it is. An element that is there
// already is not added. name is what errors call the file.
func Add(name string, data []byte, additions []Addition) ([]byte, error) {
	for _, a := range additions {
		root, err := load(name, data)
		if err != nil {
			return nil, err
		}
		e := editor{lines: strings.Split(string(data), "\n")}
		if err := e.add(root, a); err != nil {
			return nil, fmt.Errorf("cannot add %s to %s of %s: %w", a.Value, a.Key, name, err)
		}
		data = []byte(strings.Join(e.lines, "\n"))
		// The result must be what a reader of the file would expect.
		if err := contains(name, data, a); err != nil {
			return nil, fmt.Errorf("cannot add %s to %s of %s: %w", a.Value, a.Key, name, err)
		}
	}
	return data, nil
}

// contains returns an error where a list of a smith.yaml lacks an element.
func contains(name string, data []byte, a Addition) error {
	if _, err := Decode(name, data); err != nil {
		return err
	}
	root, err := load(name, data)
	if err != nil {
		return err
	}
	if _, value := entry(root, a.Key); value == nil || !slices.Contains(elements(value), a.Value) {
		return errByHand
	}
	return nil
}

// entry returns the nodes of a key and its value, nil where it is absent.
func entry(root *yaml.Node, name string) (key, value *yaml.Node) {
	names := []string{name}
	for _, f := range fieldsOf(reflect.TypeFor[Spec]()) {
		if f.key == name && f.alias != "" {
			names = append(names, f.alias)
		}
	}
	if root.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if slices.Contains(names, root.Content[i].Value) {
			return root.Content[i], root.Content[i+1]
		}
	}
	return nil, nil
}

func elements(value *yaml.Node) []string {
	if value.Kind == yaml.ScalarNode {
		return []string{value.Value}
	}
	var all []string
	for _, c := range value.Content {
		all = append(all, c.Value)
	}
	return all
}

// An editor changes the lines of a file.
type editor struct{ lines []string }

func (e *editor) add(root *yaml.Node, a Addition) error {
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return errByHand
	}
	key, value := entry(root, a.Key)
	item, comment := quoteItem(a.Value), "# "+strings.Join(strings.FieldsFunc(a.Comment, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	switch {
	case key == nil:
		end := e.trimmed()
		e.insert(end, a.Key+":", "  - "+item+"  "+comment)
		return nil
	case slices.Contains(elements(value), a.Value):
		return nil
	case value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null":
		e.insert(key.Line, "  - "+item+"  "+comment)
		return nil
	case value.Kind == yaml.ScalarNode && value.Line == key.Line:
		start := value.Column - 1
		end, err := e.scalarEnd(value)
		if err != nil {
			return err
		}
		line := e.lines[value.Line-1]
		e.lines[value.Line-1] = line[:start] + "[" + line[start:end] + ", " + item + "]" + line[end:]
		e.insert(key.Line-1, comment)
		return nil
	case value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle != 0:
		return e.addToFlow(key, value, item, comment)
	case value.Kind == yaml.SequenceNode:
		last := value.Content[len(value.Content)-1]
		indent, _, ok := strings.Cut(e.lines[last.Line-1], "-")
		if !ok || strings.TrimSpace(indent) != "" || last.Kind != yaml.ScalarNode {
			return errByHand
		}
		e.insert(last.Line, indent+"- "+item+"  "+comment)
		return nil
	}
	return errByHand
}

// addToFlow adds to a list in brackets.
func (e *editor) addToFlow(key, value *yaml.Node, item, comment string) error {
	at, column, between := value.Line, value.Column, ""
	if n := len(value.Content); n > 0 {
		last := value.Content[n-1]
		end, err := e.scalarEnd(last)
		if err != nil {
			return err
		}
		at, column, between = last.Line, end, ", "
	}
	line := e.lines[at-1]
	e.lines[at-1] = line[:column] + between + item + line[column:]
	e.insert(key.Line-1, comment)
	return nil
}

// scalarEnd returns where a scalar ends in its line, in bytes.
func (e *editor) scalarEnd(n *yaml.Node) (int, error) {
	line := e.lines[n.Line-1]
	start := n.Column - 1
	if n.Kind != yaml.ScalarNode || start >= len(line) || !ascii(line) {
		return 0, errByHand
	}
	switch quote := line[start]; quote {
	case '"', '\'':
		for i := start + 1; i < len(line); i++ {
			switch {
			case quote == '"' && line[i] == '\\', quote == '\'' && strings.HasPrefix(line[i:], "''"):
				i++
			case line[i] == quote:
				return i + 1, nil
			}
		}
		return 0, errByHand
	}
	if !strings.HasPrefix(line[start:], n.Value) {
		return 0, errByHand
	}
	return start + len(n.Value), nil
}

// ascii reports whether the columns of a line are its bytes.
func ascii(line string) bool {
	return !strings.ContainsFunc(line, func(r rune) bool { return r > 0x7f })
}

// insert puts lines after the first n.
func (e *editor) insert(n int, lines ...string) {
	e.lines = slices.Insert(e.lines, n, lines...)
}

// trimmed returns the number of lines without the empty ones at the end.
func (e *editor) trimmed() int {
	n := len(e.lines)
	for n > 0 && len(strings.TrimSpace(e.lines[n-1])) == 0 {
		n--
	}
	if n == len(e.lines) {
		e.lines = append(e.lines, "")
	}
	return n
}

// quoteItem quotes a value where YAML would not take it as a plain string, also
// in brackets.
func quoteItem(value string) string {
	if regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/._+~-]*$`).MatchString(value) && !slices.Contains([]string{"true", "false", "null", "yes", "no"}, strings.ToLower(value)) {
		return value
	}
	return strconv.Quote(value)
}
