// Package repodata reads the metadata of RPM repositories: repomd.xml, primary
// and filelists (each compressed as it likes), modules, metalinks. Metadata is
// parsed once, into an index in the cache. Catalogue turns what the packages
// of some repositories say into clauses for the solver, with dnf's policy. How
// files are fetched, and whose keys are trusted, is told by the caller.
package repodata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/table"
	"smith/internal/compress"
)

// indexBucket has the version of the records in its name.
const (
	indexBucket = "rpm-index-2"
	maxMetadata = 8 << 30 // plain bytes; filelists of distributions have one GiB
)

// An Index is the packages of one repository's primary metadata.
type Index struct{ *table.Table }

// A Fetcher brings a metadata file, checked with its digest, into the cache.
type Fetcher interface {
	Fetch(ctx context.Context, d Data) (*store.Entry, error)
}

// OpenIndex returns the index of primary metadata. It is made first where the
// cache has none of that digest. The caller closes it.
func OpenIndex(ctx context.Context, st *store.Store, primary Data, from Fetcher) (*Index, error) {
	t, err := table.Open(st, indexBucket, primary.Digest.String())
	if errors.Is(err, fs.ErrNotExist) {
		t, err = makeIndex(ctx, st, primary, from)
	}
	if err != nil {
		return nil, err
	}
	return &Index{t}, nil
}

func makeIndex(ctx context.Context, st *store.Store, primary Data, from Fetcher) (*table.Table, error) {
	w, err := table.NewWriter(st, indexBucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	err = readMetadata(ctx, primary, from, func(r *compress.Reader) error {
		return readPrimary(r, func(p *Package) error { return w.Add(p.encode(), p.keys()...) })
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", primary.Location, err)
	}
	return w.Commit(primary.Digest.String())
}

// NewIndex returns an index of packages that no repository lists. The caller
// closes it.
func NewIndex(st *store.Store, packages []*Package) (*Index, error) {
	w, err := table.NewWriter(st, indexBucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	all := digest.SHA256.Digester()
	for _, p := range packages {
		record := p.encode()
		if _, err := all.Hash().Write(record); err != nil {
			return nil, err
		}
		if err := w.Add(record, p.keys()...); err != nil {
			return nil, err
		}
	}
	t, err := w.Commit("files-" + all.Digest().Encoded())
	if err != nil {
		return nil, err
	}
	return &Index{t}, nil
}

// readMetadata fetches a metadata file and calls read with its plain bytes.
func readMetadata(ctx context.Context, d Data, from Fetcher, read func(*compress.Reader) error) error {
	e, err := from.Fetch(ctx, d)
	if err != nil {
		return err
	}
	defer e.Close()
	r, err := compress.NewReader(ctx, section(e), maxMetadata)
	if err != nil {
		return err
	}
	defer r.Close()
	return read(r)
}

// Package returns a package by its number.
func (x *Index) Package(i int) (*Package, error) {
	record, err := x.Record(i)
	if err != nil {
		return nil, err
	}
	return decode(record)
}

// Names returns the names of all packages, sorted.
func (x *Index) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range x.Keys(keyName) {
			if !yield(key[len(keyName):]) {
				return
			}
		}
	}
}

func section(e *store.Entry) *io.SectionReader { return io.NewSectionReader(e, 0, e.Size()) }
