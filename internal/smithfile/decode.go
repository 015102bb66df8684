package smithfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	// maxFile bounds smith.yaml, and what its aliases may repeat it to.
	maxFile = 1 << 20
	// maxProblems bounds what is told at once.
	maxProblems = 20
)

// ReadFile decodes the smith.yaml at path. Errors name it as it is given.
func ReadFile(path string) (*Spec, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, readError(path, err)
	}
	return Decode(path, data)
}

// readError leaves out the path that package os repeats.
func readError(path string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read %s: %w; write one, or name another with -c", path, err)
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

// Decode reads a smith.yaml, which may be JSON as well. name is what errors
// call it. It is strict: an unknown key, a wrong type or a value that cannot
// be is an error that says where. All of them are told together, one a line,
// in the order of the file. Defaults are filled in, and what may be written
// in several ways is written in one: see JSON.
func Decode(name string, data []byte) (*Spec, error) {
	root, err := load(name, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{name: name, lines: map[string]int{}}
	s := &Spec{lines: d.lines}
	d.structure(root, reflect.ValueOf(s).Elem(), "")
	d.contradictions(root, s)
	if err := d.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// contradictions reports keys that cannot both be meant.
func (d *decoder) contradictions(root *yaml.Node, s *Spec) {
	if s.Root && s.User != "" {
		d.fail(keyNode(root, "root"), "root: true and user: %s contradict each other: keep one of them", s.User)
	}
}

// keyNode returns the node of a key of a map, or the map.
func keyNode(root *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == key {
			return root.Content[i]
		}
	}
	return root
}

// load returns the root node of the one document in data.
func load(name string, data []byte) (*yaml.Node, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes: it is no smith.yaml", name, maxFile)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	var document, next yaml.Node
	err = loader.Load(&document)
	if errors.Is(err, io.EOF) || err == nil && empty(&document) {
		return nil, fmt.Errorf("%s is empty: write where to take what from, such as %q and %q", name,
			"package: base.tar.gz", "paths: [/usr/bin/cat]")
	}
	if err != nil {
		return nil, syntaxError(name, data, err)
	}
	switch err := loader.Load(&next); {
	case err == nil:
		return nil, fmt.Errorf("%s:%d:%d: a second document begins here: a smith.yaml is one document", name, next.Line, next.Column)
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(name, data, err)
	}
	return document.Content[0], nil
}

func empty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}

// syntaxError says what the YAML library found in our words.
func syntaxError(name string, data []byte, err error) error {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	message := e.Message
	if e.ContextMsg != "" {
		message += " " + e.ContextMsg
	}
	if tabIndents(data, e.Mark.Line) {
		message = "a tab indents this line, which YAML does not allow: use spaces"
	}
	if e.Mark.Line == 0 {
		return fmt.Errorf("%s: not YAML: %s", name, message)
	}
	return fmt.Errorf("%s:%d:%d: not YAML: %s", name, e.Mark.Line, e.Mark.Column, message)
}

// tabIndents says whether a tab is in the white space that begins a line.
func tabIndents(data []byte, line int) bool {
	for n, text := range strings.Split(string(data), "\n") {
		if n+1 == line {
			indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
			return strings.Contains(indent, "\t")
		}
	}
	return false
}

// JSON returns the normalised spec: keys sorted, defaults written out, paths
// and ports in one form. Decoding it gives an equal Spec.
func (s *Spec) JSON() ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("cannot write the spec as JSON: %w", err)
	}
	var keys map[string]any // package json sorts the keys of a map
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, fmt.Errorf("cannot write the spec as JSON: %w", err)
	}
	if data, err = json.Marshal(keys); err != nil {
		return nil, fmt.Errorf("cannot write the spec as JSON: %w", err)
	}
	return escape(data), nil
}

// escape writes the characters that JSON allows in a string and YAML does not
// (YAML 1.2, 5.1), so that the one is always the other.
func escape(data []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(data) {
		if r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}
