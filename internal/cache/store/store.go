// Package store is the cache: entries in buckets, each known by a key, kept
// in one folder that many processes use at once. It does not know what an
// entry means.
//
// An entry is there as a whole or not at all. It is written to a temporary
// file and renamed, so a process killed at any point leaves a leftover that
// Prune takes away, never half an entry. No fsync is spent on what can be made
// again; instead an entry ends in a trailer with its length, its key and a
// CRC-32C for each block of 64 KiB. Seen when an entry is opened: a wrong
// length, a damaged trailer, another entry's bytes under its name, and any
// damage in an entry of up to 1 MiB. Seen when a block is first read, and not
// before: damage inside a larger entry, such as a lost power supply can leave.
// In both cases the entry is taken away. Not seen: bytes changed on purpose by
// somebody who may write to the cache; it is as trusted as its owner.
package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tagFile marks the folder as a cache, for backup programs too (Cache
// Directory Tagging Specification), and carries the version of its form.
const (
	tagFile = "CACHEDIR.TAG"
	tag     = "Signature: 8a477f597d28d172789f06886806bc55\n# smith cache, version 1\n"
)

// tempDir holds what is being written. No bucket can have its name.
const tempDir = ".tmp"

// useFile is locked, shared, by each process that uses the cache.
const useFile = ".use"

// A Store is a cache in a directory. It is safe for concurrent use.
type Store struct {
	dir string
	use *os.File // nil where it cannot be made: on read-only media
}

// Open opens the cache in a folder and makes it, for its owner only, where it
// is absent. A folder that holds something else, or a cache of another
// version, is an error. A cache on read-only media opens, and serves what it
// holds.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open the cache: %w", err)
	}
	if err := prepare(dir); err != nil {
		return nil, fmt.Errorf("cannot open the cache: %w; --cache-dir names another folder", err)
	}
	s := &Store{dir: dir}
	if f, err := os.OpenFile(filepath.Join(dir, useFile), os.O_RDONLY|os.O_CREATE, 0o600); err == nil {
		s.use = f
		share(f)
	}
	return s, nil
}

func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	switch found, err := os.ReadFile(filepath.Join(dir, tagFile)); {
	case err == nil && string(found) == tag:
		return nil
	case err == nil:
		return fmt.Errorf("%s holds a cache of another version", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		// Another process may be at this very point.
		if !strings.HasPrefix(n.Name(), tagFile) && n.Name() != useFile {
			return fmt.Errorf("%s holds other files, such as %s", dir, n.Name())
		}
	}
	return writeTag(dir)
}

func writeTag(dir string) error {
	f, err := os.CreateTemp(dir, tagFile+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(tag)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, tagFile))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Dir returns the cache's folder, absolute.
func (s *Store) Dir() string { return s.dir }

// maxKey bounds the length of a bucket's name and of a key; with the escapes
// it stays under what file systems allow (255).
const maxKey = 200

// checkName refuses what could be more than one element of a path, or mean
// different things on different file systems.
func checkName(name string) error {
	if name == "" || len(name) > maxKey || name[0] == '.' {
		return fmt.Errorf("bad name in the cache: %.80q", name)
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("._-:", rune(c)) {
			return fmt.Errorf("bad name in the cache: %.80q: only a-z, 0-9, and . _ - : may stand in it", name)
		}
	}
	return nil
}

// path returns the file of an entry. ":" cannot stand in file names
// everywhere; "+" cannot stand in a key.
func (s *Store) path(bucket, key string) (string, error) {
	if err := errors.Join(checkName(bucket), checkName(key)); err != nil {
		return "", err
	}
	escape := strings.NewReplacer(":", "+")
	return filepath.Join(s.dir, escape.Replace(bucket), escape.Replace(key)), nil
}

// Open returns an entry and marks it as used. The error is fs.ErrNotExist
// where there is none; one that is damaged is taken away and counts as absent.
// The caller closes the entry.
func (s *Store) Open(bucket, key string) (*Entry, error) {
	path, err := s.path(bucket, key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the cache entry: %w", err)
	}
	e, err := readEntry(f, path, bucket+"/"+key)
	if err != nil {
		f.Close()
		if errors.Is(err, ErrDamaged) {
			os.Remove(path)
			return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		return nil, err
	}
	markUsed(f, path)
	return e, nil
}

// usedGrain is how exactly the time of the last use is kept.
const usedGrain = time.Minute

// markUsed sets the modification time of an entry, by which Prune orders. It
// may fail: a cache on read-only media is not pruned either.
func markUsed(f *os.File, path string) {
	now := time.Now()
	if info, err := f.Stat(); err == nil && now.Sub(info.ModTime()).Abs() < usedGrain {
		return
	}
	_ = os.Chtimes(path, now, now)
}

// maxFact bounds what Load takes into memory.
const maxFact = 64 << 20

// Load returns a small entry as a whole. The error is fs.ErrNotExist where
// there is none.
func (s *Store) Load(bucket, key string) ([]byte, error) {
	e, err := s.Open(bucket, key)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if e.Size() > maxFact {
		return nil, fmt.Errorf("cannot read the cache entry %s/%s: its %d bytes are more than the %d allowed", bucket, key, e.Size(), maxFact)
	}
	data := make([]byte, e.Size())
	if _, err := e.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		if errors.Is(err, ErrDamaged) {
			return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		return nil, err
	}
	return data, nil
}

// Save keeps a small entry, in place of what the key had before.
func (s *Store) Save(bucket, key string, data []byte) error {
	w, err := s.Create(bucket)
	if err != nil {
		return err
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		return err
	}
	e, err := w.commit(key, true)
	if err != nil {
		return err
	}
	return e.Close()
}

// Remove takes an entry away, where there is one.
func (s *Store) Remove(bucket, key string) error {
	path, err := s.path(bucket, key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return writeError(err)
	}
	return nil
}
