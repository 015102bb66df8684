package store

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is said of a cache that cannot be used, and of entries in it.
func TestMistakes(t *testing.T) {
	s := open(t)
	load := func(bucket, key string) error {
		_, err := s.Load(bucket, key)
		return err
	}
	other := open(t)
	write(t, filepath.Join(other.dir, tagFile), []byte("version 2"))
	_, another := Open(other.dir)
	file := filepath.Join(s.dir, "file")
	write(t, file, nil)
	_, noFolder := Open(file)
	layer := filepath.Join(s.dir, "layer")
	write(t, filepath.Join(s.dir, "taken"), nil)
	write(t, filepath.Join(s.dir, "damaged", "k"), make([]byte, 1000))
	sparse(t, filepath.Join(s.dir, "large", "k"), "large/k", maxFact+1)
	gone := &Store{dir: filepath.Join(s.dir, "gone")}
	_, list := gone.Usage()
	for _, c := range []struct {
		err  error
		want string
	}{
		{another, "cannot open the cache: " + other.dir + " holds a cache of another version; --cache-dir names another folder"},
		{noFolder, "cannot open the cache: mkdir " + file + ": not a directory; --cache-dir names another folder"},
		{list, "cannot list the cache: open " + gone.dir + ": no such file or directory"},
		{load("layer", ".x"), `bad name in the cache: ".x"`},
		{load("layer", "A"), `bad name in the cache: "A": only a-z, 0-9, and . _ - : may stand in it`},
		{load("layer", "absent"), "cannot open the cache entry: open " + layer + "/absent: no such file or directory"},
		{load("damaged", "k"), s.dir + "/damaged/k: the cache entry is damaged and was taken away: file does not exist"},
		{load("large", "k"), "cannot read the cache entry large/k: its 67108865 bytes are more than the 67108864 allowed"},
		{s.Save("taken", "k", nil), "cannot write to the cache: mkdir " + s.dir + "/taken: not a directory"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}

// What is said while an entry is read that was whole when it was opened.
func TestMistakesInReading(t *testing.T) {
	s := open(t)
	path := filepath.Join(s.dir, "layer", "k")
	put(t, s, "k", random(2*checkedAtOpen))
	reopened := func() *Entry {
		t.Helper()
		e, err := s.Open("layer", "k")
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	read := func(e *Entry, at int64) error {
		_, err := e.ReadAt(make([]byte, 1), at)
		return errors.Join(err, e.file.Close())
	}
	closed := reopened()
	closed.Close()
	_, afterClose := closed.ReadAt(make([]byte, 1), 0)
	before := read(reopened(), -1)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, unreadable := readEntry(f, path, "layer/k")
	if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, noFile := readEntry(f, path, "layer/k")
	for _, c := range []struct {
		err  error
		want string
	}{
		{afterClose, "cannot read the cache entry: read " + path + ": file already closed"},
		{before, "cannot read the cache entry: negative offset"},
		{unreadable, "cannot open the cache entry: read " + path + ": bad file descriptor"},
		{noFile, "cannot open the cache entry: stat " + path + ": file already closed"},
		{read(reopened(), 0), path + ": the cache entry is damaged and was taken away"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// sparse makes an entry of a size whose blocks are all damaged.
func sparse(t *testing.T, path, name string, size int64) {
	t.Helper()
	write(t, path, nil)
	table := make([]byte, (size+blockSize-1)/blockSize*4)
	end := slices.Concat(table, []byte(magic))
	end = binary.LittleEndian.AppendUint64(end, uint64(size))
	end = binary.LittleEndian.AppendUint32(end, seal(table, size, name))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(end, size)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
