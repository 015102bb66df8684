package record

import (
	"encoding/json"
	"fmt"

	"smith/internal/tree"
)

// Files describes everything in a tree but its root, in the tree's order, with
// the reasons that are known by path.
func Files(t *tree.Tree, reasons map[string][]Reason) ([]File, error) {
	var files []File
	first := map[*tree.Inode]string{}
	err := t.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		f := File{Path: n.Path(), Type: n.Kind.String(), Link: n.Link, Reasons: reasons[n.Path()]}
		if n.Kind == tree.File {
			sum, err := n.Digest()
			if err != nil {
				return err
			}
			f.Size, f.Digest = n.Size, sum.String()
		}
		if n.Inode != nil {
			if name, again := first[n.Inode]; again {
				f.Type, f.Link, f.Size, f.Digest = "hardlink", name, 0, ""
			} else {
				first[n.Inode] = n.Path()
			}
		}
		if o := n.Origin; o != nil {
			f.Origin = &Origin{Kind: o.Kind, Name: o.Name, Digest: o.Digest}
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

// JSON returns the record as it is attached to an image.
func (r *Record) JSON() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cannot write the build record: %w", err)
	}
	return data, nil
}

// maxRecord bounds a record that is read, in bytes.
const maxRecord = 256 << 20

// Decode reads a record that is attached to an image.
func Decode(data []byte) (*Record, error) {
	if len(data) > maxRecord {
		return nil, fmt.Errorf("cannot read the build record: its %d bytes are more than the %d allowed", len(data), maxRecord)
	}
	r := &Record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("cannot read the build record: %w", err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("cannot read the build record: its version is %d, this smith reads %d", r.Version, Version)
	}
	return r, nil
}
