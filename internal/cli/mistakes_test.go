package cli

import (
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/internal/tree"
)

// What is said of images that hold nothing that could be run.
func TestMistakesOfPrograms(t *testing.T) {
	for _, tt := range []struct {
		config ocispec.ImageConfig
		args   []string
		want   string
	}{
		{ocispec.ImageConfig{}, nil, "a.tar names no program to run; give one: smith run a.tar PROGRAM"},
		{ocispec.ImageConfig{Cmd: []string{"/bin/web"}}, []string{"-v"}, "a.tar has no entry point, so its program comes first after the image, and the image has no -v"},
		{ocispec.ImageConfig{Entrypoint: []string{"/bin/web"}}, []string{"-v"}, "a.tar does not contain /bin/web, the program it runs"},
		{ocispec.ImageConfig{Entrypoint: []string{"/read/web"}}, nil, ""},
	} {
		img := &openedImage{Offer: &source.Offer{Tree: tree.New(), Image: &image.Image{}}}
		img.Image.Config.Config.ImageConfig = tt.config
		err := holdsProgram(img, "a.tar", tt.args)
		if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%+v %q: got %v, want %s", tt.config, tt.args, err, tt.want)
		}
	}
}
