package archive

import (
	"os"

	"golang.org/x/sys/unix"
)

// beginWriting has a part of a file brought to the disk and does not wait
// (sync_file_range(2)). It is a hint: what goes wrong shows at the Sync.
func beginWriting(f *os.File, offset, length int64) {
	_ = unix.SyncFileRange(int(f.Fd()), offset, length, unix.SYNC_FILE_RANGE_WRITE)
}
