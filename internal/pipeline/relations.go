package pipeline

import (
	"context"
	"sync"

	"smith/internal/closure"
	"smith/internal/source"
	"smith/record"
)

// relate tells the closure what the source knows of the packages that files are
// of. It is asked for only where a script leaves open what it needs.
func relate(ctx context.Context, in *closure.Input, known source.Packages) {
	in.Depends, in.Holds = nil, nil
	if known == nil {
		return
	}
	r := &relations{known: known}
	in.Depends = func(of, on *record.Origin) bool { return r.reach(ctx, of, on) }
	in.Holds = r.holds
}

// relations are those of the packages of a set.
type relations struct {
	known source.Packages
	once  sync.Once
	err   error
	list  []source.Package
	index map[string]int // by the digest of the package's file

	mu      sync.Mutex
	reached map[int]map[int]bool
}

func (r *relations) read(ctx context.Context) error {
	r.once.Do(func() {
		r.list, r.err = r.known.List(ctx)
		r.index, r.reached = map[string]int{}, map[int]map[int]bool{}
		for i, p := range r.list {
			r.index[p.Digest] = i
		}
	})
	return r.err
}

// reach reports whether a package calls for another, through others too. Of
// relations that cannot be read nothing is known.
func (r *relations) reach(ctx context.Context, of, on *record.Origin) bool {
	if r.read(ctx) != nil {
		return false
	}
	from, known := r.index[of.Digest]
	to, wanted := r.index[on.Digest]
	if !known || !wanted {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reached[from] == nil {
		r.reached[from] = r.from(from)
	}
	return r.reached[from][to]
}

// from returns the packages that one calls for.
func (r *relations) from(first int) map[int]bool {
	seen := map[int]bool{first: true}
	for todo := []int{first}; len(todo) > 0; todo = todo[1:] {
		for _, relation := range r.list[todo[0]].Relations {
			for _, by := range relation.By {
				if !seen[by] {
					seen[by] = true
					todo = append(todo, by)
				}
			}
		}
	}
	return seen
}

// holds returns the paths that a package holds.
func (r *relations) holds(ctx context.Context, of *record.Origin) ([]string, error) {
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	i, known := r.index[of.Digest]
	if !known {
		return nil, nil
	}
	return r.known.Files(ctx, r.list[i])
}
