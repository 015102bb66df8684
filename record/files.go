package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

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
