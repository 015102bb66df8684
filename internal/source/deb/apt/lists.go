package apt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"smith/internal/compress"
	"smith/internal/fetch"
	"smith/internal/source/deb/control"
)

// Open returns the lists of packages that sources have for an architecture,
// in their order. What the cache does not have yet is fetched. The caller
// closes them.
func (o *Opener) Open(ctx context.Context, sources []*Source, architecture string) ([]*Index, error) {
	found := make([][]*Index, len(sources))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, s := range sources {
		if len(s.Architectures) > 0 && !slices.Contains(s.Architectures, architecture) {
			continue
		}
		group.Go(func() error {
			var err error
			found[i], err = o.open(groupCtx, s.for_(architecture), architecture)
			return err
		})
	}
	err := group.Wait()
	all := slices.Concat(found...)
	if err != nil {
		for _, x := range all {
			x.Close()
		}
		return nil, err
	}
	return all, nil
}
