package image

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The work that an index causes is bounded: one of 48 KB may list another tens
// of thousands of times, which lists another as often.
func TestWorkOfAnIndexIsBounded(t *testing.T) {
	blobs := map[digest.Digest]Blob{}
	opened := 0
	reader := Reader{Blob: func(d ocispec.Descriptor) Blob {
		opened++
		return blobs[d.Digest]
	}}
	index := func(times int, children ...ocispec.Descriptor) ocispec.Descriptor {
		t.Helper()
		list := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
		for range times {
			list.Manifests = append(list.Manifests, children...)
		}
		data, err := encode(list)
		if err != nil {
			t.Fatal(err)
		}
		b := NewBlob(ocispec.MediaTypeImageIndex, data)
		blobs[b.Descriptor.Digest] = b
		return b.Descriptor
	}
	const many = 4000
	empty := index(0)
	twice := index(many, index(many, empty))
	if _, err := reader.Candidates(t.Context(), nil, 0, twice); err != nil || opened != 3 {
		t.Errorf("indexes that are listed again: opened %d, %v", opened, err)
	}
	different := make([]ocispec.Descriptor, 3)
	for i := range different {
		different[i] = index(many, index(i+1, empty))
	}
	_, err := reader.Candidates(t.Context(), nil, 0, index(1, different...))
	if err == nil || !strings.Contains(err.Error(), "more than 8192 entries") {
		t.Errorf("too many entries: %v", err)
	}
}
