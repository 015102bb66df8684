// Package report writes what is known of an image as one static page: what its
// size is made of, why each file is there, its packages, suspects and the
// findings of the checks. The page holds its data, style and script itself and
// asks no network.
package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"smith/internal/explain"
	"smith/record"
)

// A Report is what the page shows.
type Report struct {
	// Name, Digest and Platform are the image's.
	Name, Digest, Platform string
	// Compressed is the size of its layers, in bytes.
	Compressed int64
	// Facts are shown at the top: the entry point, the user, and the like.
	Facts []Fact
	// Image holds the files and their reasons.
	Image *explain.Image
	// Checks are the findings of `smith verify`.
	Checks []explain.Check
	// Suspects and Warnings are the record's.
	Suspects []record.Finding
	Warnings []string
	// Spec is the normalised spec as JSON, nil where the image has none.
	Spec []byte
}

// A Fact is a name and its value.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

//go:embed page.html page.css page.js
var page embed.FS

// Write writes the page. The same report gives the same bytes.
func Write(w io.Writer, r Report) error {
	t, err := template.ParseFS(page, "page.html")
	if err != nil {
		return err
	}
	style, err := page.ReadFile("page.css")
	if err != nil {
		return err
	}
	script, err := page.ReadFile("page.js")
	if err != nil {
		return err
	}
	// json.Marshal escapes <, > and &: nothing in the data ends its element.
	data, err := json.Marshal(newData(r))
	if err != nil {
		return fmt.Errorf("cannot write the report of %s: %w", r.Name, err)
	}
	return t.Execute(w, map[string]any{
		"Name": r.Name, "Digest": r.Digest,
		"Style": template.CSS(style), "Script": template.JS(script), "Data": template.JS(data), //nolint:gosec // our own files, and JSON
	})
}
