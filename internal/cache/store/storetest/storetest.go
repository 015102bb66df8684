// Package storetest makes caches for tests.
package storetest

import (
	"path/filepath"
	"testing"

	"smith/internal/cache/store"
)

// New returns a cache of the test's own.
func New(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return st
}
