package smithfile

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

//go:generate go test -run "TestSchemaIsCurrent|TestReferenceIsCurrent" . -update

// source is the text of the types, for the descriptions in the schema: the
// comments of the fields are not there at run time.
//
//go:embed smithfile.go
var source []byte

// testSource is that of the types of the key test.
//
//go:embed test.go
var testSource []byte

// schema is a JSON Schema or a part of one.
type schema = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of smith.yaml, indented, with
// a newline at its end. A file that Decode accepts fits it; a file that fits
// it can only fail Decode by what a schema cannot say, such as an unclosed
// bracket in a glob.
func Schema() ([]byte, error) {
	comments, err := readComments(source, testSource)
	if err != nil {
		return nil, err
	}
	root := comments.structure(reflect.TypeFor[Spec]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "smith.yaml"
	root["not"] = schema{"anyOf": []any{
		schema{"required": []string{"package", "packages"}},
		schema{"required": []string{"platform", "platforms"}},
		schema{"required": []string{"root", "user"}, "properties": schema{
			"root": schema{"const": true}, "user": schema{"not": schema{"enum": []any{"", nil}}},
		}},
	}}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("cannot write the schema: %w", err)
	}
	return out.Bytes(), nil
}

// comments holds the doc comments of types ("Mock") and fields ("Mock.Deps").
type comments map[string]string

func readComments(sources ...[]byte) (comments, error) {
	all := comments{}
	for _, text := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "smithfile.go", text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("cannot read the comments of the spec's types: %w", err)
		}
		for _, decl := range file.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			of := decl.Specs[0].(*ast.TypeSpec)
			all[of.Name.Name] = oneLine(decl.Doc)
			if structure, ok := of.Type.(*ast.StructType); ok {
				for _, f := range structure.Fields.List {
					all[of.Name.Name+"."+f.Names[0].Name] = oneLine(f.Doc)
				}
			}
		}
	}
	return all, nil
}

func oneLine(doc *ast.CommentGroup) string { return strings.Join(strings.Fields(doc.Text()), " ") }

func (c comments) structure(t reflect.Type) schema {
	properties := schema{}
	for _, f := range fieldsOf(t) {
		properties[f.key] = c.property(f)
		if f.alias != "" {
			properties[f.alias] = c.property(f)
		}
	}
	return schema{
		"description":          c[t.Name()],
		"type":                 "object",
		"properties":           properties,
		"additionalProperties": false,
	}
}

// property is the schema of a key. Every key that need not be filled may hold
// nothing, and every string be empty, which leaves it out.
func (c comments) property(f field) schema {
	s := c.shape(f)
	s["description"] = c[f.owner+"."+f.name]
	switch {
	case f.shape.Kind() == reflect.Bool:
		s["default"] = f.byDefault == "true"
	case f.byDefault != "":
		s["default"] = f.byDefault
	}
	return s
}

func (c comments) shape(f field) schema {
	switch {
	case f.shape.Kind() == reflect.String || f.shape == reflect.TypeFor[Duration]():
		return optional(f.rule)
	case f.shape.Kind() == reflect.Bool:
		return schema{"type": []string{"boolean", "null"}}
	case f.shape.Kind() == reflect.Int:
		return schema{"type": []string{"integer", "null"}, "minimum": 0, "maximum": maxInteger}
	case f.shape.Kind() == reflect.Slice && f.shape.Elem().Kind() == reflect.Struct:
		return c.listOf(f.shape.Elem())
	case f.shape.Kind() == reflect.Slice:
		return listSchema(f)
	case f.shape.Kind() == reflect.Map:
		inner := f
		inner.single = true // a list may be written as its one element
		s := listSchema(inner)
		if f.shape.Elem().Kind() == reflect.String {
			s = item(f.rule)
			s["type"] = append(s["type"].([]string), "null")
		}
		return schema{
			"type":                 []string{"object", "null"},
			"propertyNames":        schema{"pattern": f.keys.pattern.String()},
			"additionalProperties": s,
		}
	}
	s := c.structure(f.shape.Elem())
	s["type"] = []string{"object", "null"}
	return s
}

// listOf is the schema of a list of maps, or of the words that stand for one.
func (c comments) listOf(t reflect.Type) schema {
	forms := []any{c.structure(t)}
	for _, f := range fieldsOf(t) {
		if f.word != "" {
			forms = append(forms, schema{"enum": []string{f.word}})
		}
	}
	return schema{"type": []string{"array", "null"}, "items": schema{"anyOf": forms}}
}

// listSchema allows the forms in which a list may be written.
func listSchema(f field) schema {
	list := schema{"type": "array", "items": item(f.rule)}
	if f.rule.listForms != nil {
		list["anyOf"] = f.rule.listForms
	}
	switch {
	case f.filled:
		list["minItems"] = 1
		return schema{"anyOf": []any{list, item(f.rule)}}
	case f.single:
		return schema{"anyOf": []any{list, optional(f.rule)}}
	case f.rule.keyed:
		return schema{"anyOf": []any{list, schema{
			"type":                 []string{"object", "null"},
			"propertyNames":        schema{"pattern": f.rule.pattern.String()},
			"additionalProperties": schema{"type": []string{"object", "null"}, "maxProperties": 0},
		}}}
	}
	list["type"] = []string{"array", "null"}
	return list
}

// item is the schema of a value of a list.
func item(r rule) schema {
	if r.enum != nil {
		return schema{"enum": r.enum}
	}
	s := schema{"type": []string{"string"}, "pattern": r.pattern.String()}
	switch r.plain {
	case decimals:
		s["type"] = []string{"string", "integer"}
		s["minimum"] = r.least
		s["maximum"] = r.most
	case anything:
		s["type"] = []string{"string", "number", "boolean"}
	}
	return s
}

// optional is the schema of a value that may be left empty.
func optional(r rule) schema {
	if r.enum != nil {
		var values []any
		for _, v := range r.enum {
			values = append(values, v)
		}
		if r.plain == booleans {
			values = append(values, true, false)
		}
		return schema{"enum": append(values, "", nil)}
	}
	s := item(r)
	s["type"] = append(s["type"].([]string), "null")
	s["pattern"] = "^$|" + r.pattern.String()
	return s
}
