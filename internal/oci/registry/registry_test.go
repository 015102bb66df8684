package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/retry"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
	"smith/internal/reference"
)

// testClient returns a client with a cache of its own, which is in a hurry and
// knows no login of this machine.
func testClient(t *testing.T) *Client {
	t.Helper()
	noLogins(t)
	st := storetest.New(t)
	c, err := New(Options{Store: st, Events: &heard{}})
	if err != nil {
		t.Fatal(err)
	}
	hurry(c, stall)
	return c
}

// hurry makes a client wait less, for another try and for a silent registry.
func hurry(c *Client, silence time.Duration) {
	t, err := transport(c.options, silence)
	if err != nil {
		panic(err)
	}
	c.wait = patience{unit: time.Millisecond}
	c.http.Transport = patient{once: t, again: &retry.Transport{Base: t, Policy: c.wait.policy}}
}

// noLogins hides the logins of this machine.
func noLogins(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("DOCKER_AUTH_CONFIG", "")
	t.Setenv("REGISTRY_AUTH_FILE", "")
}

// heard keeps what a client says.
type heard struct {
	event.Silent
	mu    sync.Mutex
	texts []string
}

func (h *heard) Note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts = append(h.texts, text)
}

func (h *heard) Warn(text string) { h.Note(text) }

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.texts, "\n")
}

// remoteName is the reference of a name in a registry.
func remoteName(t *testing.T, host, name string) reference.Reference {
	t.Helper()
	r, _, err := reference.ParseRemote(host + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sample returns an image with two layers, a large one of the size and a small
// one, and with attachments; seed makes it another.
func sample(t *testing.T, seed uint64, size int, platform string) *image.Image {
	t.Helper()
	system, architecture, _ := strings.Cut(platform, "/")
	var layers []image.Layer
	for i, n := range []int{size, 100} {
		data := tarOf(t, randomFor(seed+uint64(i)<<32), n)
		b := image.NewBlob(ocispec.MediaTypeImageLayer, data)
		layers = append(layers, image.Layer{Blob: b, DiffID: digest.FromBytes(data)})
	}
	config := image.Config{}
	config.OS, config.Architecture = system, architecture
	img, err := image.New(config, layers,
		image.NewBlob(image.MediaTypeSpec, []byte(`{"spec":true}`)), image.NewBlob(image.MediaTypeRecord, []byte(`{"version":1}`)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func randomFor(seed uint64) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 32)})
}

func tarOf(t *testing.T, random *rand.ChaCha8, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	data := make([]byte, size)
	_, _ = random.Read(data) // never fails
	if err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(size)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// contents are the bytes of all blobs of images, by digest, and of their
// manifests.
func contents(t *testing.T, images []*image.Image) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, img := range images {
		for _, b := range img.Blobs() {
			data, err := read(t.Context(), b)
			if err != nil {
				t.Fatalf("%s: %v", b.Descriptor.Digest, err)
			}
			all[b.Descriptor.Digest.String()] = string(data)
		}
	}
	return all
}

// pull reads an image for all its platforms, with what is attached.
func pull(t *testing.T, c *Client, name reference.Reference) ([]*image.Image, error) {
	t.Helper()
	opened, err := c.Open(t.Context(), name)
	if err != nil {
		return nil, err
	}
	set, err := opened.Images(t.Context())
	if err != nil {
		return nil, err
	}
	for _, img := range set.Images {
		if err := opened.Attach(t.Context(), img); err != nil {
			return nil, err
		}
	}
	return set.Images, nil
}

func TestWrittenImagesComeBack(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			host := registrytest.Start(t, name)
			for _, form := range []image.Form{image.OCI, image.Docker} {
				one := []*image.Image{sample(t, 1, 200_000, "linux/amd64")}
				several := append([]*image.Image{sample(t, 2, 100, "linux/arm64")}, one...)
				for what, images := range map[string][]*image.Image{"one": one, "several": several} {
					t.Run(string(form)+"-"+what, func(t *testing.T) {
						comesBack(t, remoteName(t, host, "team/"+what+":"+string(form)), images, form)
					})
				}
			}
		})
	}
}

func comesBack(t *testing.T, target reference.Reference, images []*image.Image, form image.Form) {
	t.Helper()
	written, err := testClient(t).Write(t.Context(), target, image.Of(images...), form)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimPrefix(target.String(), "http://") + "@" + written.Digest.String(); written.Name != want {
		t.Errorf("it is called %s, want %s", written.Name, want)
	}
	got, err := pull(t, testClient(t), target)
	if err != nil {
		t.Fatal(err)
	}
	formed := make([]*image.Image, len(images))
	for i, img := range images {
		if formed[i], err = img.In(form); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(contents(t, formed), contents(t, got)); diff != "" {
		t.Errorf("what comes back is another image (-want +got):\n%.2000s", diff)
	}
	for _, img := range got {
		mixed := img.Manifest.MediaType + img.Manifest.Config.MediaType
		for _, l := range img.Layers {
			mixed += l.Descriptor.MediaType
		}
		if strings.Contains(mixed, "docker") == strings.Contains(mixed, "oci") {
			t.Errorf("%s: one image with media types of both families: %s", img.Descriptor.Digest, mixed)
		}
	}
}

func TestWhatIsThereIsNotSent(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			host := registrytest.Start(t, name)
			images := []*image.Image{sample(t, 1, 100_000, "linux/amd64")}
			first := remoteName(t, host, "team/app:1")
			c := testClient(t)
			if _, err := c.Write(t.Context(), first, image.Of(images...), image.OCI); err != nil {
				t.Fatal(err)
			}
			again, err := c.Write(t.Context(), remoteName(t, host, "team/app:2"), image.Of(images...), image.OCI)
			if err != nil {
				t.Fatal(err)
			}
			if again.Uploaded.Blobs != 0 || again.Existing.Blobs != 6 {
				t.Errorf("of blobs that are there %+v are sent again, %+v are found", again.Uploaded, again.Existing)
			}
			// Layers from one repository are mounted into another, unread.
			fresh := testClient(t)
			got, err := pull(t, fresh, first)
			if err != nil {
				t.Fatal(err)
			}
			other, err := fresh.Write(t.Context(), remoteName(t, host, "other/app:1"), image.Of(got...), image.OCI)
			if err != nil {
				t.Fatal(err)
			}
			if name != "go-containerregistry" && other.Mounted.Blobs < 2 { // that one keeps all blobs in one place
				t.Errorf("%+v are mounted and %+v sent, want both layers mounted", other.Mounted, other.Uploaded)
			}
			if _, err := fresh.options.Store.Open(blobBucket, got[0].Layers[0].Descriptor.Digest.String()); err == nil {
				t.Error("a layer that the registry could mount was downloaded")
			}
		})
	}
}

func TestTheCacheIsAskedFirst(t *testing.T) {
	host := registrytest.Start(t, "ociregistry")
	asked := 0
	proxy := registrytest.Break(t, host, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		asked++
		next.ServeHTTP(w, r)
	})
	c := testClient(t)
	written, err := c.Write(t.Context(), remoteName(t, host, "team/app:1"), image.Of(sample(t, 1, 100_000, "linux/amd64")), image.OCI)
	if err != nil {
		t.Fatal(err)
	}
	name := remoteName(t, proxy, "team/app@"+written.Digest.String())
	read := func() map[string]string {
		opened, err := c.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := opened.Image(t.Context(), ocispec.Platform{})
		if err != nil {
			t.Fatal(err)
		}
		return contents(t, []*image.Image{img})
	}
	first := read()
	if asked == 0 {
		t.Fatal("the registry was not asked at all")
	}
	asked = 0
	if diff := cmp.Diff(first, read()); diff != "" || asked != 0 {
		t.Errorf("the second time the registry was asked %d times; %.500s", asked, diff)
	}
}

// Who reads on behind the end of a blob meets the end again.
func TestBehindTheEnd(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	c := testClient(t)
	name := remoteName(t, host, "team/app:1")
	if _, err := c.Write(t.Context(), name, image.Of(sample(t, 1, 1000, "linux/amd64")), image.OCI); err != nil {
		t.Fatal(err)
	}
	got, err := pull(t, c, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"the registry", "the cache"} {
		r, err := got[0].Layers[0].Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err != nil {
			t.Error(err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: behind the end there are %d bytes and %v", where, n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAheadReadsTheSameBytes(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	images := []*image.Image{sample(t, 1, 300_000, "linux/amd64"), sample(t, 2, 200_000, "linux/arm64")}
	c := testClient(t)
	name := remoteName(t, host, "team/app:1")
	if _, err := c.Write(t.Context(), name, image.Of(images...), image.OCI); err != nil {
		t.Fatal(err)
	}
	got, err := pull(t, c, name)
	if err != nil {
		t.Fatal(err)
	}
	ahead, stop := c.Ahead(t.Context(), got)
	defer stop()
	if diff := cmp.Diff(contents(t, images), contents(t, ahead)); diff != "" {
		t.Errorf("%.1000s", diff)
	}
}

// A cancelled context ends the reading of a blob that never comes.
func TestCancel(t *testing.T) {
	host := registrytest.Start(t, "ociregistry")
	c := testClient(t)
	name := remoteName(t, host, "team/app:1")
	if _, err := c.Write(t.Context(), name, image.Of(sample(t, 1, 100_000, "linux/amd64")), image.OCI); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	proxy := registrytest.Break(t, host, registrytest.Blob(50_000, func(w http.ResponseWriter, data []byte) {
		_, _ = w.Write(data[:10_000])
		cancel()
		<-ctx.Done()
	}))
	opened, err := c.Open(ctx, remoteName(t, proxy, "team/app:1"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := opened.Image(ctx, ocispec.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := img.Layers[0].Open(ctx)
	if err == nil {
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
	}
	if err == nil || ctx.Err() == nil {
		t.Errorf("the reading ends with %v", err)
	}
}
