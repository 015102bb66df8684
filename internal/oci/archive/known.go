package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
)

// knownBucket keeps what was found in archives, under their identity.
const knownBucket = "archive"

// An identity tells one state of a file from all others without reading it:
// device, inode, size, and the times of the last change of its bytes and of
// its inode, in nanoseconds. It is "" for a file that changed so lately that
// another change could leave the same times.
type identity string

// settled is how old a change must be: file systems keep time in steps of up
// to two seconds.
const settled = 2 * time.Second

// knownForm changes with the form of what is kept.
const knownForm = 1

// identify returns the identity of an open file.
func identify(f *os.File) (identity, error) {
	s, err := stat(f)
	if err != nil {
		return "", fmt.Errorf("cannot tell its identity: %w", err)
	}
	now := time.Now()
	for _, at := range []int64{s.modified, s.changed} {
		if now.Sub(time.Unix(0, at)) < settled {
			return "", nil
		}
	}
	return identity(fmt.Sprint(knownForm, s)), nil
}

// A state is what the system tells of a file.
type state struct {
	device, inode     uint64
	size              int64
	modified, changed int64 // nanoseconds since 1970
}

func (id identity) key() string { return digest.FromString(string(id)).String() }

// recall reads what was kept for an identity. It says whether there was
// anything.
func recall(st *store.Store, id identity, to any) bool {
	if id == "" {
		return false
	}
	data, err := st.Load(knownBucket, id.key())
	return err == nil && json.Unmarshal(data, to) == nil
}

// remember keeps facts for an identity.
func remember(st *store.Store, id identity, facts any) error {
	if id == "" {
		return nil
	}
	data, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	return st.Save(knownBucket, id.key(), data)
}
