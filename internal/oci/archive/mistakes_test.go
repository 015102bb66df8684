package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/reference"
)

// tarOf returns a tar of the headers, without contents.
func tarOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is said of archives and folders that cannot be read, whole: PATH stands
// for where they lie.
func TestMistakesInReading(t *testing.T) {
	broken := tarOf(t, tar.Header{Name: "a"}, tar.Header{Name: "b"})
	broken[512] ^= 1
	loop := tarOf(t, tar.Header{Name: "index.json", Typeflag: tar.TypeSymlink, Linkname: "index.json"})
	docker := contents{"manifest.json": []byte("[]")}
	several := contents{"manifest.json": []byte(`[{"RepoTags":["one/app:1"]},{"RepoTags":["two/app:1"]}]`)}
	version := contents{"index.json": []byte("{}"), "oci-layout": []byte(`{"imageLayoutVersion":"2.0.0"}`)}
	foreign := contents{"index.json": []byte(`{"manifests":[{"mediaType":"text/plain"}]}`), "oci-layout": layoutFile}
	large := contents{"index.json": make([]byte, image.MaxJSON+1)}
	shared := maps.Clone(newSample(t).oci(t))
	for name, c := range map[string]struct {
		data      []byte
		tag, want string
	}{
		"none.tar":      {tarOf(t), "", "it holds neither index.json nor manifest.json: it is no image archive or layout"},
		"text.tar":      {bytes.Repeat([]byte("text "), 1000), "", "it is no archive: it begins as no tar file does"},
		"broken.tar":    {broken, "", "tar: after 1 members: archive/tar: invalid tar header"},
		"broken.tar.gz": {gzipped(t, broken), "", "tar: archive/tar: invalid tar header"},
		"loop.tar":      {loop, "", `index.json: member "index.json" is a link that leads nowhere`},
		"docker.tar":    {docker.tar(t), "", "manifest.json lists no image"},
		"several.tar":   {several.tar(t), "1", `tag "1" names several images: one/app:1, two/app:1`},
		"version.tar":   {version.tar(t), "", `oci-layout: unknown version "2.0.0" of the image layout`},
		"foreign.tar":   {foreign.tar(t), "", `index.json: unknown media type "text/plain"`},
		"large.tar":     {large.tar(t), "", "index.json: its 8388609 bytes are more than the 8388608 allowed"},
		"cut.tar":       {newSample(t).oci(t).tar(t)[:512*3+10], "", "tar: after 2 members: unexpected EOF"},
		"tag.tar":       {shared.tar(t), "x", `it has no tag "x"; it has the tags: latest`},
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), name), c.data)
		_, err := read(t.Context(), path, c.tag, storetest.New(t))
		if want := "cannot read image " + path + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, want)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "index.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/dev/null":     "it is neither a file nor a folder",
		dir:             "index.json: it is no file",
		dir + "/absent": "no such file or directory",
	} {
		_, err := read(t.Context(), path, "", storetest.New(t))
		if want = "cannot read image " + path + ": " + want; err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

// An archive of more members than an image has is not listed to its end.
func TestMembersAreBounded(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range maxMembers + 1 {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := listTar(bytes.NewReader(b.Bytes())); err == nil || err.Error() != "tar: more than 100000 members" {
		t.Errorf("got %v", err)
	}
}

// What is said where a file changes under the reader.
func TestMistakesUnderWay(t *testing.T) {
	s := newSample(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "a.tar"), s.oci(t).tar(t))
	a, err := Open(t.Context(), path, storetest.New(t), event.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	img, err := a.Image(t.Context(), "", ocispec.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(writeFile(t, path+".new", nil), path); err != nil {
		t.Fatal(err)
	}
	_, _, replaced := img.Layers[0].File()
	packed := &stream{store: storetest.New(t)}
	changed := packed.copyBlob(streamed{Digest: digest.FromString("x")}, strings.NewReader("y"))
	absent := a.blob(ocispec.Descriptor{}, "blobs/none")
	_, notThere := absent.Open(t.Context())
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, closed := identify(f)
	for _, c := range []struct {
		err  error
		want string
	}{
		{replaced, path + ": " + blobPath(s.manifest.Layers[0].Digest) + ": another file took its place while it was read; run smith again"},
		{changed, "the archive was changed while it was read; run smith again"},
		{notThere, path + ": blobs/none: file does not exist"},
		{closed, "cannot tell its identity: bad file descriptor"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}

// What is said of targets that cannot be written, whole.
func TestMistakesInWriting(t *testing.T) {
	dir := t.TempDir()
	layout := func(name, file, data string) string {
		writeFile(t, filepath.Join(dir, name, "oci-layout"), layoutFile)
		writeFile(t, filepath.Join(dir, name, file), []byte(data))
		return "oci:" + filepath.Join(dir, name)
	}
	writeFile(t, filepath.Join(dir, "other/thesis.txt"), nil)
	writeFile(t, filepath.Join(dir, "file"), nil)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "folder.tar"), 0o700), os.Symlink("/dev/null", filepath.Join(dir, "null.tar"))); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		dir + "/folder.tar":     "it is a folder",
		dir + "/absent/a.tar":   "its folder does not exist",
		dir + "/file/a.tar":     "not a directory",
		dir + "/null.tar":       "something that is no file stands there",
		"oci:" + dir + "/x/y":   "the folder " + dir + "/x does not exist",
		"oci:" + dir + "/other": "the folder holds other files, such as thesis.txt, and no oci-layout",
		layout("version", "oci-layout", `{"imageLayoutVersion":"9"}`):                  `its oci-layout names version "9", known is 1.0.0`,
		layout("noversion", "oci-layout", "x"):                                         "its oci-layout: invalid character 'x' looking for beginning of value",
		layout("schema", "index.json", `{"schemaVersion":1}`):                          "its index.json: its schemaVersion is 1, known is 2",
		layout("docker", "index.json", `{"schemaVersion":2,"mediaType":"text/plain"}`): `its index.json: it is a "text/plain", not an image index`,
		layout("entries", "index.json", `{"schemaVersion":2,"manifests":[{}, 1]}`):     "its index.json: entry 2 is no descriptor: json: cannot unmarshal number into Go value of type v1.Descriptor",
		layout("large", "index.json", strings.Repeat(" ", maxIndex+1)):                 "its index.json has more than the 16777216 bytes allowed",
	} {
		to, err := reference.ParseOutput(target)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Write(t.Context(), to, image.Of(newImage(t, "ann")), image.Labels{}, event.Silent{})
		if want = fmt.Sprintf("cannot write %s: %s", to, want); err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
	_, err := Write(t.Context(), reference.Reference{Kind: reference.Package, Name: "app"}, image.Of(newImage(t, "ann")), image.Labels{}, event.Silent{})
	if err == nil || err.Error() != "cannot write app: it is neither an archive nor a layout folder" {
		t.Errorf("got %v", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	root.Close()
	if _, err := lock(root); err == nil || err.Error() != "cannot lock it: file already closed" {
		t.Errorf("got %v", err)
	}
}
