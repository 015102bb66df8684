package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Whatever stands in the cache's place of an entry: it gives the bytes that
// were written under its name, or none.
func FuzzEntry(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "cache")
	s, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	want := bytes.Repeat([]byte("data"), blockSize/3)
	for _, size := range []int{0, 5, len(want)} {
		if err := s.Save("fact", "k", want[:size]); err != nil {
			f.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "fact", "k"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "fact", "k"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := s.Open("fact", "k")
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got, err := io.ReadAll(io.NewSectionReader(e, 0, e.Size()))
		if err == nil && !bytes.HasPrefix(data, got) {
			t.Errorf("%d bytes came that the file does not begin with", len(got))
		}
	})
}
