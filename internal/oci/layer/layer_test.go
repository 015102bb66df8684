package layer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	_ "crypto/sha512" // as the program has it, for TLS
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/tree"
)

// writeTar writes a tar; a member's data stand in its header's Uname, which
// readers of layers do not look at.
func writeTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		data := h.Uname
		h.Uname = ""
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(data))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sample(t testing.TB) []byte {
	t.Helper()
	long := strings.Repeat("long/", 50)
	return writeTar(t,
		tar.Header{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "bin/tool", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 3, Gid: 4, Uname: "data of tool"},
		tar.Header{Name: "bin/again", Typeflag: tar.TypeLink, Linkname: "bin/tool"},
		tar.Header{Name: "sh", Typeflag: tar.TypeSymlink, Linkname: "bin/tool", Mode: 0o777},
		tar.Header{Name: "null", Typeflag: tar.TypeChar, Mode: 0o666},
		tar.Header{Name: "pipe", Typeflag: tar.TypeFifo, Mode: 0o600},
		tar.Header{Name: long + "name", Typeflag: tar.TypeReg, Mode: 0o644, Uname: strings.Repeat("x", 3*256<<10)},
		tar.Header{
			Name: "capable", Typeflag: tar.TypeReg, Mode: 0o755, Uname: "c",
			PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "cap"},
		},
		tar.Header{Name: "empty", Typeflag: tar.TypeReg, Mode: 0o644})
}

const sampleList = `dir 0755 bin
file 4755 bin/tool 3:4 "data of tool"
hardlink bin/again bin/tool
symlink 0777 sh -> bin/tool
device 0666 null
fifo 0600 pipe
file 0644 long…name 786432 bytes
file 0755 capable "c" security.capability=cap
file 0644 empty ""
`

// list shows the members of a layer, a line each.
func list(t testing.TB, l *Layer) string {
	t.Helper()
	entries, err := l.Entries(nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		name := strings.TrimSuffix(e.Path, "/")
		if len(name) > 100 {
			name = name[:4] + "…" + name[len(name)-4:]
		}
		n := e.Node
		if n == nil {
			fmt.Fprintf(&b, "hardlink %s %s\n", name, e.Hardlink)
			continue
		}
		fmt.Fprintf(&b, "%s %04o %s", n.Kind, n.Mode, name)
		if n.UID != 0 {
			fmt.Fprintf(&b, " %d:%d", n.UID, n.GID)
		}
		switch data, err := n.ReadAll(1 << 20); {
		case n.Kind == tree.Symlink:
			fmt.Fprintf(&b, " -> %s", n.Link)
		case n.Kind != tree.File:
		case err != nil:
			t.Error(err)
		case len(data) > 100:
			fmt.Fprintf(&b, " %d bytes", len(data))
		default:
			fmt.Fprintf(&b, " %q", data)
		}
		for key, value := range n.Xattrs {
			fmt.Fprintf(&b, " %s=%s", key, value)
		}
		b.WriteByte('\n')
	}
	return b.String()
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

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

// forms are the ways in which a plain tar may be compressed.
func forms(t testing.TB, plain []byte) map[string][]byte {
	t.Helper()
	half := len(plain) / 2
	return map[string][]byte{
		"plain": plain, "gzip": gzipped(t, plain), "zstd": zstandard(t, plain),
		"gzip in members":     append(gzipped(t, plain[:half]), gzipped(t, plain[half:])...),
		"zstd in frames":      append(zstandard(t, plain[:half]), zstandard(t, plain[half:])...),
		"zstd, skipped frame": append([]byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'h', 'i'}, zstandard(t, plain)...),
	}
}

func TestExpandEveryForm(t *testing.T) {
	plain := sample(t)
	for name, data := range forms(t, plain) {
		t.Run(name, func(t *testing.T) {
			st := storetest.New(t)
			l, err := Expand(t.Context(), st, image.NewBlob(ocispec.MediaTypeImageLayerGzip, data), digest.FromBytes(plain), event.Silent{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if d := cmp.Diff(sampleList, list(t, l)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			got, err := io.ReadAll(l.Tar())
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("another tar came back: %d bytes, %v", len(got), err)
			}
			again, err := Known(st, digest.FromBytes(data))
			if err != nil {
				t.Fatalf("it is not known again: %v", err)
			}
			again.Close()
		})
	}
}

func TestSniffTellsWhatIsNoLayer(t *testing.T) {
	st := storetest.New(t)
	for _, data := range []string{"", "{}", strings.Repeat("text\n", 1000), "\x1f\x8b broken"} {
		form, err := Sniff(t.Context(), st, strings.NewReader(data), event.Silent{}.Step(event.Open, "", 0))
		if err != nil || form.Digest != digest.FromString(data) || form.Size != int64(len(data)) {
			t.Errorf("%.10q: %+v, %v", data, form, err)
		}
		if form.Layer != nil {
			form.Layer.Close()
		}
		if data != "" && form.NotLayer == nil {
			t.Errorf("%.10q is taken for a layer", data)
		}
	}
}

func TestExpandRefuses(t *testing.T) {
	plain, oci := sample(t), ocispec.MediaTypeImageLayerGzip
	good, diffID := gzipped(t, plain), digest.FromBytes(sample(t))
	raw := func(h tar.Header) image.Blob { return image.NewBlob(oci, rawHeader(t, h)) }
	broken := image.NewBlob(oci, good)
	broken.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(good), iotest.ErrReader(errors.New("broken wire")))), nil
	}
	absent := image.NewBlob(oci, good)
	absent.Open = func(context.Context) (io.ReadCloser, error) { return nil, fs.ErrNotExist }
	named := func(d digest.Digest) image.Blob {
		return image.Blob{Descriptor: ocispec.Descriptor{MediaType: oci, Digest: d}}
	}
	for name, c := range map[string]struct {
		blob image.Blob
		want string
	}{
		"truncated gzip":      {image.NewBlob(oci, good[:len(good)-20]), "gzip: unexpected EOF"},
		"damaged gzip":        {image.NewBlob(oci, append(bytes.Clone(good[:40]), good[80:]...)), "gzip: "},
		"truncated zstd":      {image.NewBlob(oci, zstandard(t, plain)[:50]), "zstd: "},
		"another plain tar":   {image.NewBlob(oci, gzipped(t, writeTar(t))), "the config says diff_id " + diffID.String()},
		"truncated tar":       {image.NewBlob(oci, plain[:1800]), `unexpected EOF`},
		"no tar":              {image.NewBlob(oci, []byte(strings.Repeat("x", 2000))), "tar entry after the first"},
		"unknown media type":  {image.NewBlob("text/plain", good), `unknown media type "text/plain"`},
		"foreign layer":       {image.NewBlob("application/vnd.oci.image.layer.nondistributable.v1.tar", plain), `media type "application/vnd.oci.image.layer.nondistributable.v1.tar": foreign layers are not part of the image`},
		"no digest":           {named("sha256:1"), `digest "sha256:1"`},
		"other algorithm":     {named(digest.SHA512.FromString("")), ": only sha256 is supported"},
		"unknown type":        {raw(tar.Header{Name: "u", Typeflag: 'Z'}), `tar entry "u": unknown type 'Z'`},
		"hard link to none":   {raw(tar.Header{Name: "h", Typeflag: tar.TypeLink}), `tar entry "h": a hard link to nothing`},
		"long name":           {image.NewBlob(oci, writeTar(t, tar.Header{Name: strings.Repeat("n", 4096+1), Typeflag: tar.TypeReg})), "longer than 4096 bytes"},
		"blob is not there":   {absent, "not exist"},
		"blob breaks at last": {broken, "broken wire"},
	} {
		t.Run(name, func(t *testing.T) {
			st := storetest.New(t)
			l, err := Expand(t.Context(), st, c.blob, diffID, event.Silent{})
			if err == nil {
				l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "cannot read layer ") {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
			if _, err := Known(st, c.blob.Descriptor.Digest); err == nil {
				t.Error("it is in the cache all the same")
			}
		})
	}
}

// rawHeader returns a tar of one header that package archive/tar does not write.
func rawHeader(t testing.TB, h tar.Header) []byte {
	t.Helper()
	kind := h.Typeflag
	h.Typeflag, h.Linkname = tar.TypeSymlink, ""
	data := writeTar(t, h)
	data[156] = kind // POSIX.1-2001, ustar: typeflag, then the checksum anew
	copy(data[148:156], "        ")
	sum := 0
	for _, b := range data[:512] {
		sum += int(b)
	}
	copy(data[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

// One image's layer in every compression, as several builders wrote it.
func TestForeignForms(t *testing.T) {
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set")
	}
	want := ""
	for _, form := range []string{"uncompressed", "gzip", "zstd", "estargz"} {
		f, err := os.Open(filepath.Join(dir, "oci/one-image-all-forms/test-"+form+"-image.tar"))
		if err != nil {
			t.Fatal(err)
		}
		read, err := Sniff(t.Context(), storetest.New(t), f, event.Silent{}.Step(event.Open, "", 0))
		f.Close()
		if err != nil || read.NotLayer != nil {
			t.Fatalf("%s: %v, %v", form, err, read.NotLayer)
		}
		got := list(t, read.Layer)
		read.Layer.Close()
		if want == "" {
			want = got
		}
		if got != want || !strings.Contains(got, "README.md") {
			t.Errorf("%s: got %s, want %s", form, got, want)
		}
	}
}

// Whatever the bytes are: what is read as a layer is the same when it is read
// from the cache again, its files lie in its tar, and stacked it stays inside
// the tree.
func FuzzLayer(f *testing.F) {
	for _, data := range forms(f, sample(f)) {
		f.Add(data)
	}
	f.Add(writeTar(f,
		tar.Header{Name: "../../etc/passwd", Typeflag: tar.TypeReg},
		tar.Header{Name: "a/.wh..wh..opq", Typeflag: tar.TypeReg},
		tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/../.."},
		tar.Header{Name: "a/b", Typeflag: tar.TypeLink, Linkname: "../c"}))
	st := storetest.New(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := Sniff(t.Context(), st, bytes.NewReader(data), event.Silent{}.Step(event.Open, "", 0))
		if err != nil {
			t.Fatal(err) // the cache's fault
		}
		if form.Layer == nil {
			return
		}
		defer form.Layer.Close()
		again, err := Known(st, form.Digest)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		entries, err := again.Entries(nil)
		if err != nil {
			t.Fatal(err)
		}
		stacked := tree.New()
		if stacked.Apply(entries) != nil {
			return
		}
		err = stacked.Walk(func(n *tree.Node) error {
			if slices.Contains(strings.Split(n.Path(), "/"), "..") {
				t.Errorf("%q is in the tree", n.Path())
			}
			if n.Kind == tree.File {
				_, err := n.Digest()
				return err
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
