//go:build unix

package archive

import (
	"os"

	"golang.org/x/sys/unix"
)

func stat(f *os.File) (state, error) {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return state{}, err
	}
	return state{
		device: uint64(s.Dev), inode: uint64(s.Ino), size: int64(s.Size), //nolint:unconvert // widths differ by system
		modified: s.Mtim.Nano(), changed: s.Ctim.Nano(),
	}, nil
}
