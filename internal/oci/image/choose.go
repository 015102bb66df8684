package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Limits of an image, far above what images are.
const (
	maxDepth     = 4    // of indexes in indexes
	maxManifests = 1024 // of one image, for all platforms
	maxEntries   = 8192 // of an index and those in it
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
// them. What an index lists beside images is left out: artifacts, and
// statements about an image.
func (r Reader) Candidates(ctx context.Context, all []Candidate, group int, d ocispec.Descriptor) ([]Candidate, error) {
	w := walk{Reader: r, group: group, found: all}
	err := w.visit(ctx, d, 0)
	return w.found, err
}

// A walk follows an index to the images that it leads to.
type walk struct {
	Reader
	group int
	found []Candidate
	// other are the indexes in the index and the manifests that are not images',
	// each after what it leads to.
	other   []ocispec.Descriptor
	seen    map[digest.Digest]bool // indexes
	visited int                    // entries of indexes
}

func (w *walk) visit(ctx context.Context, d ocispec.Descriptor, depth int) error {
	switch {
	case IsManifest(d.MediaType):
		return w.manifest(ctx, d, depth)
	case IsIndex(d.MediaType):
		return w.index(ctx, d, depth)
	case depth == 0:
		return fmt.Errorf("manifest %s: unknown media type %.100q", d.Digest, d.MediaType)
	}
	w.other = append(w.other, d)
	return nil
}

// index visits the entries of an index. The work is bounded: an index of a few
// bytes may list another tens of thousands of times.
func (w *walk) index(ctx context.Context, d ocispec.Descriptor, depth int) error {
	if depth >= maxDepth {
		return fmt.Errorf("index %s: more than %d indexes in each other", d.Digest, maxDepth)
	}
	if w.seen[d.Digest] {
		return nil
	}
	if w.seen == nil {
		w.seen = map[digest.Digest]bool{}
	}
	w.seen[d.Digest] = true
	var index ocispec.Index
	if _, err := w.document(ctx, d, "index", &index); err != nil {
		return err
	}
	if w.visited += len(index.Manifests); w.visited > maxEntries {
		return fmt.Errorf("index %s: more than %d entries, with those of the indexes in it", d.Digest, maxEntries)
	}
	for _, child := range index.Manifests {
		annotations := maps.Clone(d.Annotations)
		if annotations == nil {
			annotations = map[string]string{}
		}
		maps.Copy(annotations, child.Annotations)
		child.Annotations = annotations
		if err := w.visit(ctx, child, depth+1); err != nil {
			return err
		}
	}
	w.other = append(w.other, d)
	return nil
}

func (w *walk) manifest(ctx context.Context, d ocispec.Descriptor, depth int) error {
	if depth > 0 && statement(d) {
		w.other = append(w.other, d)
		return nil
	}
	c := Candidate{Group: w.group, Descriptor: d}
	if d.Platform == nil || d.Platform.OS == "" {
		img, err := w.Image(ctx, d)
		if depth > 0 && errors.Is(err, errArtifact) {
			w.other = append(w.other, d)
			return nil
		}
		if err != nil {
			return err
		}
		img.Descriptor.Platform = &img.Config.Platform
		c.Image, c.Descriptor = img, img.Descriptor
	}
	if len(w.found) >= maxManifests {
		return fmt.Errorf("more than %d manifests", maxManifests)
	}
	w.found = append(w.found, c)
	return nil
}

// statement reports whether an entry of an index says that it is not an image:
// BuildKit gives attestations the platform unknown/unknown and an annotation,
// tools that follow OCI 1.1 (SOCI, SBOM generators) an artifact type
// (skopeo#2708).
func statement(d ocispec.Descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown" ||
		d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" || d.ArtifactType != ""
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
