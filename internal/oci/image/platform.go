package image

import (
	"strconv"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// rank says how well an image for one platform serves another, 0 for not at
// all: the same system and architecture, and of the variants that run there
// the highest. A variant runs on itself and those above it; arm without one
// means v7, arm64 v8, amd64 v1 (OCI image specification, image-index.md,
// "Platform Variants").
func rank(want, have ocispec.Platform) int {
	if want.OS != have.OS || want.Architecture != have.Architecture {
		return 0
	}
	w, wantNumber := variant(want)
	h, haveNumber := variant(have)
	switch {
	case wantNumber && haveNumber && h <= w:
		return 1 + h
	case want.Variant == have.Variant:
		return 1
	}
	return 0
}

// variant returns the number of a variant, such as 7 for v7.
func variant(p ocispec.Platform) (int, bool) {
	if p.Variant == "" {
		n, ok := map[string]int{"arm": 7, "arm64": 8, "amd64": 1}[p.Architecture]
		return n, ok
	}
	text, ok := strings.CutPrefix(p.Variant, "v")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n > 0 && n < 100
}

// PlatformName returns a platform as --platform takes it.
func PlatformName(p ocispec.Platform) string {
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return name
}
