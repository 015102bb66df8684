package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/nearest"
	"smith/internal/source"
	"smith/internal/tree"
)

// mostSought bounds the missing things that packages are searched for.
const mostSought = 20

// suggest adds to an error about things that the image would lack which
// packages hold them, or something like them. What keeps it from that is only
// noted: the error is the same.
func (b *Builder) suggest(ctx context.Context, pkg *source.Offer, err error) error {
	var incomplete *closure.IncompleteError
	if !errors.As(err, &incomplete) {
		return err
	}
	for i, p := range incomplete.Problems {
		if pkg.Tree != nil && strings.HasPrefix(p.Name, "/") && p.From == "" && len(p.Near) == 0 {
			incomplete.Problems[i].Near = closure.Near(pkg.Tree, p.Name)
		}
	}
	if pkg.Packages == nil {
		return err
	}
	finders := map[int]*nearest.PathFinder{}
	var all []*nearest.PathFinder
	fetch := false
	for i, p := range incomplete.Problems {
		if !sought(p.Name) || len(all) == mostSought {
			continue
		}
		finders[i] = nearest.NewPathFinder(p.Name)
		all = append(all, finders[i])
		// Where a near path was found already, it takes no fetching of lists.
		fetch = fetch || len(p.Near) == 0
	}
	if len(all) == 0 {
		return err
	}
	if failed := pkg.Packages.Search(ctx, all, fetch); failed != nil {
		b.Events.Note(fmt.Sprintf("no package was searched for what is missing: %v", failed))
		return err
	}
	for i, f := range finders {
		p := &incomplete.Problems[i]
		if found := f.Found(); len(found) > 0 && !slices.Contains(p.Near, found[0].Path) {
			p.Remedy = f.String()
		}
	}
	return err
}

// sought says whether a missing thing is one that a package may hold: a path,
// or a library by its name.
func sought(name string) bool {
	if !tree.IsLiteral(name) {
		return false
	}
	return strings.HasPrefix(name, "/") || strings.Contains(name, ".so") && !strings.ContainsAny(name, "/ ")
}
