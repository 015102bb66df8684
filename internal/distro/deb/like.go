package deb

import (
	"context"

	"smith/internal/distro/packages"
	"smith/internal/nearest"
)

// like shows finders what the packages of a set hold, and then what the lists
// of all repositories tell. A lock asks no repository.
func (s *Source) like(ctx context.Context, opened *packages.Set, chosen []*pkg, architecture string, finders []*nearest.PathFinder, fetch bool) error {
	for _, p := range chosen {
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
	if s.Locked != nil {
		return nil
	}
	indexes, err := s.machine.opener.Open(ctx, s.machine.sources, architecture)
	if err != nil {
		return err
	}
	defer func() {
		for _, x := range indexes {
			x.Close()
		}
	}()
	return s.machine.opener.Like(ctx, indexes, finders, fetch)
}
