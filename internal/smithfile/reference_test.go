package smithfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const referenceHead = `# smith.yaml

All keys. Each may be left out; one that is unknown is an error. smith schema
prints the same as a JSON Schema, for editors
([smith.schema.json](smith.schema.json)). This page is made from the types in
internal/smithfile by "go generate ./internal/smithfile".
`

// The page of all keys is made from the types, as the schema is.
func TestReferenceIsCurrent(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "smith.yaml.md")
	all, err := readComments(source, testSource)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	want.WriteString(referenceHead)
	writeKeys(&want, all, "", typeOfSpec())
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.String(), string(got)); d != "" {
		t.Errorf("%s is not current; run `go generate ./internal/smithfile`: %s", file, d)
	}
}

// writeKeys describes the keys of a map, and then those of the maps in it.
func writeKeys(out *bytes.Buffer, all comments, prefix string, of reflect.Type) {
	level := "##"
	if prefix != "" {
		level = "###"
	}
	for _, f := range fieldsOf(of) {
		name := f.key
		if f.alias != "" && prefix == "" {
			name = f.alias
		}
		fmt.Fprintf(out, "\n%s `%s%s`\n\n%s\n\n%s\n", level, prefix, name, strings.ReplaceAll(all[f.owner+"."+f.name], "*", `\*`), form(f))
		if inner := f.shape; inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			writeKeys(out, all, f.key+".", inner.Elem())
		}
	}
}

// form says in words what a key takes.
func form(f field) string {
	var parts []string
	switch kind := f.shape.Kind(); {
	case f.shape == reflect.TypeFor[Duration]():
		parts = append(parts, "A length of time, such as `1m30s`.")
	case kind == reflect.Bool:
		parts = append(parts, "`true` or `false`; left out, `"+fmt.Sprint(f.byDefault == "true")+"`.")
	case kind == reflect.Int:
		parts = append(parts, "A number.")
	case kind == reflect.Slice && f.single:
		parts = append(parts, "One or a list.")
	case kind == reflect.Slice:
		parts = append(parts, "A list.")
	case kind == reflect.Map, kind == reflect.Pointer:
		parts = append(parts, "A map.")
	default:
		parts = append(parts, "A string.")
	}
	if f.rule.enum != nil {
		parts = append(parts, "One of `"+strings.Join(f.rule.enum, "`, `")+"`.")
	}
	if f.byDefault != "" && f.shape.Kind() != reflect.Bool {
		parts = append(parts, "Left out, `"+f.byDefault+"`.")
	}
	if f.alias != "" {
		parts = append(parts, "May be written `"+f.key+"` or `"+f.alias+"`.")
	}
	if f.word != "" {
		parts = append(parts, "The word `"+f.word+"` alone stands for `true`.")
	}
	return strings.Join(parts, " ")
}

// What is said where the types cannot be read.
func TestMistakeInComments(t *testing.T) {
	if _, err := readComments([]byte("packet spec")); err == nil || err.Error() != "cannot read the comments of the spec's types: smithfile.go:1:1: expected 'package', found packet" {
		t.Errorf("got %v", err)
	}
}
