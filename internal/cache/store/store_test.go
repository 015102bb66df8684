package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, key string, data []byte) {
	t.Helper()
	w, err := s.Create("layer")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	for len(data) > 0 {
		n := min(len(data), 10_000)
		if _, err := w.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	e, err := w.Commit(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Close(), w.Discard()); err != nil {
		t.Fatal(err)
	}
}

func random(n int) []byte {
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// sizes lie around the block size and the size up to which all is checked.
var sizes = []int{0, 1, blockSize - 1, blockSize, blockSize + 1, checkedAtOpen, checkedAtOpen + 1, 3*checkedAtOpen + 5}

func TestEntryGivesBackWhatWasWritten(t *testing.T) {
	s := open(t)
	for _, size := range sizes {
		want, key := random(size), fmt.Sprintf("sha256:%d", size)
		put(t, s, key, want)
		e, err := s.Open("layer", key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(e, 0, 1<<40))
		if err != nil || !bytes.Equal(got, want) || e.Size() != int64(size) {
			t.Errorf("size %d: %d bytes came back, %v", size, len(got), err)
		}
		part := make([]byte, 10)
		if size > blockSize {
			if _, err := e.ReadAt(part, blockSize-5); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(part[:6], want[blockSize-5:blockSize+1]) {
				t.Errorf("size %d: a read across blocks gave %x, %v", size, part, err)
			}
		}
		e.Close()
	}
}

func TestDamageIsSeen(t *testing.T) {
	tests := map[string]func(data []byte) []byte{
		"cut at the end":        func(d []byte) []byte { return d[:len(d)-1] },
		"cut in the data":       func(d []byte) []byte { return d[:len(d)/2] },
		"empty":                 func([]byte) []byte { return nil },
		"longer":                func(d []byte) []byte { return append(d, 0) },
		"first byte":            func(d []byte) []byte { d[0] ^= 1; return d },
		"zeros in the middle":   func(d []byte) []byte { clear(d[len(d)/3 : len(d)/2]); return d },
		"table":                 func(d []byte) []byte { d[len(d)-trailerSize-1] ^= 1; return d },
		"length in the trailer": func(d []byte) []byte { d[len(d)-trailerSize+len(magic)] ^= 1; return d },
		"huge length":           func(d []byte) []byte { d[len(d)-trailerSize+len(magic)+7] = 0x7f; return d },
	}
	for name, damage := range tests {
		for _, size := range []int{100, 2 * checkedAtOpen} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				s := open(t)
				put(t, s, "k", random(size))
				path, _ := s.path("layer", "k")
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, damage(data), 0o600); err != nil {
					t.Fatal(err)
				}
				e, err := s.Open("layer", "k")
				if err == nil {
					_, err = io.Copy(io.Discard, io.NewSectionReader(e, 0, e.Size()))
					e.Close()
				} else if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("open: %v is no fs.ErrNotExist", err)
				}
				if err == nil {
					t.Error("the damage was not seen")
				}
				if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the damaged entry is still there: %v", err)
				}
			})
		}
	}
}

func TestEntryUnderAnotherNameIsDamaged(t *testing.T) {
	s := open(t)
	put(t, s, "a", []byte("a"))
	from, _ := s.path("layer", "a")
	to, _ := s.path("layer", "b")
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("layer", "b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestCommitKeepsAndSaveReplaces(t *testing.T) {
	s := open(t)
	put(t, s, "k", []byte("first"))
	put(t, s, "k", []byte("second"))
	if got, err := s.Load("layer", "k"); err != nil || string(got) != "first" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Save("layer", "k", []byte("third")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load("layer", "k"); err != nil || string(got) != "third" {
		t.Errorf("got %q, %v", got, err)
	}
	if left, _ := os.ReadDir(filepath.Join(s.dir, tempDir)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What was begun as one entry can be put in another bucket, and be removed.
func TestCommitAsAndRemove(t *testing.T) {
	s := open(t)
	for _, text := range []string{"a part", "a longer part"} {
		w, err := s.Create("layer")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		e, err := w.CommitAs("part", "key")
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
		if got, err := s.Load("part", "key"); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := s.Open("layer", "key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is in the first bucket: %v", err)
	}
	for range 2 {
		if err := s.Remove("part", "key"); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Open("part", "key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := s.Remove("..", "key"); err == nil {
		t.Error("a name that leads out is taken")
	}
}

func TestNamesCannotLeave(t *testing.T) {
	s := open(t)
	for _, name := range []string{"", ".", "..", ".tmp", "../x", "a/b", `a\b`, "A", "a\x00", "a+b", "ä", strings.Repeat("a", 300)} {
		if err := s.Save("bucket", name, nil); err == nil {
			t.Errorf("key %q was taken", name)
		}
		if err := s.Save(name, "key", nil); err == nil {
			t.Errorf("bucket %q was taken", name)
		}
		if _, err := s.Open("bucket", name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("key %q: got %v", name, err)
		}
	}
}

func TestOpenRefusesWhatIsNoCache(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("got %v", err)
	}
	s := open(t)
	if err := os.WriteFile(filepath.Join(s.dir, tagFile), []byte("version 2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.dir); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("got %v", err)
	}
}

// What another process has used of late stays: it may come back to it.
func TestPruneBesideAnother(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no lock that ends with the process")
	}
	s := open(t)
	put(t, s, "new", make([]byte, 1000))
	put(t, s, "old", make([]byte, 1000))
	path, err := s.path("layer", "old")
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * inUse)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	other, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Prune(t.Context(), 0); err != nil || gone.Entries != 1 {
		t.Errorf("beside another: %+v, %v", gone, err)
	}
	if _, err := other.Load("layer", "new"); err != nil {
		t.Error(err)
	}
	if err := other.use.Close(); err != nil { // as at its end
		t.Fatal(err)
	}
	if gone, err := s.Prune(t.Context(), 0); err != nil || gone.Entries != 1 {
		t.Errorf("alone: %+v, %v", gone, err)
	}
}

func TestPruneTakesTheLeastRecentlyUsed(t *testing.T) {
	s := open(t)
	for i := range 4 {
		key := fmt.Sprint(i)
		put(t, s, key, make([]byte, 1000))
		path, _ := s.path("layer", key)
		old := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	held, err := s.Open("layer", "0") // used now: the last to go
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	w, err := s.Create("layer")
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * leftoverAge)
	if err := os.Chtimes(w.file.Name(), old, old); err != nil {
		t.Fatal(err)
	}
	gone, err := s.Prune(t.Context(), 2500)
	if err != nil || gone.Entries != 3 {
		t.Errorf("pruned %+v, %v", gone, err)
	}
	for key, want := range map[string]bool{"0": true, "1": false, "2": false, "3": true} {
		if _, err := s.Load("layer", key); (err == nil) != want {
			t.Errorf("entry %s: %v", key, err)
		}
	}
	use, err := s.Usage()
	if err != nil || use["layer"].Entries != 2 || use[""].Entries != 0 {
		t.Errorf("usage %+v, %v", use, err)
	}
	if _, err := s.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if n, err := held.ReadAt(make([]byte, 1000), 0); n != 1000 || err != nil {
		t.Errorf("an open entry cannot be read after a prune: %d, %v", n, err)
	}
}

func pruned(t *testing.T, s *Store) error {
	t.Helper()
	_, err := s.Prune(t.Context(), 0)
	return err
}

func TestCreateOnFullOrReadOnlyDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	mount := func(options string) {
		t.Helper()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("cannot mount a small file system: %s", out)
		}
	}
	mount("size=1m")
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "small", []byte("small"))
	err = s.Save("layer", "big", make([]byte, 2<<20))
	if err == nil || !strings.HasSuffix(err.Error(), ": no space left on device; smith cache --prune makes room, --cache-dir names another folder") {
		t.Errorf("full disk: %v", err)
	}
	mount("remount,ro")
	if err := s.use.Close(); err != nil { // as at the end of its process
		t.Fatal(err)
	}
	if s, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.use.Close() })
	if got, err := s.Load("layer", "small"); err != nil || string(got) != "small" {
		t.Errorf("read-only: got %q, %v", got, err)
	}
	small := filepath.Join(dir, "layer", "small")
	for want, err := range map[string]error{
		"cannot write to the cache: remove " + small + ": read-only file system; --cache-dir names another folder": s.Remove("layer", "small"),
		"cannot prune the cache: remove " + small + ": read-only file system":                                      pruned(t, s),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("read-only:\n got %v\nwant %s", err, want)
		}
	}
	if err := s.Save("layer", "k", nil); err == nil || !strings.HasSuffix(err.Error(), ": read-only file system; --cache-dir names another folder") {
		t.Errorf("read-only: %v", err)
	}
}

// TestMain makes the test binary a process that uses a cache without end when
// it is asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_CHURN"); dir != "" {
		if err := churn(dir, 1<<30); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// churn writes, reads and prunes; every entry's bytes follow from its key.
func churn(dir string, rounds int) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	for range rounds {
		size := sizes[rand.IntN(len(sizes))]
		key := fmt.Sprint(size)
		e, err := s.Open("layer", key)
		if errors.Is(err, fs.ErrNotExist) {
			e, err = fill(s, key, size)
		}
		if err != nil {
			return err
		}
		got, err := io.ReadAll(io.NewSectionReader(e, 0, e.Size()))
		if e.Close(); err != nil || !bytes.Equal(got, random(size)) {
			return fmt.Errorf("entry %s gave other bytes: %w", key, err)
		}
		if err := s.Save("fact", "k", []byte(key)); err != nil {
			return err
		}
		if rand.IntN(20) == 0 {
			if _, err := s.Prune(context.Background(), 2<<20); err != nil {
				return err
			}
		}
	}
	return nil
}

func fill(s *Store, key string, size int) (*Entry, error) {
	w, err := s.Create("layer")
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	if _, err := w.Write(random(size)); err != nil {
		return nil, err
	}
	return w.Commit(key)
}

func TestManyProcessesAndKills(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "STORE_TEST_CHURN="+dir)
				var out bytes.Buffer
				cmd.Stderr = &out
				if err := cmd.Start(); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
				cmd.Process.Kill()
				if cmd.Wait(); out.Len() > 0 {
					t.Error(out.String())
				}
			}
		})
	}
	if err := churn(dir, 100); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := churn(dir, 100); err != nil {
		t.Error(err)
	}
}
