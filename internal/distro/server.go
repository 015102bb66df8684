package distro

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/service"
	"smith/internal/source"
	"smith/internal/tree"
)

// Server returns how the packages that were asked for start their server, nil
// where they have none, or several of which none is clearly the one: what a
// unit of systemd or an init script of theirs says, or of a package that they
// depend on and that was built from the same source or has the same first word.
func Server(ctx context.Context, p source.Packages, t *tree.Tree) (*service.Service, error) {
	list, err := p.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages: %w", err)
	}
	level := map[int]bool{}
	for i := range list {
		if list[i].Asked {
			level[i] = true
		}
	}
	asked := named(list, level)
	for range 3 { // a metapackage's package has its unit in a third one
		found, err := services(ctx, p, t, list, level)
		if err != nil {
			return nil, err
		}
		if best := foremost(found, asked); best != nil || len(found) > 0 {
			return best, nil
		}
		level = below(list, level)
	}
	return nil, nil
}

func named(list []source.Package, level map[int]bool) []string {
	var names []string
	for i := range list {
		if level[i] {
			names = append(names, list[i].Name)
		}
	}
	return names
}

// below returns the packages that some depend on and that belong to them.
func below(list []source.Package, level map[int]bool) map[int]bool {
	next := map[int]bool{}
	for i := range list {
		if !level[i] {
			continue
		}
		for _, r := range list[i].Relations {
			if r.Kind == source.Recommends {
				continue
			}
			for _, j := range r.By {
				if list[j].Source == list[i].Source || strings.HasPrefix(list[j].Name, firstWord(list[i].Name)) {
					next[j] = true
				}
			}
		}
	}
	return next
}

// firstWord is what a name has before its first "-" or digit.
func firstWord(name string) string {
	if i := strings.IndexAny(name, "-0123456789"); i > 0 {
		return name[:i]
	}
	return name
}

// services returns the servers of some packages whose program is on offer.
func services(ctx context.Context, p source.Packages, t *tree.Tree, list []source.Package, level map[int]bool) ([]service.Service, error) {
	var files []string
	for i := range list {
		if !level[i] {
			continue
		}
		held, err := p.Files(ctx, list[i])
		if err != nil {
			return nil, err
		}
		for _, name := range held {
			if dir := path.Dir(name); strings.HasSuffix(dir, "/systemd/system") || strings.HasSuffix(dir, "/init.d") {
				files = append(files, name)
			}
		}
	}
	found := service.Find(t, files)
	return slices.DeleteFunc(found, func(s service.Service) bool {
		at, err := t.Resolve(s.Program)
		return s.Once || s.Instance || err != nil || !at.Node.Executable()
	}), nil
}

// foremost returns the service that is named as the packages are, else the only
// one; nil where neither is clear.
func foremost(found []service.Service, asked []string) *service.Service {
	rank := func(s service.Service) int {
		best := 0
		for _, name := range asked {
			first := firstWord(name)
			program := path.Base(s.Program)
			switch {
			case s.Name == name || program == name || program == name+"d":
				best = max(best, 3)
			case s.Name == first || program == first || program == first+"d":
				best = max(best, 2)
			case strings.HasPrefix(s.Name, first) || strings.HasPrefix(program, first):
				best = max(best, 1)
			}
		}
		return best
	}
	slices.SortStableFunc(found, func(a, b service.Service) int { return cmp.Compare(rank(b), rank(a)) })
	if len(found) == 0 || len(found) > 1 && rank(found[0]) == rank(found[1]) {
		return nil
	}
	return &found[0]
}
