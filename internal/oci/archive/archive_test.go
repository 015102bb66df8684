package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
)

// contents are the files of an image by name, in whatever form it is kept. In
// a test they stand for the files themselves.
type contents map[string][]byte

var _ members = contents{}

func (c contents) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	data, ok := c[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

func (c contents) sum(_ context.Context, name string) (digest.Digest, error) {
	return digest.FromBytes(c[name]), nil
}

func (c contents) section(string) (*os.File, int64, error) { return nil, 0, nil }

func (c contents) close() error { return nil }

// put adds a blob and returns its descriptor.
func (c contents) put(mediaType string, data []byte) ocispec.Descriptor {
	d := image.NewBlob(mediaType, data).Descriptor
	c[blobPath(d.Digest)] = data
	return d
}

// document adds a value as a JSON blob.
func (c contents) document(t testing.TB, mediaType string, v any) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return c.put(mediaType, data)
}

func (c contents) json(t testing.TB, name string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	c[name] = data
}

func layerOf(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A sample is an image with a plain and a compressed layer, as JSON values
// that a test may change before they are laid out.
type sample struct {
	files    contents
	config   ocispec.Image
	manifest ocispec.Manifest
	index    ocispec.Index
	layout   ocispec.ImageLayout
}

func newSample(t testing.TB) *sample {
	t.Helper()
	s := &sample{files: contents{}, layout: ocispec.ImageLayout{Version: "1.0.0"}}
	plain, packed := layerOf(t, "one", "1"), layerOf(t, "two", "2")
	s.config.Platform = ocispec.Platform{OS: "linux", Architecture: "amd64"}
	s.config.RootFS = ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain), digest.FromBytes(packed)}}
	s.manifest.SchemaVersion, s.manifest.MediaType = 2, ocispec.MediaTypeImageManifest
	s.manifest.Layers = []ocispec.Descriptor{
		s.files.put(ocispec.MediaTypeImageLayer, plain), s.files.put(ocispec.MediaTypeImageLayerGzip, gzipped(t, packed)),
	}
	s.index.SchemaVersion = 2
	return s
}

// entry lays out config and manifest, and lists them in the index under a tag.
func (s *sample) entry(t testing.TB, tag string) ocispec.Descriptor {
	t.Helper()
	if s.manifest.Config.Digest == "" {
		s.manifest.Config = s.files.document(t, ocispec.MediaTypeImageConfig, s.config)
	}
	d := s.files.document(t, s.manifest.MediaType, s.manifest)
	if tag != "" {
		d.Annotations = map[string]string{ocispec.AnnotationRefName: tag}
	}
	s.index.Manifests = append(s.index.Manifests, d)
	return d
}

// oci returns the files of an OCI layout.
func (s *sample) oci(t testing.TB) contents {
	t.Helper()
	if len(s.index.Manifests) == 0 {
		s.entry(t, "latest")
	}
	s.files.json(t, "oci-layout", s.layout)
	s.files.json(t, "index.json", s.index)
	return s.files
}

// docker returns the files of the same image as `docker save` writes them.
func (s *sample) docker(t testing.TB) contents {
	t.Helper()
	files := contents{}
	config, err := json.Marshal(s.config)
	if err != nil {
		t.Fatal(err)
	}
	files[digest.FromBytes(config).Encoded()+".json"] = config
	m := dockerImage{Config: digest.FromBytes(config).Encoded() + ".json", RepoTags: []string{"team/app:latest"}}
	for _, d := range s.manifest.Layers {
		name := d.Digest.Encoded() + "/layer.tar"
		files[name] = s.files[blobPath(d.Digest)]
		m.Layers = append(m.Layers, name)
	}
	files.json(t, "manifest.json", []dockerImage{m})
	return files
}

func (c contents) tar(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(c[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(c[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// forms writes files in each form in which an image may lie on a disk, and
// returns their paths by the form's name.
func (c contents) forms(t testing.TB) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range c {
		writeFile(t, filepath.Join(dir, "folder", filepath.FromSlash(name)), data)
	}
	return map[string]string{
		"tar":    writeFile(t, filepath.Join(dir, "image.tar"), c.tar(t)),
		"tar.gz": writeFile(t, filepath.Join(dir, "image.tar.gz"), gzipped(t, c.tar(t))),
		"folder": filepath.Join(dir, "folder"),
	}
}

// read opens an image and reads all of it.
func read(ctx context.Context, path, tag string, st *store.Store) (*image.Image, error) {
	a, err := Open(ctx, path, st, event.Silent{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	img, err := a.Image(ctx, tag, ocispec.Platform{})
	if err != nil {
		return nil, err
	}
	for _, b := range img.Blobs()[1:] {
		r, err := b.Open(ctx)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, r)
		r.Close()
		if err != nil {
			return nil, err
		}
	}
	return img, nil
}

// Every form of an image gives the same config and layers.
func TestRead(t *testing.T) {
	s := newSample(t)
	want := []digest.Digest{s.manifest.Layers[0].Digest, s.manifest.Layers[1].Digest}
	for kind, files := range map[string]contents{"oci": s.oci(t), "docker": s.docker(t)} {
		for form, path := range files.forms(t) {
			for _, tag := range []string{"", "latest"} {
				img, err := read(t.Context(), path, tag, storetest.New(t))
				if err != nil {
					t.Errorf("%s, %s, tag %q: %v", kind, form, tag, err)
					continue
				}
				var got, diffIDs []digest.Digest
				for _, l := range img.Layers {
					got, diffIDs = append(got, l.Descriptor.Digest), append(diffIDs, l.DiffID)
				}
				if d := cmp.Diff([][]digest.Digest{want, s.config.RootFS.DiffIDs}, [][]digest.Digest{got, diffIDs}); d != "" {
					t.Errorf("%s, %s (-want +got):\n%s", kind, form, d)
				}
			}
		}
	}
}

// A blob that says in which file it lies lies there.
func TestBlobsInFiles(t *testing.T) {
	s := newSample(t)
	for kind, files := range map[string]contents{"oci": s.oci(t), "docker": s.docker(t)} {
		for form, path := range files.forms(t) {
			st := storetest.New(t)
			a, err := Open(t.Context(), path, st, event.Silent{})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			img, err := a.Image(t.Context(), "", ocispec.Platform{})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range img.Layers {
				f, begin, err := l.File()
				if err != nil {
					t.Fatal(err)
				}
				if f == nil && form == "tar.gz" {
					continue // it lies in none
				}
				d, err := digest.FromReader(io.NewSectionReader(f, begin, l.Descriptor.Size))
				if err := errors.Join(err, f.Close()); err != nil || d != l.Descriptor.Digest {
					t.Errorf("%s, %s: in the file is %s, not %s (%v)", kind, form, d, l.Descriptor.Digest, err)
				}
			}
		}
	}
}

// What docker's archives hold of links and folders is no obstacle.
func TestReadDockerLinks(t *testing.T) {
	s := newSample(t)
	files := s.docker(t)
	var m []dockerImage
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "again/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../" + m[0].Layers[0]}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	m[0].Layers[0] = "again/layer.tar"
	files.json(t, "manifest.json", m)
	data := append(b.Bytes(), files.tar(t)...)
	for name, data := range map[string][]byte{"a.tar": data, "a.tar.gz": gzipped(t, data)} {
		if _, err := read(t.Context(), writeFile(t, filepath.Join(t.TempDir(), name), data), "", storetest.New(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
