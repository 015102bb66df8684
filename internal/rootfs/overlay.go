// Package rootfs is what an image holds beside the files that were selected:
// the folders that every microcontainer has, the files that know its users,
// the overlay; and the normal form of modes, owners and times. It knows
// nothing of layers.
package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"smith/internal/source/host"
	"smith/internal/tree"
	"smith/record"
)

// ignored is the file that keeps an empty folder in git.
const ignored = ".gitignore"

// Overlay returns the files of the folder that is laid over an image, without
// those named .gitignore, or nil where the folder is absent.
func Overlay(dir string) (*tree.Tree, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the overlay: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("cannot read the overlay %s: it is no folder", dir)
	}
	t, err := host.Tree(dir, &record.Origin{Kind: record.KindOverlay, Name: "rootfs"})
	if err != nil {
		return nil, err
	}
	var out []string
	err = t.Walk(func(n *tree.Node) error {
		if n.Name() == ignored && n.Kind == tree.File {
			out = append(out, n.Path())
		}
		return nil
	})
	for _, name := range out {
		err = errors.Join(err, t.Remove(name))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the overlay: %w", err)
	}
	return t, nil
}
