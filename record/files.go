package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Share is what a package gave to an image.
type Share struct {
	Package
	// Size is that of its files, in bytes.
	Size  int64 `json:"size"`
	Files int   `json:"files"`
}

// Packages returns the packages that the files come from, the heaviest first.
func (r *Record) Packages() []Share {
	packages := map[Package]Share{}
	for _, f := range r.Files {
		if f.Origin != nil && f.Origin.Kind == KindPackage {
			p := packages[f.Origin.Package]
			packages[f.Origin.Package] = Share{f.Origin.Package, p.Size + f.Size, p.Files + 1}
		}
	}
	return slices.SortedFunc(maps.Values(packages), func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.String(), b.String()))
	})
}

// Input returns what the files of an origin came from, nil where the record has
// nothing of it: smith's own files come from no input.
func (r *Record) Input(o *Origin) *Input {
	for i, in := range r.Inputs {
		if o != nil && in.Kind == o.Kind && in.Name == o.Name && in.Package == o.Package && (in.Kind != KindPackage || in.Digest == o.Digest) {
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
