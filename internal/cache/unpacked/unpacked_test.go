package unpacked

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/tree"
	"smith/record"
)

func sample() []tree.Entry {
	when := time.Unix(1700000000, 5).UTC()
	return []tree.Entry{
		{Path: "./usr/", Node: &tree.Node{Kind: tree.Dir, Mode: 0o755, ModTime: when}},
		{Path: "./usr/file", Node: &tree.Node{Kind: tree.File, Mode: 0o4755, UID: 1, GID: -1, Size: 4, ModTime: when, Xattrs: map[string]string{"user.a": "b", "user.c": ""}}},
		{Path: "./usr/again", Hardlink: "./usr/file"},
		{Path: "./link", Node: &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: "usr/file", ModTime: when}},
		{Path: "./null", Node: &tree.Node{Kind: tree.Device, ModTime: when}},
		{Path: "./empty", Node: &tree.Node{Kind: tree.File, Mode: 0o644, ModTime: when}},
	}
}

// write puts the sample into the cache, its one file's bytes after five others.
func write(t testing.TB, st *store.Store) *Archive {
	t.Helper()
	w, err := Create(st, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if _, err := io.WriteString(w, "01234data"); err != nil {
		t.Fatal(err)
	}
	for _, e := range sample() {
		if err := w.Add(e, 5); err != nil {
			t.Fatal(err)
		}
	}
	a, err := w.Commit("key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestArchive(t *testing.T) {
	st := storetest.New(t)
	write(t, st)
	a, err := Open(st, "test", "key")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	entries, err := a.Entries(&record.Origin{Kind: "package"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := entries[1].Node.ReadAll(10)
	if err != nil || string(data) != "data" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	for i, e := range entries {
		if e.Node != nil && e.Node.Origin.Kind != "package" {
			t.Errorf("%s has no origin", entries[i].Path)
		}
	}
	ignore := cmp.Options{cmpopts.IgnoreUnexported(tree.Node{}), cmpopts.IgnoreFields(tree.Node{}, "Content", "Origin")}
	if d := cmp.Diff(sample(), entries, ignore); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := Open(st, "test", "other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an archive that is not there: %v", err)
	}
}

// A tar can begin anywhere in the blob.
func TestReadTarBehindOthers(t *testing.T) {
	var packed bytes.Buffer
	tw := tar.NewWriter(&packed)
	for name, data := range map[string]string{"one": strings.Repeat("1", 700), "two": "2"} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := Create(storetest.New(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if _, err := io.WriteString(w, "before"); err != nil {
		t.Fatal(err)
	}
	if err := w.ReadTar(&pieces{data: packed.Bytes(), size: 100}); err != nil {
		t.Fatal(err)
	}
	a, err := w.Commit("key")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	entries, err := a.Entries(nil)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		data, err := e.Node.ReadAll(1000)
		if err != nil || strings.Trim(string(data), map[string]string{"one": "1", "two": "2"}[e.Path]) != "" {
			t.Errorf("%s holds %q, %v", e.Path, data, err)
		}
		// What it begins with is known without reading.
		section := e.Node.Content.(tree.Section)
		section.Blob = nil
		r, err := section.Open()
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, min(4, e.Node.Size))
		if n, err := r.ReadAt(head, 0); err != nil || n != len(head) || !strings.HasPrefix(string(data), string(head)) {
			t.Errorf("%s begins with %q, %v", e.Path, head[:n], err)
		}
	}
}

// pieces hands out data a piece at a time.
type pieces struct {
	data []byte
	size int
}

func (p *pieces) Next() ([]byte, error) {
	n := min(p.size, len(p.data))
	if n == 0 {
		return nil, io.EOF
	}
	piece := p.data[:n]
	p.data = p.data[n:]
	return piece, nil
}

func FuzzIndex(f *testing.F) {
	a := write(f, storetest.New(f))
	data, err := io.ReadAll(io.NewSectionReader(a.entry, a.size, 1<<20))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:len(data)-footerSize])
	f.Add([]byte(indexMagic))
	in := &blob{strings.NewReader(strings.Repeat("x", 1<<16)), 1 << 16, 0, ""}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := decodeIndex(data, in, nil)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.Node == nil || e.Node.Kind != tree.File {
				continue
			}
			if _, err := e.Node.ReadAll(1 << 17); err != nil {
				t.Errorf("%q cannot be read: %v", e.Path, err)
			}
		}
	})
}
