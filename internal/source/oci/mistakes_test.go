package oci

import (
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
)

// What is said of an image whose config says two things of one layer.
func TestMistakes(t *testing.T) {
	d := digest.FromString("layer")
	layer := image.Layer{Blob: image.Blob{Descriptor: ocispec.Descriptor{Digest: d}}, DiffID: digest.FromString("one")}
	other := layer
	other.DiffID = digest.FromString("two")
	_, err := expand(t.Context(), storetest.New(t), []image.Layer{layer, other}, event.Silent{})
	if want := "layer " + d.String() + ": the config gives it two diff_ids"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
