package host

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// openFlags keep open(2) from following a link, and from waiting for a writer
// where a FIFO has come to stand at the path.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY

// A status is what the system knows of a file beyond fs.FileInfo.
type status struct {
	mode     uint32
	uid, gid int
	names    uint64
	inode    inode
}

func statusOf(info fs.FileInfo) status {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return status{mode: uint32(info.Mode().Perm())}
	}
	return status{
		mode: s.Mode & 0o7777, uid: int(s.Uid), gid: int(s.Gid),
		names: uint64(s.Nlink), //nolint:unconvert // its width depends on the architecture
		inode: inode{s.Dev, s.Ino},
	}
}

// settled is how old a change must be to be told from another one by its
// time: file systems keep it in steps of up to two seconds.
const settled = 2 * time.Second

func identityOf(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	now := time.Now()
	for _, at := range []syscall.Timespec{s.Mtim, s.Ctim} {
		if now.Sub(time.Unix(at.Unix())) < settled {
			return ""
		}
	}
	return fmt.Sprintf("%d:%d:%d:%d.%09d:%d.%09d", s.Dev, s.Ino, s.Size, s.Mtim.Sec, s.Mtim.Nsec, s.Ctim.Sec, s.Ctim.Nsec)
}
