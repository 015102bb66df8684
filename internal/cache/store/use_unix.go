//go:build unix && !aix && !solaris

package store

import (
	"os"
	"syscall"

	"smith/internal/flock"
)

// share marks the cache as in use until f is closed or the process ends.
// Without the lock, as on some network file systems, Prune goes by age alone.
func share(f *os.File) { _ = flock.Lock(f, syscall.LOCK_SH|syscall.LOCK_NB) }

// alone reports whether no other process uses the cache that f marks.
func alone(f *os.File) bool {
	taken := flock.Lock(f, syscall.LOCK_EX|syscall.LOCK_NB) == nil
	share(f)
	return taken
}
