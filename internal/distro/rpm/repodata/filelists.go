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

// listsBucket has the version of the records in its name.
const listsBucket = "rpm-filelists-1"

// Filelists are what the packages of a repository hold, in full.
type Filelists struct {
	*table.Table
	index *Index
}

var _ Lists = (*Filelists)(nil)

// OpenFilelists returns the filelists of a repository, whose packages are those
// of the index. They are read first where the cache has none of that digest.
// The caller closes them.
func OpenFilelists(ctx context.Context, st *store.Store, lists Data, index *Index, from Fetcher) (*Filelists, error) {
	t, err := table.Open(st, listsBucket, lists.Digest.String())
	if errors.Is(err, fs.ErrNotExist) {
		t, err = makeFilelists(ctx, st, lists, from)
	}
	if err != nil {
		return nil, err
	}
	return &Filelists{t, index}, nil
}

func makeFilelists(ctx context.Context, st *store.Store, lists Data, from Fetcher) (*table.Table, error) {
	w, err := table.NewWriter(st, listsBucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	err = readMetadata(ctx, lists, from, func(r *compress.Reader) error {
		return readFilelists(r, func(l fileList) error { return w.Add(l.encode(), l.sum) })
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", lists.Location, err)
	}
	return w.Commit(lists.Digest.String())
}

// A fileList is what one package holds, folders left out.
type fileList struct {
	name, sum string
	paths     []string
}

// encode returns the record: name, sum, and the paths as in a Package.
func (l *fileList) encode() []byte {
	e := &encoder{}
	e.text(l.name)
	e.text(l.sum)
	e.number(uint64(len(l.paths)))
	e.paths(l.paths)
	return e.data
}

func decodeList(record []byte) (fileList, error) {
	d := &decoder{data: string(record)}
	l := fileList{name: d.text(), sum: d.text()}
	l.paths = d.paths(d.count())
	if d.bad {
		return l, errRecord
	}
	return l, nil
}

// readFilelists reads filelists and calls add with each package.
func readFilelists(r io.Reader, add func(fileList) error) error {
	s := newScanner(r)
	if e, err := s.next(); err != nil || e != opens || s.name != "filelists" {
		return errors.Join(errors.New("they are no filelists"), noEnd(err))
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
		// A ghost is no file of the package, and satisfies requirements.
		folder := s.get("type") == "dir"
		path, err := s.content()
		if err != nil {
			return err
		}
		if !folder {
			l.paths = append(l.paths, path)
		}
		if len(l.paths) > maxRelations {
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

// Holders returns the packages that hold a path, by their numbers in the
// index. It reads all lists: it is asked for few paths.
func (l *Filelists) Holders(ctx context.Context, path string) ([]int, error) {
	var all []int
	for i := range l.Len() {
		record, err := l.Record(i)
		if err != nil {
			return nil, err
		}
		list, err := decodeList(record)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list.paths, path) {
			continue
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
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
