package container

import (
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What is said of an image that cannot be run.
func TestMistakes(t *testing.T) {
	for want, o := range map[string]Options{
		"the image names no program to run; give one after --":                      {},
		`the image's user is "www-data"; smith run wants numbers, such as 10:10`:    {Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "www-data"}},
		`the image's user is "10:www-data"; smith run wants numbers, such as 10:10`: {Config: ocispec.ImageConfig{Entrypoint: []string{"/x"}, User: "10:www-data"}},
	} {
		if _, err := newProcess(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := find("jail"); err == nil || err.Error() != "cannot run the image: jail is not installed; install crun, runc or podman" {
		t.Errorf("got %v", err)
	}
}
