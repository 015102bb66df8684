package distro

import (
	"context"
	"slices"

	"smith/internal/distro/packages"
	"smith/internal/source"
)

// Own returns what the packages hold that were asked for, and those that were
// built from the same source: the configuration and data of nginx are in
// nginx-common.
func Own(ctx context.Context, of source.Packages) ([]string, error) {
	list, err := of.List(ctx)
	if err != nil {
		return nil, err
	}
	sources := map[string]bool{}
	for _, p := range list {
		if p.Asked && p.Source != "" {
			sources[p.Source] = true
		}
	}
	var paths []string
	for _, p := range list {
		if !p.Asked && !sources[p.Source] {
			continue
		}
		held, err := of.Files(ctx, p)
		if err != nil {
			return nil, err
		}
		paths = append(paths, held...)
	}
	paths = slices.DeleteFunc(paths, func(name string) bool { return !packages.NeededToRun(name) })
	slices.Sort(paths)
	return slices.Compact(paths), nil
}
