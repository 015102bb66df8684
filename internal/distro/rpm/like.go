package rpm

import (
	"context"
	"errors"

	"smith/internal/distro/packages"
	"smith/internal/nearest"
)

// maxLike bounds the bytes of filelists that are fetched for the sake of a
// message.
const maxLike = 16 << 20

// like shows finders what the packages of a set hold, and then what the lists
// of all repositories tell: those of programs and configuration, which are
// there, and the full ones where they are open or, with fetch, not large.
func (c *choice) like(ctx context.Context, opened *packages.Set, finders []*nearest.PathFinder, fetch bool) error {
	for _, p := range c.packages {
		held, err := opened.Held(p)
		if err != nil {
			return err
		}
		for _, f := range finders {
			for _, name := range held {
				f.See(name, func() string { return p.locked.Name })
			}
		}
	}
	for _, r := range c.repositories {
		if r.Debug {
			continue // nobody looks for a path in it
		}
		if fetch && r.repomd.Data["filelists"].Size <= maxLike {
			if err := r.openLists(ctx); err != nil {
				return err
			}
		}
		err := r.index.Like(ctx, finders)
		if r.lists != nil {
			err = errors.Join(err, r.lists.Like(ctx, finders))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
