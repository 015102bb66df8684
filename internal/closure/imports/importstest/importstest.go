// Package importstest is what the tests of the readers of scripts share.
package importstest

import (
	"fmt"
	"strings"
	"testing"

	"smith/internal/closure/imports"
)

// Text shows references, a line each.
func Text(refs []imports.Reference) string {
	var lines []string
	for _, r := range refs {
		line := fmt.Sprintf("%d %s %s", r.Line, r.Kind, r.Name)
		if len(r.Names) > 0 {
			line += " (" + strings.Join(r.Names, " ") + ")"
		}
		if r.Optional {
			line += " optional"
		}
		if r.Late {
			line += " late"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Fuzz gives a reader any bytes: what it returns is bounded and lies in the
// script.
func Fuzz(f *testing.F, read func([]byte) []imports.Reference, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		refs := read(src)
		if len(refs) > imports.MaxReferences {
			t.Fatalf("%d references", len(refs))
		}
		lines := strings.Count(string(src), "\n") + 1
		for _, r := range refs {
			if r.Kind == 0 || r.Name == "" || len(r.Name) > imports.MaxName || r.Line < 1 || r.Line > lines {
				t.Errorf("%+v of a script of %d lines", r, lines)
			}
		}
	})
}
