package pipeline

import (
	"fmt"
	"path/filepath"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/lock"
	"smith/internal/oci/image"
	"smith/internal/reference"
	"smith/internal/smithfile"
)

// A Request is what one image is built from. No stage changes it.
type Request struct {
	Spec *smithfile.Spec
	// SpecName is the name of the spec in reasons and messages: "smith.yaml".
	SpecName string
	// Dir is the directory that relative paths in the spec start from; its
	// rootfs/ is the overlay. "" is the working directory, without an overlay.
	Dir string
	// Lock pins what repositories and registries would answer, or nil.
	Lock *lock.Lock
	// Keep holds the versions that Lock keeps where it can.
	Keep *lock.Lock
	// Platforms to build; empty means the spec's, else the platform of the
	// package's image or of this machine.
	Platforms []ocispec.Platform
	// Target is where the image is written.
	Target reference.Reference
	// Labels are written to the index only, so they do not change the image.
	// Name stands in for a spec without a name; Tag is the target's.
	Labels image.Labels
	// Epoch is SOURCE_DATE_EPOCH, or nil. It is written wherever the image must
	// hold a time.
	Epoch *time.Time
	// Strict makes an unneeded name in allow-missing an error.
	Strict bool
}

// labels completes the labels of the index.
func (r Request) labels() image.Labels {
	labels := r.Labels
	labels.Name, labels.Tag = r.Spec.Name, r.Target.Tag
	if labels.Name == "" {
		labels.Name = image.NameOf(r.Labels.Name)
	}
	return labels
}

// place returns the file and line of a value in the spec.
func (r Request) place(key string, index int) string {
	if line := r.Spec.Line(key, index); line > 0 {
		return fmt.Sprintf("%s:%d", r.SpecName, line)
	}
	return r.SpecName
}

// path resolves a path in the spec.
func (r Request) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.Dir, name)
}

// epoch is the modification time of every file of the image.
func (r Request) epoch() time.Time {
	if r.Epoch != nil {
		return *r.Epoch
	}
	return time.Unix(0, 0).UTC()
}

// debugInfo reports where debug information goes, "" for nowhere.
func (r Request) debugInfo() string {
	if r.Spec.DebugInfo == "" && r.Spec.Mock != nil && r.Spec.Mock.DebugInfo {
		return debugInside
	}
	return r.Spec.DebugInfo
}
