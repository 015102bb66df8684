package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/tree"
)

func insert(t testing.TB, files *tree.Tree, path string, n *tree.Node) {
	t.Helper()
	if err := files.Insert(path, n); err != nil {
		t.Fatal(err)
	}
}

func packTree(t testing.TB, cache *store.Store, files *tree.Tree) Layer {
	t.Helper()
	l, err := Pack(t.Context(), cache, files, event.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// contents returns a layer's bytes as they are and as a plain tar, and checks
// both digests.
func contents(t testing.TB, l Layer) (packed, plain []byte) {
	t.Helper()
	packed = readBlob(t, l.Blob)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	if got := digest.FromBytes(packed); got != l.Descriptor.Digest || int64(len(packed)) != l.Descriptor.Size {
		t.Errorf("the layer is %s with %d bytes, its descriptor says %s with %d", got, len(packed), l.Descriptor.Digest, l.Descriptor.Size)
	}
	if got := digest.FromBytes(plain); got != l.DiffID {
		t.Errorf("the tar is %s, the diff_id %s", got, l.DiffID)
	}
	return packed, plain
}

func readBlob(t testing.TB, b Blob) []byte {
	t.Helper()
	r, err := b.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// listing shows a tar, a line for each entry; the last word is the form.
func listing(t testing.TB, plain []byte) string {
	t.Helper()
	var b strings.Builder
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name, link := h.Name, h.Linkname
		if len(name) > 60 {
			name = fmt.Sprintf("%s…(%d)", name[:8], len(name))
		}
		if len(link) > 60 {
			link = fmt.Sprintf("%s…(%d)", link[:8], len(link))
		}
		fmt.Fprintf(&b, "%c %04o %d:%d %d %q %q %q %s\n", h.Typeflag, h.Mode, h.Uid, h.Gid, h.ModTime.Unix(), name, link, data, h.Format)
	}
}

// sample is a tree with one of each.
func sample(t testing.TB) *tree.Tree {
	files := tree.New()
	inode := &tree.Inode{}
	hard := func(text string) *tree.Node {
		n := tree.NewFile([]byte(text), 0o755)
		n.Inode = inode
		return n
	}
	insert(t, files, "/usr/lib/b.so", tree.NewFile([]byte("b"), 0o644))
	insert(t, files, "/usr/lib.d", &tree.Node{Kind: tree.Dir, Mode: 0o755, UID: 10, GID: 11, ModTime: time.Unix(7, 999)})
	insert(t, files, "/usr/bin/two", hard("same"))
	insert(t, files, "/usr/bin/one", hard("same"))
	insert(t, files, "/zero", hard("same"))
	insert(t, files, "/bin", &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: "usr/bin"})
	insert(t, files, "/empty", tree.NewFile(nil, 0o644))
	insert(t, files, "/"+strings.Repeat("long", 50), &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: strings.Repeat("far", 50)})
	insert(t, files, "/"+strings.Repeat("d", 60)+"/"+strings.Repeat("f", 60), tree.NewFile([]byte("x"), 0o644))
	insert(t, files, "/größe", &tree.Node{Kind: tree.File, Mode: 0o644, UID: 3_000_000})
	return files
}

func TestPack(t *testing.T) {
	_, plain := contents(t, packTree(t, storetest.New(t), sample(t)))
	want := `2 0777 0:0 0 "bin" "usr/bin" "" USTAR
5 0755 0:0 0 "dddddddd…(61)" "" "" USTAR
0 0644 0:0 0 "dddddddd…(121)" "" "x" USTAR
0 0644 0:0 0 "empty" "" "" USTAR
0 0644 3000000:0 0 "größe" "" "" PAX
2 0777 0:0 0 "longlong…(200)" "farfarfa…(150)" "" PAX
5 0755 0:0 0 "usr/" "" "" USTAR
5 0755 0:0 0 "usr/bin/" "" "" USTAR
0 0755 0:0 0 "usr/bin/one" "" "same" USTAR
1 0755 0:0 0 "usr/bin/two" "usr/bin/one" "" USTAR
5 0755 0:0 0 "usr/lib/" "" "" USTAR
0 0644 0:0 0 "usr/lib/b.so" "" "b" USTAR
5 0755 10:11 7 "usr/lib.d/" "" "" USTAR
1 0755 0:0 0 "zero" "usr/bin/one" "" USTAR
`
	if diff := cmp.Diff(want, listing(t, plain)); diff != "" {
		t.Error(diff)
	}
}

// GNU tar reads what was written, and finds nothing to complain about.
func TestPackIsReadByTar(t *testing.T) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("no tar here")
	}
	packed, _ := contents(t, packTree(t, storetest.New(t), sample(t)))
	cmd := exec.Command("tar", "-tzf", "-")
	cmd.Stdin = bytes.NewReader(packed)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 || bytes.Count(out, []byte("\n")) != 14 {
		t.Errorf("tar: %v\n%s%s", err, out, &complaints)
	}
}

// large returns a tree of several blocks whose bytes partly compress.
func large(t testing.TB) *tree.Tree {
	files := tree.New()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 40 {
		data := make([]byte, r.IntN(200<<10))
		for k := range data {
			data[k] = byte(r.IntN(1 + i*3))
		}
		insert(t, files, fmt.Sprintf("/d%d/f%d", i%7, i), tree.NewFile(data, 0o644))
	}
	return files
}

func TestPackDoesNotDependOnCores(t *testing.T) {
	files := large(t)
	want := packTree(t, storetest.New(t), files)
	contents(t, want)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(cores)
		if got := packTree(t, storetest.New(t), files); got.Descriptor.Digest != want.Descriptor.Digest || got.DiffID != want.DiffID {
			t.Errorf("%d cores: %v, want %v", cores, got.Descriptor, want.Descriptor)
		}
	}
}

// A guarded content counts how often it is read, and may fail.
type guarded struct {
	identity string
	text     string
	opened   int
	err      error
}

func (g *guarded) Identity() string { return g.identity }

func (g *guarded) Open() (tree.ReaderAtCloser, error) {
	g.opened++
	if g.err != nil {
		return nil, g.err
	}
	return tree.Bytes(g.text).Open()
}

func (g *guarded) node(size int) *tree.Node {
	return &tree.Node{Kind: tree.File, Mode: 0o644, Size: int64(size), Content: g}
}

func TestPackAgainReadsNothing(t *testing.T) {
	cache := storetest.New(t)
	one := func(g *guarded, mode uint32) *tree.Tree {
		files := tree.New()
		n := g.node(len(g.text))
		n.Mode = mode
		insert(t, files, "/file", n)
		return files
	}
	first := packTree(t, cache, one(&guarded{identity: "a", text: "text"}, 0o644))
	known := &guarded{identity: "a", text: "TEXT"}
	if again := packTree(t, cache, one(known, 0o644)); known.opened != 0 || again.Descriptor.Digest != first.Descriptor.Digest || again.DiffID != first.DiffID {
		t.Errorf("packed again: opened %d times, %v", known.opened, again.Descriptor)
	}
	contents(t, first)
	for name, files := range map[string]*tree.Tree{
		"another identity": one(&guarded{identity: "b", text: "TEXT"}, 0o644),
		"no identity":      one(&guarded{text: "TEXT"}, 0o644),
		"another mode":     one(&guarded{identity: "a", text: "text"}, 0o755),
	} {
		if got := packTree(t, cache, files); got.Descriptor.Digest == first.Descriptor.Digest {
			t.Errorf("%s: taken for the same layer", name)
		}
	}
}

// A layer that was taken out of the cache is packed again.
func TestPackAfterPrune(t *testing.T) {
	cache := storetest.New(t)
	first := packTree(t, cache, sample(t))
	if _, err := cache.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "run smith again") {
		t.Errorf("reading a pruned layer: %v", err)
	}
	contents(t, packTree(t, cache, sample(t)))
}

func TestPackErrors(t *testing.T) {
	broken := errors.New("broken disk")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context //nolint:containedctx // a table
		node *tree.Node
		want string
	}{
		"device":    {t.Context(), &tree.Node{Kind: tree.Device}, "cannot pack the layer: /x: an image holds no device"},
		"short":     {t.Context(), (&guarded{identity: "s", text: "abc"}).node(4), "cannot pack the layer: cannot read /x: unexpected EOF"},
		"broken":    {t.Context(), (&guarded{identity: "b", err: broken}).node(4), "cannot pack the layer: cannot read /x: broken disk"},
		"cancelled": {cancelled, tree.NewFile([]byte("x"), 0o644), "cannot pack the layer: context canceled"},
	} {
		files := tree.New()
		insert(t, files, "/x", c.node)
		cache := storetest.New(t)
		if _, err := Pack(c.ctx, cache, files, event.Silent{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if usage, err := cache.Usage(); err != nil || len(usage) != 0 {
			t.Errorf("%s: left in the cache: %v, %v", name, usage, err)
		}
	}
}

// Extended attributes are in the layer, once for all names of a file, and make
// it another layer; tar reads them.
func TestPackKeepsAttributes(t *testing.T) {
	cache := storetest.New(t)
	one := func(attributes map[string]string) *tree.Tree {
		files := tree.New()
		n := tree.NewFile([]byte("program"), 0o755)
		n.Inode, n.Xattrs = &tree.Inode{}, attributes
		insert(t, files, "/a", n)
		insert(t, files, "/b", n.Copy())
		return files
	}
	without := packTree(t, cache, one(nil))
	with := packTree(t, cache, one(map[string]string{"user.text": "value", "security.capability": "\x01\x00\n="}))
	if with.DiffID == without.DiffID || with.DiffID == packTree(t, cache, one(map[string]string{"user.text": "other"})).DiffID {
		t.Error("layers that differ in attributes only are one")
	}
	_, plain := contents(t, with)
	r := tar.NewReader(bytes.NewReader(plain))
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"SCHILY.xattr.user.text": "value", "SCHILY.xattr.security.capability": "\x01\x00\n="}
	if d := cmp.Diff(want, first.PAXRecords); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if second, err := r.Next(); err != nil || second.Typeflag != tar.TypeLink || len(second.PAXRecords) != 0 {
		t.Errorf("the second name: %+v, %v", second, err)
	}
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("tar is not installed")
	}
	cmd := exec.Command("tar", "--xattrs", "--xattrs-include=*", "-tvv")
	cmd.Stdin = bytes.NewReader(plain)
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), "x: 5 user.text") {
		t.Errorf("tar says %s, %v", out, err)
	}
}
