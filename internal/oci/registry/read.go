package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"smith/internal/oci/image"
	"smith/internal/reference"
)

// An Image is what a reference stands for in a registry: an image for one
// platform or for several. It is safe for many goroutines.
type Image struct {
	repo *repository
	name reference.Reference
	root ocispec.Descriptor // of the manifest or index that the name leads to
	data []byte             // its bytes
}

// Open asks a registry what a reference stands for. A reference with a digest
// is not asked for where the cache has its manifest.
func (c *Client) Open(ctx context.Context, name reference.Reference) (*Image, error) {
	i := &Image{name: name, repo: c.open(ctx, name.Split())}
	if i.recall() {
		return i, nil
	}
	for attempt := 0; ; attempt++ {
		err := i.resolve(ctx)
		if err == nil {
			return i, nil
		}
		if status(err) != 0 || !c.wait.pause(ctx, attempt, err) {
			return nil, i.fail(err)
		}
	}
}

func (i *Image) fail(err error) error {
	return fmt.Errorf("cannot read image %s: %w", i.name, plain(err))
}

// Digest returns the digest that the reference was found to stand for: the
// manifest's, or the index's of an image for several platforms.
func (i *Image) Digest() digest.Digest { return i.root.Digest }

// Voucher says what vouches for the digest that the name led to: "" where the
// name has the digest itself.
func (i *Image) Voucher() string {
	switch name := i.repo.name; {
	case name.Digest != "":
		return ""
	case name.Plain, i.repo.options.Insecure:
		return "nothing vouches for what the tag names: TLS was not used or not checked"
	}
	return "TLS vouches for what the tag names"
}

// recall looks for the manifest of a reference with a digest in the cache.
func (i *Image) recall() bool {
	d := digest.Digest(i.repo.name.Digest)
	if d == "" || d.Validate() != nil {
		return false
	}
	data, err := i.repo.options.Store.Load(blobBucket, d.String())
	if err != nil || digest.FromBytes(data) != d {
		return false
	}
	i.root = ocispec.Descriptor{MediaType: mediaTypeOf(data), Digest: d, Size: int64(len(data))}
	i.data = data
	return i.root.MediaType != ""
}

// resolve reads the manifest or index that the name leads to.
func (i *Image) resolve(ctx context.Context) error {
	wanted := i.repo.name.Digest
	if wanted == "" {
		wanted = i.repo.name.Tag
	}
	if wanted == "" {
		wanted = image.DefaultTag
	}
	req, err := i.repo.request(ctx, http.MethodGet, i.repo.base+"/manifests/"+wanted, auth.ActionPull)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", strings.Join(i.repo.remote.ManifestMediaTypes, ", "))
	resp, err := i.repo.do(req, http.StatusOK)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.ContentLength > image.MaxJSON {
		return fmt.Errorf("its manifest has %d bytes, more than the %d allowed", resp.ContentLength, image.MaxJSON)
	}
	if i.data, err = io.ReadAll(io.LimitReader(resp.Body, image.MaxJSON+1)); err != nil {
		return err
	}
	if len(i.data) > image.MaxJSON {
		return fmt.Errorf("its manifest has more than the %d bytes allowed", image.MaxJSON)
	}
	i.root = ocispec.Descriptor{Digest: digest.FromBytes(i.data), Size: int64(len(i.data))}
	for _, said := range []string{i.repo.name.Digest, resp.Header.Get("Docker-Content-Digest")} {
		if said != "" && said != i.root.Digest.String() {
			return fmt.Errorf("its manifest should have digest %.80s, the bytes that came have %s", said, i.root.Digest)
		}
	}
	return i.classify(resp)
}

// classify sets the media type, and refuses what is no image of today.
func (i *Image) classify(resp *http.Response) error {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if own := mediaTypeOf(i.data); err != nil || own != "" && !strings.HasPrefix(mediaType, "application/vnd.") {
		mediaType = own
	}
	i.root.MediaType = mediaType
	switch {
	case image.IsIndex(mediaType), image.IsManifest(mediaType):
		return i.repo.keep(i.root.Digest, i.data)
	case strings.HasPrefix(mediaType, "application/vnd.docker.distribution.manifest.v1"):
		return errors.New("its manifest is of Docker's schema 1, which no tool writes since 2017; push the image anew")
	}
	return fmt.Errorf("it is no image: its manifest is of the type %.100q", mediaType)
}

// mediaTypeOf returns what a manifest or index calls itself, "" for nothing.
func mediaTypeOf(data []byte) string {
	var self struct {
		MediaType string `json:"mediaType"`
	}
	if json.Unmarshal(data, &self) != nil {
		return ""
	}
	return self.MediaType
}

// Image returns the image for a platform. What it says is checked, its layers
// are not read; each that is read later is kept in the cache.
func (i *Image) Image(ctx context.Context, platform ocispec.Platform) (*image.Image, error) {
	r := i.repo.reader()
	all, err := r.Candidates(ctx, nil, 0, i.root)
	if err != nil {
		return nil, i.fail(err)
	}
	img, err := r.One(ctx, all, platform)
	if err != nil {
		return nil, i.fail(err)
	}
	return img, nil
}

// Images returns the images for all platforms, with the index that lists them.
func (i *Image) Images(ctx context.Context) (image.Set, error) {
	set, err := i.repo.reader().Set(ctx, i.root)
	if err != nil {
		return image.Set{}, i.fail(err)
	}
	return set, nil
}

// reader reads images from the repository's blobs.
func (r *repository) reader() image.Reader { return image.Reader{Blob: r.blob} }
