//go:build unix && !aix && !solaris

package archive

import (
	"fmt"
	"os"
	"syscall"

	"smith/internal/flock"
)

// lock keeps other processes from changing what a layout folder says it holds
// until the returned function is called, or the process ends.
func lock(dir *os.Root) (unlock func(), err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, fmt.Errorf("cannot lock it: %w", plain(err))
	}
	err = flock.Lock(f, syscall.LOCK_EX)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock it: %w", err)
	}
	return func() { f.Close() }, nil
}

// hold locks a file that is being written until it is closed. Where that is not
// to be had nobody else gets it either, and the file is safe.
func hold(f *os.File) { _ = flock.Lock(f, syscall.LOCK_EX) }

// abandoned says whether nobody holds a file that was to be written.
func abandoned(f *os.File) bool { return flock.Lock(f, syscall.LOCK_EX|syscall.LOCK_NB) == nil }
