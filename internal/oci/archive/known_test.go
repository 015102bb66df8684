package archive

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/event"
)

// steps counts how often an archive is read through.
type steps struct {
	event.Silent
	names []string
}

func (s *steps) Step(stage event.Stage, name string, total int64) event.Step {
	s.names = append(s.names, name)
	return s.Silent.Step(stage, name, total)
}

// reads opens an archive and says whether it was read through, and who its
// author is.
func reads(t *testing.T, path string, st *store.Store) (through bool, author string) {
	t.Helper()
	heard := &steps{}
	a, err := Open(t.Context(), path, st, heard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	img, err := a.Image(t.Context(), "", ocispec.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	return len(heard.names) > 0, img.Config.Author
}

// by returns an archive that is packed but not compressed: it has the same
// length for all authors whose names have.
func by(t *testing.T, author string) []byte {
	t.Helper()
	s := newSample(t)
	s.config.Author = author
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(s.oci(t).tar(t)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// settle waits until a file's times are old enough to vouch for its bytes:
// the time of the last change of the inode cannot be set.
func settle() { time.Sleep(settled + 50*time.Millisecond) }

func TestAnArchiveIsReadOnce(t *testing.T) {
	t.Parallel()
	st, dir := storetest.New(t), t.TempDir()
	path := writeFile(t, filepath.Join(dir, "image.tar.gz"), by(t, "ann"))
	hour := time.Now().Add(-time.Hour)
	settle()
	if err := os.Chtimes(path, hour, hour); err != nil { // which changes the inode now
		t.Fatal(err)
	}
	for range 2 {
		if through, _ := reads(t, path, st); !through {
			t.Error("a file that has just been changed was not read again")
		}
	}
	settle()
	for i, want := range []bool{true, false, false} {
		if through, author := reads(t, path, st); through != want || author != "ann" {
			t.Errorf("reading %d: read through: %v, by %s", i, through, author)
		}
	}
}

// What replaces the bytes is seen, though size and modification time are the
// same and no moment is too late: in place, and by another file.
func TestReplacedArchivesAreReadAgain(t *testing.T) {
	for name, replace := range map[string]func(path string, data []byte) error{
		"in place": func(path string, data []byte) error { return os.WriteFile(path, data, 0o644) },
		"by another": func(path string, data []byte) error {
			if err := os.WriteFile(path+".new", data, 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.New(t)
			one, two := by(t, "ann"), by(t, "bob")
			if len(one) != len(two) {
				t.Fatalf("the archives have %d and %d bytes", len(one), len(two))
			}
			path := writeFile(t, filepath.Join(t.TempDir(), "image.tar.gz"), one)
			settle()
			reads(t, path, st)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, wait := range []bool{false, true} {
				if err := replace(path, two); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
					t.Fatal(err)
				}
				if wait {
					settle()
				}
				if _, author := reads(t, path, st); author != "bob" {
					t.Errorf("the archive is still %s's", author)
				}
				if err := replace(path, one); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
					t.Fatal(err)
				}
				if _, author := reads(t, path, st); author != "ann" {
					t.Errorf("the archive is still %s's", author)
				}
			}
		})
	}
}

// A cache that lost what an archive held is filled again.
func TestPrunedArchivesAreReadAgain(t *testing.T) {
	t.Parallel()
	st := storetest.New(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "image.tar.gz"), by(t, "ann"))
	settle()
	reads(t, path, st)
	if _, err := st.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if through, author := reads(t, path, st); !through || author != "ann" {
		t.Errorf("read through: %v, by %s", through, author)
	}
}
