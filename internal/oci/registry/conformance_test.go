package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
)

// A conformance is a registry that is asked by hand what OCI's conformance tests
// ask (distribution-spec, conformance/01_pull_test.go to 03_discovery_test.go),
// as far as the client asks it.
type conformance struct {
	t    *testing.T
	repo *repository
	blob image.Blob // that the repository has
	data []byte
	top  ocispec.Descriptor // of a manifest that the tag "1" names
}

// A conformanceCase is one of the suite's, by its name there. but tells of
// registries that do otherwise, and what the client makes of it.
type conformanceCase struct {
	name string
	run  func() error
	but  map[string]string
}

// cases are those that the client relies on, and what for.
func (c *conformance) cases() []conformanceCase {
	blob := "/blobs/" + c.blob.Descriptor.Digest.String()
	const nowhere = "/blobs/sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	return []conformanceCase{
		// has: what is there is not sent.
		{"Pull: HEAD request to nonexistent blob should result in 404 response", c.answers(http.MethodHead, nowhere, 404), nil},
		{"Pull: HEAD request to existing blob should yield 200", c.answers(http.MethodHead, blob, 200), nil},
		// download: the bytes, and after a break the rest.
		{"Pull: GET nonexistent blob should result in 404 response", c.answers(http.MethodGet, nowhere, 404), nil},
		{"Pull: GET request to existing blob URL should yield 200", c.pulls(blob), nil},
		{"Pull: GET with Range should yield 206", c.rest(blob), nil},
		// Open: a tag or a digest.
		{"Pull: GET nonexistent manifest should return 404", c.answers(http.MethodGet, "/manifests/nope", 404), nil},
		{"Pull: GET request to manifest path (digest) should yield 200 response", c.manifest("/manifests/" + c.top.Digest.String()), nil},
		{"Pull: GET request to manifest path (tag) should yield 200 response", c.manifest("/manifests/1"), nil},
		{"Pull: 404 response body should contain OCI-conforming JSON message", c.message, nil},
		// upload: a session, the bytes, the end.
		{"Push: POST request should yield a session ID", func() error { _, err := c.session(""); return err }, nil},
		{"Push: PATCH request with blob in body should yield 202 response", c.uploads("", "streamed"), nil},
		{"Push: PUT upload of a blob should yield a 201 Response", c.uploads("monolithic"), nil},
		{"Push: PUT with another digest should be refused", c.wrongDigest, nil},
		// resume: how far a session got, and going on there.
		{"Push: Get on stale blob upload should return 204 with a Range and Location", c.stale, map[string]string{
			"go-containerregistry": "does not tell how far it got: the blob starts again",
		}},
		{"Push: Out-of-order blob upload should return 416", c.outOfOrder, map[string]string{
			"docker-registry": "takes what comes: the client never sends out of order",
		}},
		// begin: what another repository has.
		{"Push: POST request to mount another repository's blob should return 201 or 202", c.mount(c.blob.Descriptor.Digest, 201, 202), nil},
		{"Push: Cross-mounting of nonexistent blob should yield session id", c.mount(digest.FromString("nowhere"), 202), map[string]string{
			"ociregistry": "answers 404: the client asks for a session without mounting",
		}},
		// push.
		{"Push: PUT should accept a manifest upload", c.putManifest(nil), nil},
		{"Push: manifest with a subject is accepted", c.putManifest(&c.top), nil},
		// Attach.
		{"Content Discovery: GET request to nonexistent blob should result in empty 200 response", c.referrers, map[string]string{
			"docker-registry": "has no referrers API: the client keeps them under a tag",
		}},
	}
}

// A reply is an answer, read.
type reply struct {
	http.Response
	data []byte
}

// ask asks the registry by hand and wants one of the statuses.
func (c *conformance) ask(method, at string, body []byte, header map[string]string, wanted ...int) (*reply, error) {
	if strings.HasPrefix(at, "/") {
		at = c.repo.base + at
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", strings.Join(c.repo.remote.ManifestMediaTypes, ", "))
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && !slices.Contains(wanted, resp.StatusCode) {
		err = fmt.Errorf("%s %s answers %d, not %d", method, resp.Request.URL.Path, resp.StatusCode, wanted)
	}
	return &reply{*resp, data}, err
}

func (c *conformance) answers(method, at string, wanted int) func() error {
	return func() error {
		_, err := c.ask(method, at, nil, nil, wanted)
		return err
	}
}

func (c *conformance) pulls(at string) func() error {
	return func() error {
		r, err := c.ask(http.MethodGet, at, nil, nil, 200)
		if err == nil && !bytes.Equal(r.data, c.data) {
			err = errors.New("other bytes come")
		}
		return err
	}
}

// rest wants the bytes behind the tenth.
func (c *conformance) rest(at string) func() error {
	return func() error {
		r, err := c.ask(http.MethodGet, at, nil, map[string]string{"Range": fmt.Sprintf("bytes=10-%d", len(c.data)-1)}, 206)
		if err == nil && !bytes.Equal(r.data, c.data[10:]) {
			err = errors.New("other bytes come")
		}
		return err
	}
}

func (c *conformance) manifest(at string) func() error {
	return func() error {
		r, err := c.ask(http.MethodGet, at, nil, nil, 200)
		if err == nil && (digest.FromBytes(r.data) != c.top.Digest || r.Header.Get("Content-Type") != c.top.MediaType) {
			err = fmt.Errorf("another manifest comes, as %s", r.Header.Get("Content-Type"))
		}
		return err
	}
}

func (c *conformance) message() error {
	r, err := c.ask(http.MethodGet, "/manifests/nope", nil, nil, 404)
	if err != nil {
		return err
	}
	var body struct{ Errors []struct{ Code string } }
	if err := json.Unmarshal(r.data, &body); err != nil {
		return err
	}
	if len(body.Errors) == 0 || body.Errors[0].Code == "" {
		return fmt.Errorf("it says %.200q", r.data)
	}
	return nil
}

// next returns where an upload goes on, and with a digest where it ends.
func (r *reply) next(d digest.Digest) (string, error) {
	u := &upload{}
	if err := u.move(&r.Response); err != nil {
		return "", err
	}
	if d != "" {
		query := u.session.Query()
		query.Set("digest", d.String())
		u.session.RawQuery = query.Encode()
	}
	return u.session.String(), nil
}

// session opens one, as upload does, and sends pieces to it. It returns where
// it goes on, or ends if there is a digest.
func (c *conformance) session(d digest.Digest, pieces ...string) (string, error) {
	r, err := c.ask(http.MethodPost, "/blobs/uploads/", nil, nil, 202)
	at := 0
	for _, piece := range pieces {
		if err != nil {
			return "", err
		}
		r, err = c.send(r, at, piece)
		at += len(piece)
	}
	if err != nil {
		return "", err
	}
	return r.next(d)
}

// send sends a piece to where an answer says.
func (c *conformance) send(r *reply, at int, piece string) (*reply, error) {
	to, err := r.next("")
	if err != nil {
		return nil, err
	}
	header := map[string]string{"Content-Type": "application/octet-stream"}
	if at > 0 {
		header["Content-Range"] = fmt.Sprintf("%d-%d", at, at+len(piece)-1)
	}
	return c.ask(http.MethodPatch, to, []byte(piece), header, 202, 204)
}

// uploads sends pieces in PATCHes, and the last in the PUT that ends it.
func (c *conformance) uploads(last string, pieces ...string) func() error {
	return func() error {
		d := digest.FromString(strings.Join(pieces, "") + last)
		at, err := c.session(d, pieces...)
		if err != nil {
			return err
		}
		if _, err := c.ask(http.MethodPut, at, []byte(last), nil, 201); err != nil {
			return err
		}
		return c.answers(http.MethodHead, "/blobs/"+d.String(), 200)()
	}
}

// wrongDigest is what lets the system send files unread.
func (c *conformance) wrongDigest() error {
	wanted := digest.FromString("whole")
	at, err := c.session(wanted, "damaged")
	if err != nil {
		return err
	}
	if _, err := c.ask(http.MethodPut, at, nil, nil, 400); err != nil {
		return err
	}
	return c.answers(http.MethodHead, "/blobs/"+wanted.String(), 404)()
}

func (c *conformance) stale() error {
	at, err := c.session("", "0123456789")
	if err != nil {
		return err
	}
	r, err := c.ask(http.MethodGet, at, nil, nil, 204)
	if err != nil {
		return err
	}
	if got, known := received(&r.Response); !known || got != 10 {
		return fmt.Errorf("of 10 bytes it tells %d, as %q", got, r.Header.Get("Range"))
	}
	if r, err = c.send(r, 10, "abc"); err != nil {
		return err
	}
	if at, err = r.next(digest.FromString("0123456789abc")); err != nil {
		return err
	}
	_, err = c.ask(http.MethodPut, at, nil, nil, 201)
	return err
}

func (c *conformance) outOfOrder() error {
	at, err := c.session("")
	if err != nil {
		return err
	}
	_, err = c.ask(http.MethodPatch, at, []byte("abc"), map[string]string{"Content-Range": "10-12"}, 416)
	return err
}

func (c *conformance) mount(d digest.Digest, wanted ...int) func() error {
	return func() error {
		other := strings.TrimSuffix(c.repo.base, c.repo.name.Repository) + "other/app"
		at := other + "/blobs/uploads/?" + url.Values{"mount": {d.String()}, "from": {c.repo.name.Repository}}.Encode()
		_, err := c.ask(http.MethodPost, at, nil, nil, wanted...)
		return err
	}
}

func (c *conformance) putManifest(subject *ocispec.Descriptor) func() error {
	return func() error {
		m := ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
			Config: c.blob.Descriptor, Layers: []ocispec.Descriptor{c.blob.Descriptor}, Subject: subject,
		}
		m.Config.MediaType = ocispec.MediaTypeImageConfig
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		at := "/manifests/" + digest.FromBytes(data).String()
		if _, err := c.ask(http.MethodPut, at, data, map[string]string{"Content-Type": m.MediaType}, 201); err != nil {
			return err
		}
		return c.answers(http.MethodHead, at, 200)()
	}
}

func (c *conformance) referrers() error {
	r, err := c.ask(http.MethodGet, "/referrers/"+digest.FromString("nothing").String(), nil, nil, 200)
	if err != nil {
		return err
	}
	var index ocispec.Index
	if err := json.Unmarshal(r.data, &index); err != nil {
		return err
	}
	if !image.IsIndex(index.MediaType) || len(index.Manifests) > 0 {
		return fmt.Errorf("it says %.200q", r.data)
	}
	return nil
}

// The registries of the tests do what the client relies on.
func TestConformance(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			host := registrytest.Start(t, name)
			client, target := testClient(t), remoteName(t, host, "team/app:1")
			img := sample(t, 1, 100_000, "linux/amd64")
			if _, err := client.Write(t.Context(), target, image.Of(img), image.OCI); err != nil {
				t.Fatal(err)
			}
			c := &conformance{t: t, repo: client.open(t.Context(), target.Split()), blob: img.Layers[0].Blob, top: img.Descriptor}
			var err error
			if c.data, err = read(t.Context(), c.blob); err != nil {
				t.Fatal(err)
			}
			for _, test := range c.cases() {
				t.Run(test.name, func(t *testing.T) {
					err := test.run()
					switch reason, other := test.but[name]; {
					case other && err == nil:
						t.Errorf("it is said that the registry %s, and it does not", reason)
					case !other && err != nil:
						t.Error(err)
					}
				})
			}
		})
	}
}
