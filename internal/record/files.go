package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"smith/internal/capability"
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
			if f.Capabilities, err = capabilities(n); err != nil {
				return err
			}
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

// A Package is what a package gave to an image.
type Package struct {
	// Name is the package's with its version and architecture.
	Name string `json:"name"`
	// Size is that of its files, in bytes.
	Size  int64 `json:"size"`
	Files int   `json:"files"`
}

// Packages returns the packages that the files come from, the heaviest first.
func (r *Record) Packages() []Package {
	packages := map[string]Package{}
	for _, f := range r.Files {
		if f.Origin != nil && f.Origin.Kind == "package" {
			p := packages[f.Origin.Name]
			packages[f.Origin.Name] = Package{f.Origin.Name, p.Size + f.Size, p.Files + 1}
		}
	}
	return slices.SortedFunc(maps.Values(packages), func(a, b Package) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Name, b.Name))
	})
}

// Input returns what the files of an origin came from, nil where the record has
// nothing of it: smith's own files come from no input.
func (r *Record) Input(o *Origin) *Input {
	for i, in := range r.Inputs {
		if o != nil && in.Kind == o.Kind && in.Name == o.Name && (in.Kind != "package" || in.Digest == o.Digest) {
			return &r.Inputs[i]
		}
	}
	return nil
}

// Voucher tells in words what vouched for an input: the repository and its
// key, or what stands in their place. "" is nothing but the input's digest.
func (in *Input) Voucher() string {
	var words []string
	for _, word := range []string{in.Repository, keyed(in.Key), in.Note} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

func keyed(fingerprint string) string {
	if fingerprint == "" {
		return ""
	}
	return "key " + fingerprint
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
