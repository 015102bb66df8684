package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
)

// exercise does with an archive all that a build does.
func exercise(t *testing.T, a *Archive) {
	for _, tag := range append(a.Tags(), "") {
		img, err := a.Image(t.Context(), tag, ocispec.Platform{})
		if err != nil {
			continue
		}
		if len(img.Layers) != len(img.Config.RootFS.DiffIDs) {
			t.Errorf("%d layers, %d diff_ids", len(img.Layers), len(img.Config.RootFS.DiffIDs))
		}
		for _, b := range img.Blobs()[1:] {
			r, err := b.Open(t.Context())
			if err != nil {
				continue
			}
			data, err := io.ReadAll(r)
			if err == nil && (digest.FromBytes(data) != b.Descriptor.Digest || int64(len(data)) != b.Descriptor.Size) {
				t.Errorf("the bytes of %s have another digest or size", b.Descriptor.Digest)
			}
			r.Close()
		}
	}
}

// Whatever the bytes of a file are.
func FuzzOpen(f *testing.F) {
	s := newSample(f)
	for _, files := range []contents{s.oci(f), s.docker(f)} {
		f.Add(files.tar(f))
		f.Add(gzipped(f, files.tar(f)))
	}
	f.Add([]byte{})
	st, dir := storetest.New(f), f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), path, st, event.Silent{})
		if err != nil {
			return
		}
		defer a.Close()
		exercise(t, a)
	})
}

// Whatever the documents of an image say. The words INDEX, MANIFEST and CONFIG
// stand for the digest and size of a document, so that it is found.
func FuzzDocuments(f *testing.F) {
	s := newSample(f)
	s.oci(f)
	text := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		return string(data)
	}
	index := `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",MANIFEST,"annotations":{"org.opencontainers.image.ref.name":"a","com.oracle.smith.attachments":"[]"}}]}`
	manifest := strings.NewReplacer(
		fmt.Sprintf(`"digest":%q,"size":%d`, s.manifest.Config.Digest, s.manifest.Config.Size), "CONFIG").Replace(text(s.manifest))
	f.Add(index, manifest, text(s.config))
	f.Add(`{"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",MANIFEST,"platform":{"os":"linux","architecture":"arm","variant":"v7"}}]}`,
		`{"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",CONFIG}]}`, `{"manifests":[{}]}`)
	f.Add("[]", "{}", "null")
	f.Fuzz(func(t *testing.T, index, manifest, config string) {
		files := contents{"oci-layout": layoutFile}
		for _, d := range s.manifest.Layers {
			files[blobPath(d.Digest)] = s.files[blobPath(d.Digest)]
		}
		refer := func(document string) string {
			d := files.put("", []byte(document))
			return fmt.Sprintf(`"digest":%q,"size":%d`, d.Digest, d.Size)
		}
		manifest = strings.ReplaceAll(manifest, "CONFIG", refer(config))
		files["index.json"] = []byte(strings.ReplaceAll(index, "MANIFEST", refer(manifest)))
		a := &Archive{path: "fuzz", files: files}
		if a.load(t.Context()) == nil {
			exercise(t, a)
		}
	})
}

// Whatever manifest.json and the config of `docker save` say.
func FuzzDocker(f *testing.F) {
	s := newSample(f)
	files := s.docker(f)
	for name, data := range files {
		if strings.HasSuffix(name, ".json") && name != "manifest.json" {
			f.Add(files["manifest.json"], data)
		}
	}
	f.Add([]byte(`[{"Config":"../../etc/passwd","RepoTags":[":",""],"Layers":["a",""]}]`), []byte("{}"))
	f.Fuzz(func(t *testing.T, manifest, config []byte) {
		files["manifest.json"], files["config"] = manifest, config
		a := &Archive{path: "fuzz", files: files}
		if a.load(t.Context()) == nil {
			exercise(t, a)
		}
	})
}

// Whatever index.json a layout folder has: what is added to it can be read,
// and adding it again changes nothing.
func FuzzMergeIndex(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"annotations":{"org.opencontainers.image.ref.name":"a"}}],"annotations":{"a":"b"}}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[null,1]}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[],"annotations":{"a":2}}`))
	added := ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(""), Size: 1,
		Annotations: map[string]string{ocispec.AnnotationRefName: "latest"},
	}
	f.Fuzz(func(t *testing.T, old []byte) {
		merged, err := mergeIndex(old, added)
		if err != nil {
			return
		}
		var index ocispec.Index
		if err := json.Unmarshal(merged, &index); err != nil {
			t.Fatalf("%s: %v", merged, err)
		}
		if again, err := mergeIndex(merged, added); err != nil || string(again) != string(merged) {
			t.Errorf("merged twice: %s, %v; once: %s", again, err, merged)
		}
	})
}
