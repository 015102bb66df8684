package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Limits of an image, far above what images are.
const (
	maxDepth     = 4    // of indexes in indexes
	maxManifests = 1024 // of one image, for all platforms
)

// A Candidate is an image for one platform, of the several that a name may
// stand for.
type Candidate struct {
	// Group tells candidates apart that are not the same image for different
	// platforms, though one name led to all of them.
	Group int
	// Descriptor is the manifest's; it names the platform.
	Descriptor ocispec.Descriptor
	// Image is nil until it had to be read.
	Image *Image
}

// Candidates appends the images that a manifest's or index's descriptor leads
// to. What the descriptor of an index says of all its images is passed on to
// them. Manifests that say something about an image are left out.
func (r Reader) Candidates(ctx context.Context, all []Candidate, group int, d ocispec.Descriptor) ([]Candidate, error) {
	return r.candidates(ctx, all, group, d, 0)
}

func (r Reader) candidates(ctx context.Context, all []Candidate, group int, d ocispec.Descriptor, depth int) ([]Candidate, error) {
	if IsManifest(d.MediaType) {
		return r.candidate(ctx, all, group, d)
	}
	if !IsIndex(d.MediaType) {
		return nil, fmt.Errorf("manifest %s: unknown media type %.100q", d.Digest, d.MediaType)
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("index %s: more than %d indexes in each other", d.Digest, maxDepth)
	}
	var index ocispec.Index
	if _, err := r.document(ctx, d, "index", &index); err != nil {
		return nil, err
	}
	for _, child := range index.Manifests {
		annotations := maps.Clone(d.Annotations)
		if annotations == nil {
			annotations = map[string]string{}
		}
		maps.Copy(annotations, child.Annotations)
		child.Annotations = annotations
		var err error
		if all, err = r.candidates(ctx, all, group, child, depth+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r Reader) candidate(ctx context.Context, all []Candidate, group int, d ocispec.Descriptor) ([]Candidate, error) {
	if attestation(d) {
		return all, nil
	}
	if len(all) >= maxManifests {
		return nil, fmt.Errorf("more than %d manifests", maxManifests)
	}
	c := Candidate{Group: group, Descriptor: d}
	if d.Platform == nil || d.Platform.OS == "" {
		img, err := r.Image(ctx, d)
		if err != nil {
			return nil, err
		}
		img.Descriptor.Platform = &img.Config.Platform
		c.Image, c.Descriptor = img, img.Descriptor
	}
	return append(all, c), nil
}

// attestation says whether a manifest is no image, but says something of one:
// BuildKit gives those the platform unknown/unknown.
func attestation(d ocispec.Descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown" ||
		d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// One returns the image of the candidates that serves a platform best.
func (r Reader) One(ctx context.Context, all []Candidate, platform ocispec.Platform) (*Image, error) {
	best, err := pick(all, platform)
	if err != nil || best.Image != nil {
		return best.Image, err
	}
	return r.Image(ctx, best.Descriptor)
}

// Each returns the images of all candidates, in their order, each once.
func (r Reader) Each(ctx context.Context, all []Candidate) ([]*Image, error) {
	var images []*Image
	groups := map[string]Candidate{}
	for _, c := range all {
		platform := PlatformName(*c.Descriptor.Platform) + c.Descriptor.Platform.OSVersion
		switch first, twice := groups[platform]; {
		case twice && first.Descriptor.Digest == c.Descriptor.Digest:
			continue
		case twice && first.Group != c.Group:
			return nil, fmt.Errorf("it holds several images for %s under one name; give each a tag of its own", PlatformName(*c.Descriptor.Platform))
		}
		groups[platform] = c
		img := c.Image
		if img == nil {
			var err error
			if img, err = r.Image(ctx, c.Descriptor); err != nil {
				return nil, err
			}
		}
		images = append(images, img)
	}
	if len(images) == 0 {
		return nil, errNoImage
	}
	return images, nil
}

var errNoImage = errors.New("it holds no image, only statements about one")

// pick returns the candidate that serves a platform best, of equal ones the
// first (image-index.md), as long as both are of the same group. Who asks for
// no platform gets this machine's, or the only one that there is.
func pick(all []Candidate, platform ocispec.Platform) (Candidate, error) {
	if platform.Architecture == "" {
		platform = ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
		if len(all) == 1 {
			return all[0], nil
		}
	}
	var best Candidate
	high := 0
	for _, c := range all {
		switch r := rank(platform, *c.Descriptor.Platform); {
		case r > high:
			best, high = c, r
		case r == high && r > 0 && c.Group != best.Group && c.Descriptor.Digest != best.Descriptor.Digest:
			return best, fmt.Errorf("it holds several images for %s under one name; give each a tag of its own", PlatformName(platform))
		}
	}
	if high > 0 {
		return best, nil
	}
	if len(all) == 0 {
		return best, errNoImage
	}
	var names []string
	for _, c := range all {
		names = append(names, PlatformName(*c.Descriptor.Platform))
	}
	slices.Sort(names)
	return best, fmt.Errorf("it has no image for %s; it has: %s", PlatformName(platform), strings.Join(slices.Compact(names), ", "))
}
