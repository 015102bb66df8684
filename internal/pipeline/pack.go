package pipeline

import (
	"context"
	"slices"

	"smith/internal/oci/image"
	"smith/internal/tree"
)

// pack returns an image's layers: those below, and a new one unless it is
// empty or the same as one of these.
func (b *Builder) pack(ctx context.Context, below []image.Layer, files *tree.Tree) ([]image.Layer, error) {
	layers := slices.Clone(below)
	children, err := files.Root().Children()
	if err != nil {
		return nil, err
	}
	if len(children) == 0 && len(layers) > 0 {
		return layers, nil
	}
	layer, err := image.Pack(ctx, b.Store, files, b.Events)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(layers, func(l image.Layer) bool { return l.DiffID == layer.DiffID }) {
		return layers, nil
	}
	return append(layers, layer), nil
}
