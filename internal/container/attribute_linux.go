package container

import (
	"os"

	"golang.org/x/sys/unix"
)

// setAttribute sets an extended attribute of a file.
func setAttribute(f *os.File, name, value string) error {
	return os.NewSyscallError("fsetxattr", unix.Fsetxattr(int(f.Fd()), name, []byte(value), 0))
}
