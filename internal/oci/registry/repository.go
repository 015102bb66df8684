package registry

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	ref "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"smith/internal/oci/image"
	"smith/internal/reference"
)

// parallel is how many blobs are on their way at once.
const parallel = 5

// A repository is one repository of a registry.
type repository struct {
	*Client
	name   reference.Remote
	remote *remote.Repository // manifests and referrers
	auth   *auth.Client
	base   string      // URL before /manifests and /blobs
	worked atomic.Bool // whether a request was answered as wanted
}

// open returns the repository of a reference. Nothing is asked of it yet, but
// a host that is this machine whether it speaks TLS.
func (c *Client) open(ctx context.Context, name reference.Remote) *repository {
	if !name.Plain {
		name.Plain = c.speaksPlain(ctx, name.Host)
	}
	r := &repository{Client: c, name: name, auth: c.auth(name.Host, name.Repository)}
	r.remote = &remote.Repository{
		Client:    r.auth,
		Reference: ref.Reference{Registry: name.Host, Repository: name.Repository},
		PlainHTTP: name.Plain,
		ManifestMediaTypes: []string{
			ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, image.DockerManifest, image.DockerList,
		},
		ReferrerListMaxPages: 16,
		SkipReferrersGC:      true, // few registries let a manifest be deleted
	}
	scheme := "https://"
	if name.Plain {
		scheme = "http://"
	}
	r.base = scheme + r.remote.Reference.Host() + "/v2/" + name.Repository
	return r
}

// path names the repository as a blob remembers it: HOST/NAME.
func (r *repository) path() string { return r.name.Host + "/" + r.name.Repository }

// request makes a request for which the given actions on the repository are
// needed.
func (r *repository) request(ctx context.Context, method, url string, actions ...string) (*http.Request, error) {
	ctx = auth.AppendRepositoryScope(ctx, r.remote.Reference, actions...)
	return http.NewRequestWithContext(ctx, method, url, nil)
}

// do makes a request and wants one of the statuses. The caller closes the body.
func (r *repository) do(req *http.Request, wanted ...int) (*http.Response, error) {
	resp, err := r.auth.Do(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && r.worked.Load() {
		// A token can grow old between two of several requests at once.
		resp.Body.Close()
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		resp, err = r.auth.Do(req)
	}
	if err != nil {
		return nil, err
	}
	if slices.Contains(wanted, resp.StatusCode) {
		r.worked.Store(true)
		return resp, nil
	}
	defer resp.Body.Close()
	return resp, answer(resp)
}

// answer returns the error that a response is (OCI distribution specification,
// "Error codes").
func answer(resp *http.Response) error {
	e := &statusError{status: resp.StatusCode, response: resp}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, 8<<10)).Decode(&body) == nil {
		e.text = said(body.Errors)
	}
	if resp.Request.Response != nil {
		e.from = resp.Request.URL.Host
	}
	return e
}

// blobURL is where the registry has a blob.
func (r *repository) blobURL(d digest.Digest) string { return r.base + "/blobs/" + d.String() }
