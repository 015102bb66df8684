// Package recording describes the tree of an image for its build record. It
// stands between the public package record, which depends on nothing else of
// smith, and the trees that a build makes.
package recording

import (
	"fmt"

	"smith/internal/capability"
	"smith/internal/tree"
	"smith/record"
)

// Files describes everything in a tree but its root, in the tree's order, with
// the reasons that are known by path.
func Files(t *tree.Tree, reasons map[string][]record.Reason) ([]record.File, error) {
	var files []record.File
	first := map[*tree.Inode]string{}
	err := t.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		f := record.File{Path: n.Path(), Type: n.Kind.Type(), Link: n.Link, Origin: n.Origin, Reasons: reasons[n.Path()]}
		if n.Kind == tree.File {
			sum, err := n.Digest()
			if err != nil {
				return err
			}
			f.Size, f.Digest = n.Size, sum.String()
			if f.Capabilities, err = capabilities(n); err != nil {
				return err
			}
		}
		if n.Inode != nil {
			if name, again := first[n.Inode]; again {
				f.Type, f.Link, f.Size, f.Digest = record.TypeHardlink, name, 0, ""
			} else {
				first[n.Inode] = n.Path()
			}
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

// capabilities returns the names of those that a file of the image was given.
func capabilities(n *tree.Node) ([]string, error) {
	attribute := n.Xattrs[capability.Attribute]
	if attribute == "" {
		return nil, nil
	}
	f, err := capability.Read(attribute)
	if err != nil {
		return nil, fmt.Errorf("cannot read the capabilities of %s: %w", n.Path(), err)
	}
	return f.Permitted.Names(), nil
}
