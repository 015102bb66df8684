package archive

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/reference"
)

// newImage returns an image of one layer, by an author.
func newImage(t testing.TB, author string) *image.Image {
	t.Helper()
	config := image.Config{}
	config.Author, config.Platform = author, ocispec.Platform{OS: "linux", Architecture: "amd64"}
	packed := gzipped(t, layerOf(t, "file", author))
	l := image.Layer{Blob: image.NewBlob(ocispec.MediaTypeImageLayerGzip, packed), DiffID: image.NewBlob("", layerOf(t, "file", author)).Descriptor.Digest}
	img, err := image.New(config, []image.Layer{l}, image.NewBlob(image.MediaTypeSpec, []byte("{}")))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func output(t testing.TB, name string) reference.Reference {
	t.Helper()
	r, err := reference.ParseOutput(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listing returns the names in a folder.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What is written is read again, in each form, with its attachment.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	labels := image.Labels{Name: "team/app", Created: time.Unix(1, 0), Build: "7"}
	for _, name := range []string{"a.tar", "a.tar.gz", "a.tgz", "a.tar.gz:v2", "oci:layout", "oci:layout:v2"} {
		want := newImage(t, "ann")
		at := filepath.Join(dir, name)
		if layout, ok := strings.CutPrefix(name, "oci:"); ok {
			at = "oci:" + filepath.Join(dir, layout)
		}
		d, err := Write(t.Context(), output(t, at), image.Of(want), labels, event.Silent{})
		if err != nil || d != want.Descriptor.Digest {
			t.Fatalf("%s: %s, %v", name, d, err)
		}
		r := output(t, at)
		got, err := read(t.Context(), r.Path, r.Tag, storetest.New(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(string(want.ManifestBytes), string(got.ManifestBytes)); d != "" || len(got.Attachments) != 1 {
			t.Errorf("%s: %d attachments; manifest (-want +got):\n%s", name, len(got.Attachments), d)
		}
	}
	if d := cmp.Diff([]string{"a.tar", "a.tar.gz", "a.tgz", "layout"}, listing(t, dir)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// A write that fails, at whatever blob, leaves the old file, and nothing else.
func TestWriteLeavesTheOldFile(t *testing.T) {
	good := newImage(t, "ann")
	spoil := func(open func(context.Context) (io.ReadCloser, error)) *image.Image {
		img := newImage(t, "bob")
		img.Layers[0].Open = open
		return img
	}
	cancelled, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		img  *image.Image
		want string
	}{
		"cannot be opened": {spoil(func(context.Context) (io.ReadCloser, error) { return nil, errors.New("broken disk") }), "broken disk"},
		"is short":         {spoil(func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }), "has 1 of its"},
		"is long": {spoil(func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<16))), nil
		}), "has more than its"},
		"is cancelled": {spoil(func(ctx context.Context) (io.ReadCloser, error) { cancel(); return nil, ctx.Err() }), "context canceled"},
	} {
		for _, form := range []string{"a.tar", "a.tar.gz", "oci:a"} {
			dir := t.TempDir()
			at := filepath.Join(dir, form)
			if form == "oci:a" {
				at = "oci:" + filepath.Join(dir, "a")
			}
			if _, err := Write(t.Context(), output(t, at), image.Of(good), image.Labels{}, event.Silent{}); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			_, err := Write(cancelled, output(t, at), image.Of(c.img), image.Labels{}, event.Silent{})
			if err == nil || !strings.HasPrefix(err.Error(), "cannot write ") || !strings.Contains(err.Error(), c.want) && !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %s: got %v, want …%s…", name, form, err, c.want)
			}
			img, err := read(t.Context(), output(t, at).Path, "", storetest.New(t))
			if err != nil || img.Config.Author != "ann" {
				t.Errorf("%s, %s: the old image is gone: %v", name, form, err)
			}
			if d := cmp.Diff(before, listing(t, dir)); d != "" {
				t.Errorf("%s, %s: files (-before +after):\n%s", name, form, d)
			}
		}
	}
}

// Several processes may add images to one layout at once.
func TestWriteLayoutAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	tags := []string{"a", "b", "c", "d", "e", "f"}
	var wg sync.WaitGroup
	for _, tag := range tags {
		img := newImage(t, tag)
		wg.Go(func() {
			if _, err := Write(t.Context(), output(t, "oci:"+dir+":"+tag), image.Of(img), image.Labels{}, event.Silent{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, tag := range tags {
		if img, err := read(t.Context(), dir, tag, storetest.New(t)); err != nil || img.Config.Author != tag {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder.tar"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "other/thesis.txt"), nil)
	writeFile(t, filepath.Join(dir, "file"), nil)
	for name, want := range map[string]string{
		filepath.Join(dir, "folder.tar"):     "it is a folder",
		filepath.Join(dir, "absent/a.tar"):   "its folder does not exist",
		"oci:" + filepath.Join(dir, "other"): "the folder holds other files, such as thesis.txt",
		"oci:" + filepath.Join(dir, "file"):  "not a directory",
		"oci:" + filepath.Join(dir, "x/y"):   "does not exist",
	} {
		_, err := Write(t.Context(), output(t, name), image.Of(newImage(t, "ann")), image.Labels{}, event.Silent{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", name, err, want)
		}
	}
}

// A link to an archive stays, and what it points to is replaced.
func TestWriteThroughALink(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "real/a.tar"), []byte("old"))
	link := filepath.Join(dir, "a.tar")
	if err := os.Symlink("real/a.tar", link); err != nil {
		t.Skip(err)
	}
	if _, err := Write(t.Context(), output(t, link), image.Of(newImage(t, "ann")), image.Labels{}, event.Silent{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if _, err := read(t.Context(), filepath.Join(dir, "real/a.tar"), "", storetest.New(t)); err != nil {
		t.Error(err)
	}
}
