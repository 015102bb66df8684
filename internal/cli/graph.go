package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/explain"
)

// A graphCommand is smith graph.
type graphCommand struct {
	*app
	platform    string
	dot, asJSON bool
}

func (a *app) graphCommand() *cobra.Command {
	g := &graphCommand{app: a}
	cmd := &cobra.Command{
		Use:   "graph IMAGE",
		Short: "Show what brought what into an image",
		Long: `Show the closure of an image as a graph: which file brought which. Without an
option it is drawn as a tree, in which each file stands once, under the one on
its shortest chain.`,
		Example: `  smith graph image.tar.gz
  smith graph --dot image.tar.gz | dot -Tsvg > image.svg`,
		Args: arguments(1, 1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&g.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.BoolVar(&g.dot, "dot", false, "write it in the language of Graphviz")
	f.BoolVar(&g.asJSON, "json", false, "print JSON, an edge a line")
	return cmd
}

func (g *graphCommand) run(ctx context.Context, name string) error {
	if g.dot && g.asJSON {
		return usagef("--dot and --json contradict each other")
	}
	img, err := g.openImage(ctx, name, g.platform)
	if err != nil {
		return err
	}
	defer img.done()
	explained, err := img.explain(ctx)
	if err != nil {
		return err
	}
	switch {
	case g.dot:
		return explained.Dot(g.stdout)
	case g.asJSON:
		e := json.NewEncoder(g.stdout)
		for _, edge := range explained.Edges() {
			if err := e.Encode(edge); err != nil {
				return err
			}
		}
		return nil
	}
	g.tree(explained)
	return nil
}

// tree draws each file under the one that brought it.
func (g *graphCommand) tree(explained *explain.Image) {
	brought := map[*explain.File][]explain.Step{}
	for _, f := range explained.Files {
		chain := explained.Why(f)
		if len(chain) == 0 || !chain.Root().Reason.Rule.IsEdge() || !chain[len(chain)-1].Reason.Rule.IsEdge() {
			continue
		}
		var from *explain.File
		if len(chain) > 1 {
			from = chain[len(chain)-2].File
		}
		brought[from] = append(brought[from], chain[len(chain)-1])
	}
	var draw func(at *explain.File, depth int)
	draw = func(at *explain.File, depth int) {
		for _, s := range brought[at] {
			fmt.Fprintf(g.stdout, "%s%s  (%s)\n", strings.Repeat("  ", depth), printable(s.File.Path), printable(s.Reason.String()))
			draw(s.File, depth+1)
		}
	}
	draw(nil, 0)
}
