//go:build !linux

package host

import "io/fs"

const openFlags = 0

// A status is what the system knows of a file beyond fs.FileInfo. Only Linux
// is asked: the files of other systems run in no container.
type status struct {
	mode     uint32
	uid, gid int
	names    uint64
	inode    inode
}

func statusOf(info fs.FileInfo) status { return status{mode: uint32(info.Mode().Perm())} }

func identityOf(fs.FileInfo) string { return "" }
