package explain

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"smith/record"
)

// An Edge says that one file brought another.
type Edge struct {
	From   string      `json:"from"`
	To     string      `json:"to"`
	Rule   record.Rule `json:"rule"`
	Detail string      `json:"detail,omitempty"`
}

// Edges returns the closure as a graph: what brought what. Roots have an edge
// from "".
func (img *Image) Edges() []Edge {
	var edges []Edge
	for _, f := range img.Files {
		for _, r := range f.Reasons {
			if r.Rule.IsEdge() {
				edges = append(edges, Edge{r.From, f.Path, r.Rule, r.Detail})
			}
		}
	}
	return edges
}

// Dot writes the graph in the language of Graphviz' dot(1). Roots are boxes,
// links are dashed.
func (img *Image) Dot(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "digraph closure {\n  rankdir=LR;\n  node [shape=plain, fontname=\"sans-serif\"];")
	roots := map[string]bool{}
	for _, e := range img.Edges() {
		switch {
		case e.From == "" && !roots[e.To]:
			roots[e.To] = true
			fmt.Fprintf(out, "  %s [shape=box];\n", quote(e.To))
		case e.From != "" && e.Rule == record.RuleSymlink:
			fmt.Fprintf(out, "  %s -> %s [style=dashed];\n", quote(e.From), quote(e.To))
		case e.From != "":
			fmt.Fprintf(out, "  %s -> %s [label=%s];\n", quote(e.From), quote(e.To), quote(string(e.Rule)))
		}
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

// quote writes an ID of dot's language.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
