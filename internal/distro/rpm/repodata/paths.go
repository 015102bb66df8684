package repodata

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"smith/internal/cache/store"
	"smith/internal/cache/table"
)

// A pathIndex tells which of many file lists may hold a path. A repository of
// 69,000 packages has some eight million paths, so that it keeps hashes: who
// asks looks at the few lists that an equal hash leads to.
type pathIndex struct{ entries []pathEntry }

type pathEntry struct {
	hash uint64 // the upper 48 bits count
	list uint32
}

const (
	// maxPaths bounds the memory for an index, to half a GiB.
	maxPaths = 32 << 20
	// pathRecords is how many records an index has: one for each value of the
	// first 16 bits of a hash.
	pathRecords = 1 << 16
	// pathEntrySize is the size of an entry in a record: 4 bytes of the hash and
	// the number of the list.
	pathEntrySize = 8
)

func hashPath(path string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path)) // never fails (hash.Hash)
	return h.Sum64() >> 16
}

func (x *pathIndex) add(paths []string, list uint32) error {
	for _, path := range paths {
		x.entries = append(x.entries, pathEntry{hashPath(path), list})
	}
	if len(x.entries) > maxPaths {
		return fmt.Errorf("more than %d files in one repository", maxPaths)
	}
	return nil
}

// write puts the index into the cache.
func (x *pathIndex) write(st *store.Store, key string) error {
	w, err := table.NewWriter(st, pathsBucket)
	if err != nil {
		return err
	}
	defer w.Discard()
	slices.SortFunc(x.entries, func(a, b pathEntry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.list, b.list))
	})
	var record []byte
	for at, i := 0, uint64(0); i < pathRecords; i++ {
		record = record[:0]
		for ; at < len(x.entries) && x.entries[at].hash>>32 == i; at++ {
			record = binary.LittleEndian.AppendUint32(record, uint32(x.entries[at].hash))
			record = binary.LittleEndian.AppendUint32(record, x.entries[at].list)
		}
		if err := w.Add(record); err != nil {
			return err
		}
	}
	t, err := w.Commit(key)
	if err != nil {
		return err
	}
	return t.Close()
}

// holders returns the numbers of the lists that may hold a path.
func holders(index *table.Table, path string) ([]int, error) {
	hash := hashPath(path)
	record, err := index.Record(int(hash >> 32))
	if err != nil {
		return nil, err
	}
	if len(record)%pathEntrySize != 0 {
		return nil, errRecord
	}
	var lists []int
	for ; len(record) > 0; record = record[pathEntrySize:] {
		if binary.LittleEndian.Uint32(record) == uint32(hash) {
			lists = append(lists, int(binary.LittleEndian.Uint32(record[4:])))
		}
	}
	return slices.Compact(lists), nil
}
