package unpacked

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"smith/internal/cache/store/storetest"
	"smith/internal/tree"
)

// Sparse files have the content that GNU tar took from them, in each form that
// it writes; what comes before and after them too, and the plain tar stays.
func TestSparseFiles(t *testing.T) {
	if out, err := exec.Command("tar", "--version").Output(); err != nil || !bytes.Contains(out, []byte("GNU")) {
		t.Skip("GNU tar is not installed")
	}
	dir := t.TempDir()
	want := map[string][]byte{"a": []byte("before"), "hole": make([]byte, 1<<20), "holes": make([]byte, 3<<20), "z": []byte("after")}
	copy(want["holes"][1<<20:], "data in the middle")
	copy(want["holes"][3<<20-5:], "end..")
	for name, data := range want {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(int64(len(data))); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(data); at += 4096 {
			if piece := data[at:min(at+4096, len(data))]; len(bytes.Trim(piece, "\x00")) > 0 {
				if _, err := f.WriteAt(piece, int64(at)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.0"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		t.Run(form[len(form)-1], func(t *testing.T) {
			data, err := exec.Command("tar", append(form, "--sparse", "--sort=name", "-C", dir, "-c", "a", "hole", "holes", "z")...).Output()
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > 1<<19 {
				t.Skipf("this file system has no holes: the tar has %d bytes", len(data))
			}
			w, err := Create(storetest.New(t), "test")
			if err != nil {
				t.Fatal(err)
			}
			defer w.Discard()
			if err := w.ReadTar(&pieces{data: data, size: 1000}); err != nil {
				t.Fatal(err)
			}
			a, err := w.Commit("key")
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			compare(t, a, data, want)
		})
	}
}

func compare(t *testing.T, a *Archive, plain []byte, want map[string][]byte) {
	t.Helper()
	kept := make([]byte, a.Size())
	if _, err := a.Blob().ReadAt(kept, 0); err != nil || !bytes.Equal(kept, plain) {
		t.Errorf("the plain tar changed (%v)", err)
	}
	entries, err := a.Entries(nil)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		got, err := e.Node.ReadAll(1 << 24)
		if err != nil || e.Node.Kind != tree.File || !bytes.Equal(got, want[e.Path]) {
			t.Errorf("%s has %d bytes (%v), want %d", e.Path, len(got), err, len(want[e.Path]))
		}
	}
}
