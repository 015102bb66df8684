//go:build unix && !aix && !solaris

package archive

import (
	"fmt"
	"os"
	"syscall"
)

// lock keeps other processes from changing what a layout folder says it holds
// until the returned function is called, or the process ends.
func lock(dir *os.Root) (unlock func(), err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, fmt.Errorf("cannot lock it: %w", plain(err))
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR { //nolint:errorlint // a system call's own error
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock it: %w", err)
	}
	return func() { f.Close() }, nil
}
