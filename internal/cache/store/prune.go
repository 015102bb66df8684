package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// leftoverAge is how long nothing was written to a temporary file before it
// counts as left behind by a killed process.
const leftoverAge = 6 * time.Hour

// inUse is how recently an entry must have been used to be kept while another
// process uses the cache: longer than any build takes to come back to one.
const inUse = time.Hour

// Usage is what the cache, or a bucket of it, takes up.
type Usage struct {
	Entries int
	Bytes   int64
}

// Usage returns what each bucket takes up, by its name. What is being written
// is counted under "".
func (s *Store) Usage() (map[string]Usage, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	all := map[string]Usage{}
	for _, f := range files {
		u := all[f.bucket]
		u.Entries, u.Bytes = u.Entries+1, u.Bytes+f.size
		all[f.bucket] = u
	}
	return all, nil
}

// Prune takes entries away, the least recently used first, until no more than
// limit bytes are left, and leftovers of killed processes. It returns what it
// took away. Others may read and write meanwhile: what was used within the last
// hour stays, since they may come back to it, and an entry that they have open
// stays readable to them.
func (s *Store) Prune(ctx context.Context, limit int64) (Usage, error) {
	var gone Usage
	files, err := s.files()
	if err != nil {
		return gone, err
	}
	var total int64
	for _, f := range files {
		total += f.size
	}
	busy := s.use == nil || !alone(s.use)
	slices.SortStableFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return gone, err
		}
		leftover := f.bucket == "" && time.Since(f.used) > leftoverAge
		if !leftover && (f.bucket == "" || total <= limit || busy && time.Since(f.used) < inUse) {
			continue
		}
		if err := os.Remove(f.path); errors.Is(err, fs.ErrNotExist) {
			total -= f.size
			continue
		} else if err != nil {
			return gone, fmt.Errorf("cannot prune the cache: %w", err)
		}
		total -= f.size
		gone.Entries, gone.Bytes = gone.Entries+1, gone.Bytes+f.size
	}
	return gone, nil
}

type file struct {
	bucket string // "" for what is being written
	path   string
	size   int64
	used   time.Time
}

// files lists the cache. Files that go away meanwhile are left out.
func (s *Store) files() ([]file, error) {
	dirs, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the cache: %w", err)
	}
	var all []file
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(s.dir, d.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot list the cache: %w", err)
		}
		bucket := strings.ReplaceAll(d.Name(), "+", ":")
		if d.Name() == tempDir {
			bucket = ""
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				all = append(all, file{bucket, filepath.Join(s.dir, d.Name(), e.Name()), info.Size(), info.ModTime()})
			}
		}
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return all, nil
}
