//go:build unix && !aix && !solaris

// Package flock locks open files (flock(2)). The lock ends when the file is
// closed or the process ends. Systems without such locks lack the package.
package flock

import (
	"os"
	"syscall"
)

// Lock applies an operation of flock(2), such as syscall.LOCK_EX, to a file, and
// begins again where a signal interrupts it.
func Lock(f *os.File, operation int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), operation); err != syscall.EINTR {
			return err
		}
	}
}
