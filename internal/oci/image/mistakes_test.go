package image

import (
	"context"
	_ "crypto/sha512" // known to package digest, as in smith
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/tree"
)

// A mistake is an error and the whole text that it must have.
type mistake struct {
	err  error
	want string
}

func check(t *testing.T, all []mistake) {
	t.Helper()
	for _, m := range all {
		if m.err == nil || m.err.Error() != m.want {
			t.Errorf("\n got %v\nwant %s", m.err, m.want)
		}
	}
}

// What is said of blobs whose bytes are not what their descriptor says.
func TestMistakesInBlobs(t *testing.T) {
	read := func(data string, d ocispec.Descriptor) error {
		r, err := Verify(io.NopCloser(strings.NewReader(data)), d)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	}
	d := NewBlob("", []byte("text")).Descriptor
	check(t, []mistake{
		{read("", ocispec.Descriptor{Digest: "x"}), `cannot check blob "x": invalid checksum digest format`},
		{read("texts", d), "blob " + d.Digest.String() + " is longer than the 4 bytes that its descriptor says"},
		{read("tex", d), "blob " + d.Digest.String() + " is truncated: 1 of 4 bytes are missing"},
		{read("test", d), "blob " + d.Digest.String() + " is damaged: its bytes have another digest"},
		{CheckBlob(ocispec.Descriptor{Digest: "x"}), `blob "x": invalid checksum digest format`},
		{CheckBlob(ocispec.Descriptor{Digest: "sha512:" + digest.Digest(strings.Repeat("0", 128))}), `blob "sha512:` + strings.Repeat("0", 93) + `": only sha256 is supported`},
		{CheckBlob(ocispec.Descriptor{Digest: d.Digest, Size: -1}), "blob " + d.Digest.String() + ": a size of -1"},
	})
}

// What is said where the platform that was asked for cannot be told.
func TestMistakesInChoosing(t *testing.T) {
	of := func(group int, architecture string) Candidate {
		d := NewBlob(ocispec.MediaTypeImageManifest, []byte(architecture)).Descriptor
		d.Digest = digest.FromString(architecture + string(rune('0'+group)))
		d.Platform = &ocispec.Platform{OS: "linux", Architecture: architecture}
		return Candidate{Group: group, Descriptor: d, Image: &Image{}}
	}
	one := func(all ...Candidate) error {
		_, err := Reader{}.One(t.Context(), all, ocispec.Platform{OS: "linux", Architecture: "amd64"})
		return err
	}
	each := func(all ...Candidate) error {
		_, err := Reader{}.Each(t.Context(), all)
		return err
	}
	large := NewBlob(ocispec.MediaTypeImageIndex, nil).Descriptor
	large.Size = MaxJSON + 1
	_, tooLarge := Reader{Blob: func(d ocispec.Descriptor) Blob { return Blob{Descriptor: d} }}.Candidates(t.Context(), nil, 0, large)
	check(t, []mistake{
		{one(), "it holds no image, only statements about one"},
		{each(), "it holds no image, only statements about one"},
		{one(of(0, "arm64"), of(0, "s390x")), "it has no image for linux/amd64; it has: linux/arm64, linux/s390x"},
		{one(of(0, "amd64"), of(1, "amd64")), "it holds several images for linux/amd64 under one name; give each a tag of its own"},
		{each(of(0, "amd64"), of(1, "amd64")), "it holds several images for linux/amd64 under one name; give each a tag of its own"},
		{tooLarge, "index " + large.Digest.String() + ": its 8388609 bytes are more than the 8388608 allowed"},
	})
}

// What is said of images that cannot be put together.
func TestMistakesInMaking(t *testing.T) {
	var config Config
	config.Platform = ocispec.Platform{OS: "linux", Architecture: "amd64"}
	layer := Layer{NewBlob(ocispec.MediaTypeImageLayer, nil), digest.FromString("")}
	odd := Layer{NewBlob("text/plain", nil), layer.DiffID}
	history, late := config, config
	history.History = make([]ocispec.History, 2)
	when := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	late.Created = &when
	build := func(c Config, layers ...Layer) error {
		_, err := New(c, layers)
		return err
	}
	entry := func(name, tag string) error {
		img, err := New(config, nil)
		if err == nil {
			_, _, err = Entry(Of(img), Labels{Name: name, Tag: tag})
		}
		return err
	}
	_, _, none := Entry(Set{}, Labels{})
	_, form := (&Image{Layers: []Layer{odd}}).In(Docker)
	sum := digest.FromString("")
	check(t, []mistake{
		{build(Config{}), "cannot make the image: its config names no platform"},
		{build(config, odd), "cannot make the image: layer " + sum.String() + ` has the unknown media type "text/plain"`},
		{build(history, layer), "cannot make the image: its history tells of 2 layers, it has 1"},
		{build(late), "cannot write what the image says of itself: json: error calling MarshalJSON for type *time.Time: Time.MarshalJSON: year outside of range [0,9999]"},
		{form, "layer " + sum.String() + ` has the unknown media type "text/plain"`},
		{none, "there is no image to write"},
		{entry("Team", ""), `cannot name the image "Team": invalid reference format: repository name (library/Team) must be lowercase`},
		{entry("app@"+sum.String(), ""), `cannot name the image "app@` + sum.String() + `": a name holds no digest`},
		{entry("app", "a b"), `cannot name the image "app:a b": invalid tag format`},
	})
}

// What is said of attachments and layers that are not there any more.
func TestMistakesInFetching(t *testing.T) {
	attached := func(open func(context.Context) (io.ReadCloser, error)) error {
		b := NewBlob("x/y", []byte("text"))
		b.Open = open
		_, err := (&Image{Attachments: []Blob{b}}).Attachment(t.Context(), "x/y")
		return err
	}
	damaged := func(context.Context) (io.ReadCloser, error) {
		return Verify(io.NopCloser(strings.NewReader("test")), NewBlob("", []byte("text")).Descriptor)
	}
	cache := storetest.New(t)
	l := packTree(t, cache, sample(t))
	usage, err := cache.Prune(t.Context(), 0)
	if err != nil || usage.Entries == 0 {
		t.Fatal(usage, err)
	}
	_, pruned := l.Open(t.Context())
	if !errors.Is(pruned, fs.ErrNotExist) {
		t.Errorf("got %v", pruned)
	}
	files := tree.New()
	n := tree.NewFile(nil, 0o644)
	n.Xattrs = map[string]string{"user.a=b": "c"}
	insert(t, files, "/x", n)
	_, attribute := Pack(t.Context(), cache, files, event.Silent{})
	path := cache.Dir() + "/blobs/sha256+" + l.Descriptor.Digest.Encoded()
	check(t, []mistake{
		{attached(func(context.Context) (io.ReadCloser, error) { return nil, fs.ErrNotExist }), "cannot read its x/y: file does not exist"},
		{attached(damaged), "cannot read its x/y: blob " + digest.FromString("text").String() + " is damaged: its bytes have another digest"},
		{pruned, "cannot read layer " + l.Descriptor.Digest.String() + ": cannot open the cache entry: open " + path + ": no such file or directory: it was taken out of the cache; run smith again"},
		{attribute, "cannot pack the layer: /x: archive/tar: cannot encode header: invalid PAX record: \"SCHILY.xattr.user.a=b = c\""},
	})
}
