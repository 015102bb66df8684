//go:build unix && !aix && !solaris

package archive

import (
	"os"
	"syscall"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// lock keeps other processes from changing the index of a layout folder until
// the returned function is called, or the process ends.
func lock(dir *os.Root) (unlock func(), err error) {
	f, err := dir.Open(ocispec.ImageLayoutFile)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR { //nolint:errorlint // a system call's own error
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
