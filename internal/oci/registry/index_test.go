package registry

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
	"smith/internal/reference"
)

// An index is passed on byte for byte, with its annotations, the order of its
// fields, an index in it, and what it lists beside images: registry to archive,
// archive to another registry (oc-mirror#1466, skopeo#2708).
func TestIndexIsCopiedWhole(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	from := remoteName(t, host, "team/app:1")
	want := pushIndex(t, from)
	for _, kind := range []reference.Kind{reference.Archive, reference.Layout} {
		c := testClient(t)
		opened, err := c.Open(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		set, err := opened.Images(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Images) != 2 || len(set.Original.Manifests) != 3 {
			t.Fatalf("%d images and %d other manifests, want 2 and 3", len(set.Images), len(set.Original.Manifests))
		}
		for _, img := range set.Images {
			if err := opened.Attach(t.Context(), img); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "app.tar.gz")
		got, err := archive.Write(t.Context(), reference.Reference{Kind: kind, Path: path}, set, image.Labels{}, event.Silent{})
		if err != nil || got != want {
			t.Fatalf("written as %s (%v), want %s", got, err, want)
		}
		a, err := archive.Open(t.Context(), path, c.options.Store, event.Silent{})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if set, err = a.Images(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if n := len(set.Images[0].Attachments); n != 2 {
			t.Errorf("%d attachments after the archive, want 2", n)
		}
		other := registrytest.Start(t, "docker-registry")
		to := remoteName(t, other, "mirror/app:1")
		written, err := testClient(t).Write(t.Context(), to, set, image.OCI)
		if err != nil || written.Digest != want {
			t.Fatalf("uploaded as %+v (%v), want %s", written, err, want)
		}
		back, err := testClient(t).Open(t.Context(), to)
		if err != nil || back.Digest() != want {
			t.Fatalf("the tag names %s (%v), want %s", back.Digest(), err, want)
		}
		if again, err := back.Images(t.Context()); err != nil || len(again.Original.Blobs) != 4 {
			t.Errorf("%d blobs of artifacts (%v), want 4", len(again.Original.Blobs), err)
		}
	}
}

// pushIndex writes an index as another tool may have made it, and returns its
// digest: with unknown fields, an index in it, an attestation and an artifact.
func pushIndex(t *testing.T, name reference.Reference) digest.Digest {
	t.Helper()
	c := testClient(t)
	images := []*image.Image{sample(t, 1, 10, "linux/amd64"), sample(t, 2, 10, "linux/arm64")}
	w := &writing{repo: c.open(t.Context(), name.Split()), done: map[digest.Digest]bool{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	config, content := image.NewBlob("application/vnd.example.config+json", []byte("{}")), image.NewBlob("text/plain", []byte("statement"))
	must(w.blobs(t.Context(), append(blobsOf(images), config, content)))
	must(w.manifests(t.Context(), images, nil))
	push := func(mediaType string, v any) ocispec.Descriptor {
		t.Helper()
		data, err := json.MarshalIndent(v, "", "   ")
		must(err)
		d := image.NewBlob(mediaType, data).Descriptor
		must(w.push(t.Context(), d, data, d.Digest.String()))
		return d
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config.Descriptor, Layers: []ocispec.Descriptor{content.Descriptor}}
	attestation := push(ocispec.MediaTypeImageManifest, manifest)
	attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	manifest.ArtifactType = "application/spdx+json"
	artifact := push(ocispec.MediaTypeImageManifest, manifest) // its entry says nothing of what it is
	second := images[1].Descriptor
	inner := push(ocispec.MediaTypeImageIndex, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{second}})
	top := map[string]any{
		"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "zzz": "kept", "annotations": map[string]string{"org.example.team": "a"},
		"manifests": []ocispec.Descriptor{attestation, images[0].Descriptor, inner, artifact},
	}
	data, err := json.MarshalIndent(top, "", "   ")
	must(err)
	d := image.NewBlob(ocispec.MediaTypeImageIndex, data).Descriptor
	must(w.push(t.Context(), d, data, "1"))
	r, err := c.Open(t.Context(), name)
	must(err)
	if r.Digest() != d.Digest {
		t.Fatalf("the registry has %s, want %s", r.Digest(), d.Digest)
	}
	return d.Digest
}
