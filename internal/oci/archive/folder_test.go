package archive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
)

// linked lays an image out as a folder whose layers are links to where.
func linked(t *testing.T, where func(dir, blob string) string) string {
	t.Helper()
	dir := newSample(t).oci(t).forms(t)["folder"]
	for _, d := range newSample(t).manifest.Layers {
		blob := filepath.Join(dir, blobPath(d.Digest))
		to := where(dir, filepath.Base(blob))
		if err := os.Rename(blob, filepath.Join(filepath.Dir(blob), to)); err != nil && !filepath.IsAbs(to) {
			t.Fatal(err)
		}
		if err := os.RemoveAll(blob); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, blob); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Some builders keep blobs as links to files beside blobs/.
func TestFolderFollowsLinksInIt(t *testing.T) {
	dir := linked(t, func(_, blob string) string { return "../../layer-" + blob })
	if _, err := read(t.Context(), dir, "", storetest.New(t)); err != nil {
		t.Error(err)
	}
}

func TestFolderRefusesLinksThatLeave(t *testing.T) {
	for name, where := range map[string]func(dir, blob string) string{
		"absolute": func(dir, blob string) string { return filepath.Join(dir, "..", "outside-"+blob) },
		"upwards":  func(_, blob string) string { return "../../../outside-" + blob },
	} {
		_, err := read(t.Context(), linked(t, where), "", storetest.New(t))
		if err == nil || !strings.Contains(err.Error(), ": it is behind a link that leaves the layout folder") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The layouts of Docker's busybox keep their blobs as links to files beside
// blobs/; as they were fetched, the links are files that hold the target.
func TestBusybox(t *testing.T) {
	data := os.Getenv("SMITH_TESTDATA")
	if data == "" {
		t.Skip("SMITH_TESTDATA is not set")
	}
	for _, name := range []string{"glibc", "musl"} {
		from := filepath.Join(data, "rootfs/busybox-oci", name)
		_, err := read(t.Context(), from, "", storetest.New(t))
		if err == nil || !strings.Contains(err.Error(), "it has 25 bytes, its descriptor says") {
			t.Errorf("%s as it was fetched: %v", name, err)
		}
		img, err := read(t.Context(), withLinks(t, from), "", storetest.New(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(img.Layers) != 1 {
			t.Errorf("%s has %d layers", name, len(img.Layers))
		}
	}
}

// withLinks copies a layout and makes its blobs the links that they were.
func withLinks(t *testing.T, from string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		target, err := os.ReadFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(blob), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(blob); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(string(target), blob); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// One image in all OCI forms that BuildKit writes, and two of docker's kind.
func TestForeignForms(t *testing.T) {
	data := os.Getenv("SMITH_TESTDATA")
	if data == "" {
		t.Skip("SMITH_TESTDATA is not set")
	}
	open := func(form string) (*Archive, error) {
		return Open(t.Context(), filepath.Join(data, "oci/one-image-all-forms/test-"+form+"-image.tar"), storetest.New(t), event.Silent{})
	}
	plain := map[digest.Digest]bool{}
	for _, form := range []string{"oci-uncompressed", "oci-gzip", "oci-zstd", "oci-estargz", "docker", "kaniko"} {
		a, err := open(form)
		if err != nil {
			t.Fatal(err)
		}
		img, err := a.Image(t.Context(), "", ocispec.Platform{})
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if strings.HasPrefix(form, "oci") {
			plain[img.Layers[0].DiffID] = true
		} else if len(img.Layers) < 10 {
			t.Errorf("%s has %d layers", form, len(img.Layers))
		}
		a.Close()
	}
	if len(plain) > 2 { // eStargz adds its table of contents to the tar
		t.Errorf("the layers are %v", plain)
	}
	for _, form := range []string{"gzip", "zstd", "uncompressed", "estargz"} {
		if _, err := open(form); err == nil || !strings.Contains(err.Error(), "it is no image archive or layout") {
			t.Errorf("the layer %s: %v", form, err)
		}
	}
}
