package unpacked

import (
	"archive/tar"
	"strings"
	"testing"

	"smith/internal/tree"
)

// What is said of archives that are too large, or hold what an image cannot.
func TestMistakes(t *testing.T) {
	add := func(w *indexWriter, name string) error {
		return w.add(tree.Entry{Path: name, Hardlink: "x"}, 0, "")
	}
	large := &intake{from: &pieces{data: []byte("x"), size: 1}, to: &Writer{size: maxTar}}
	header := func(h tar.Header) error {
		_, err := entry(&h)
		return err
	}
	_, foreign := decodeIndex([]byte("other"), &blob{}, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{add(newIndexWriter(), strings.Repeat("x", maxName+1)), "its name or link is longer than 4096 bytes"},
		{add(&indexWriter{count: maxEntries}, "x"), "the archive holds more than 2000000 entries"},
		{add(&indexWriter{data: make([]byte, maxIndex, maxIndex+100)}, "x"), "the archive's index is larger than 268435456 bytes"},
		{large.take(), "the plain tar is larger than 68719476736 bytes"},
		{header(tar.Header{Typeflag: 'Z'}), "unknown type 'Z'"},
		{header(tar.Header{Typeflag: tar.TypeLink}), "a hard link to nothing"},
		{foreign, "the archive's index is damaged"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
