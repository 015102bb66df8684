package repodata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/table"
	"smith/internal/compress"
)

// Buckets have the version of the records in their names.
const (
	listsBucket = "rpm-filelists-2"
	pathsBucket = "rpm-paths-1"
)

// Filelists are what the packages of a repository hold, in full.
type Filelists struct {
	*table.Table
	index *Index
	paths *table.Table // see pathIndex
}

var _ Lists = (*Filelists)(nil)

// OpenFilelists returns the filelists of a repository, whose packages are those
// of the index. They are read first where the cache has none of that digest.
// The caller closes them.
func OpenFilelists(ctx context.Context, st *store.Store, lists Data, index *Index, from Fetcher) (*Filelists, error) {
	l := &Filelists{index: index}
	var err error
	for range 2 {
		if l.Table, err = table.Open(st, listsBucket, lists.Digest.String()); err == nil {
			if l.paths, err = table.Open(st, pathsBucket, lists.Digest.String()); err == nil {
				return l, nil
			}
			err = errors.Join(err, l.Table.Close())
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err = makeFilelists(ctx, st, lists, from); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// Close closes the lists.
func (l *Filelists) Close() error { return errors.Join(l.Table.Close(), l.paths.Close()) }

// makeFilelists reads filelists into the cache.
func makeFilelists(ctx context.Context, st *store.Store, lists Data, from Fetcher) error {
	w, err := table.NewWriter(st, listsBucket)
	if err != nil {
		return err
	}
	defer w.Discard()
	paths, number := &pathIndex{}, uint32(0)
	err = readMetadata(ctx, lists, from, func(r *compress.Reader) error {
		return readFilelists(r, func(l fileList) error {
			if err := errors.Join(paths.add(l.paths, number), paths.add(l.directories, number)); err != nil {
				return err
			}
			number++
			return w.Add(l.encode(), l.sum)
		})
	})
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", lists.Location, err)
	}
	if err := paths.write(st, lists.Digest.String()); err != nil {
		return err
	}
	t, err := w.Commit(lists.Digest.String())
	if err != nil {
		return err
	}
	return t.Close()
}

// A fileList is what one package holds.
type fileList struct {
	name, sum          string
	paths, directories []string
}

// encode returns the record: name, sum, and two lists of paths as in a Package.
func (l *fileList) encode() []byte {
	e := &encoder{}
	e.text(l.name)
	e.text(l.sum)
	for _, list := range [][]string{l.paths, l.directories} {
		e.number(uint64(len(list)))
		e.paths(list)
	}
	return e.data
}

func decodeList(record []byte) (fileList, error) {
	d := &decoder{data: string(record)}
	l := fileList{name: d.text(), sum: d.text()}
	l.paths = d.paths(d.count())
	l.directories = d.paths(d.count())
	if d.bad {
		return l, errRecord
	}
	return l, nil
}

// readFilelists reads filelists and calls add with each package.
func readFilelists(r io.Reader, add func(fileList) error) error {
	s := newScanner(r)
	if e, err := s.next(); err != nil || e != opens || s.name != "filelists" {
		return errors.Join(errors.New("not a filelists file"), noEnd(err))
	}
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		switch {
		case err != nil || e == closes:
		case s.name == "package":
			l := fileList{name: s.get("name"), sum: s.get("pkgid")}
			if err = l.read(s); err == nil {
				err = add(l)
			}
		default:
			err = s.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (l *fileList) read(s *scanner) error {
	for {
		e, err := s.next()
		if err != nil {
			return unexpected(err)
		}
		if e == closes {
			return nil
		}
		if s.name != "file" {
			if err := s.skip(); err != nil {
				return err
			}
			continue
		}
		// A ghost is not a file of the package, and satisfies requirements.
		list := &l.paths
		if s.get("type") == "dir" {
			list = &l.directories
		}
		path, err := s.content()
		if err != nil {
			return err
		}
		*list = append(*list, path)
		if len(*list) > maxRelations {
			return fmt.Errorf("package %.200s lists more than %d files", l.name, maxRelations)
		}
	}
}

// Paths returns what a package holds, by the digest of its file; known is
// false where the lists have no such package.
func (l *Filelists) Paths(file digest.Digest) (paths []string, known bool, err error) {
	found, err := l.Find(file.Encoded())
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	record, err := l.Record(found[0])
	if err != nil {
		return nil, false, err
	}
	list, err := decodeList(record)
	return list.paths, err == nil, err
}

// Holders returns the packages that hold a path, directories included, by
// their numbers in the index.
func (l *Filelists) Holders(ctx context.Context, path string) ([]int, error) {
	numbers, err := holders(l.paths, path)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, i := range numbers {
		record, err := l.Record(i)
		if err != nil {
			return nil, err
		}
		list, err := decodeList(record)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list.paths, path) && !slices.Contains(list.directories, path) {
			continue // another path with the same hash
		}
		named, err := l.index.Find(keyName + list.name)
		if err != nil {
			return nil, err
		}
		for _, n := range named {
			p, err := l.index.Package(n)
			if err != nil {
				return nil, err
			}
			if p.Digest.Encoded() == list.sum {
				all = append(all, n)
			}
		}
	}
	return all, nil
}
