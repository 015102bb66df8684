package archive

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/oci/image"
)

// A flaw is something wrong with an image, and what a reader says of it.
type flaw struct {
	spoil func(t testing.TB, s *sample) contents
	tag   string
	want  string
}

// gone stands for what each system says where a file is absent.
const gone = "not there"

func flaws() map[string]flaw {
	// after lays the image out and then changes a file of it.
	after := func(change func(s *sample, c contents)) func(testing.TB, *sample) contents {
		return func(t testing.TB, s *sample) contents {
			c := maps.Clone(s.oci(t))
			change(s, c)
			return c
		}
	}
	before := func(change func(s *sample)) func(testing.TB, *sample) contents {
		return func(t testing.TB, s *sample) contents { change(s); return s.oci(t) }
	}
	layer := func(s *sample) string { return blobPath(s.manifest.Layers[1].Digest) }
	return map[string]flaw{
		"no such tag":       {before(func(*sample) {}), "nope", `it has no tag "nope"; it has the tags: latest`},
		"layer damaged":     {after(func(s *sample, c contents) { c[layer(s)] = spoilt(c[layer(s)]) }), "", "damaged"},
		"layer longer":      {after(func(s *sample, c contents) { c[layer(s)] = append(bytes.Clone(c[layer(s)]), 0) }), "", "bytes, its descriptor says"},
		"layer gone":        {after(func(s *sample, c contents) { delete(c, layer(s)) }), "", gone},
		"manifest damaged":  {after(func(s *sample, c contents) { m := manifestPath(s); c[m] = spoilt(c[m]) }), "", "manifest sha256:"},
		"manifest gone":     {after(func(s *sample, c contents) { delete(c, manifestPath(s)) }), "", gone},
		"config damaged":    {after(func(s *sample, c contents) { m := blobPath(s.manifest.Config.Digest); c[m] = spoilt(c[m]) }), "", "config sha256:"},
		"no oci-layout":     {after(func(_ *sample, c contents) { delete(c, "oci-layout") }), "", gone},
		"index no JSON":     {after(func(_ *sample, c contents) { c["index.json"] = []byte("{") }), "", "index.json: unexpected end"},
		"index too large":   {after(func(_ *sample, c contents) { c["index.json"] = make([]byte, image.MaxJSON+1) }), "", "more than the 8388608 allowed"},
		"other version":     {before(func(s *sample) { s.layout.Version = "2.0.0" }), "", `unknown version "2.0.0"`},
		"layers are fewer":  {before(func(s *sample) { s.manifest.Layers = s.manifest.Layers[:1] }), "", "the manifest lists 1 layers, the config 2"},
		"unknown layer":     {before(func(s *sample) { s.manifest.Layers[0].MediaType = "text/plain" }), "", `unknown media type "text/plain"`},
		"unknown manifest":  {before(func(s *sample) { s.manifest.MediaType = "text/plain" }), "", `unknown media type "text/plain"`},
		"digest of no kind": {before(func(s *sample) { s.manifest.Layers[0].Digest = "sha256:../../x" }), "", `blob "sha256:../../x"`},
		"negative size":     {before(func(s *sample) { s.manifest.Layers[0].Size = -1 }), "", "a size of -1"},
		"nothing at all":    {func(testing.TB, *sample) contents { return contents{"x": nil} }, "", "it holds neither index.json nor manifest.json"},
		"no image": {func(t testing.TB, s *sample) contents {
			c := maps.Clone(s.oci(t))
			c["index.json"] = []byte(`{"schemaVersion":2,"manifests":[]}`)
			return c
		}, "", "index.json lists no image"},
		"two images": {func(t testing.TB, s *sample) contents {
			s.entry(t, "one")
			s.config.Author = "somebody"
			s.manifest.Config = ocispec.Descriptor{}
			s.entry(t, "two")
			return s.oci(t)
		}, "", "it holds several images; name one by its tag (…:TAG); it has the tags: one, two"},
		"unknown config": {func(t testing.TB, s *sample) contents {
			s.manifest.Config = s.files.document(t, "text/plain", s.config)
			return s.oci(t)
		}, "", `not an image, but another artifact`},
		"deep indexes": {func(t testing.TB, s *sample) contents {
			d := s.entry(t, "")
			for range 6 {
				d = s.files.document(t, ocispec.MediaTypeImageIndex, ocispec.Index{Manifests: []ocispec.Descriptor{d}})
			}
			s.index.Manifests = []ocispec.Descriptor{d}
			return s.oci(t)
		}, "", "more than 4 indexes in each other"},
		"docker, config damaged": {func(t testing.TB, s *sample) contents {
			c := s.docker(t)
			for name, data := range c {
				if name != "manifest.json" && strings.HasSuffix(name, ".json") {
					c[name] = append(data, ' ')
				}
			}
			return c
		}, "", "its bytes have digest"},
		"docker, layer gone": {func(t testing.TB, s *sample) contents {
			c := s.docker(t)
			delete(c, s.manifest.Layers[0].Digest.Encoded()+"/layer.tar")
			return c
		}, "", gone},
		"docker, layers are more": {func(t testing.TB, s *sample) contents {
			s.config.RootFS.DiffIDs = slices.Insert(s.config.RootFS.DiffIDs, 0, digest.FromString(""))
			return s.docker(t)
		}, "", "manifest.json lists 2 layers, the config 3"},
	}
}

func manifestPath(s *sample) string { return blobPath(s.index.Manifests[0].Digest) }

// spoilt returns the same number of other bytes.
func spoilt(data []byte) []byte {
	other := bytes.Clone(data)
	other[len(other)/2] ^= 1
	return other
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, f := range flaws() {
		files := f.spoil(t, newSample(t))
		for form, path := range files.forms(t) {
			_, err := read(t.Context(), path, f.tag, storetest.New(t))
			if err == nil || !strings.Contains(err.Error(), f.want) && (f.want != gone || !errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("%s, %s: got %v, want …%s…", name, form, err, f.want)
			}
		}
	}
}

func TestReadRefusesBrokenFiles(t *testing.T) {
	whole := newSample(t).oci(t).tar(t)
	packed := gzipped(t, whole)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"short.tar":      {whole[:len(whole)/2], "unexpected EOF"},
		"short.tar.gz":   {packed[:len(packed)-10], "unexpected EOF"},
		"flip.tar.gz":    {append(bytes.Clone(packed[:200]), packed[201:]...), ""},
		"empty.tar":      {nil, "it holds neither index.json nor manifest.json"},
		"empty.tar.gz":   {gzipped(t, nil), "it holds neither index.json nor manifest.json"},
		"text.tar":       {bytes.Repeat([]byte("text "), 1000), "it is no archive: it begins as no tar file does"},
		"trailer.tar.gz": {append(bytes.Clone(packed[:len(packed)-8]), 0, 0, 0, 0, 0, 0, 0, 0), "checksum"},
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), name), c.data)
		if _, err := read(t.Context(), path, "", storetest.New(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, c.want)
		}
	}
	for path, want := range map[string]string{t.TempDir(): "neither", filepath.Join(t.TempDir(), "absent"): "no such file", "/dev/null": "neither a file nor a folder"} {
		if _, err := read(t.Context(), path, "", storetest.New(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", path, err, want)
		}
	}
}
