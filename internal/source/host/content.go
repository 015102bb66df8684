package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"smith/internal/tree"
)

// content is the bytes of a file of the machine.
type content struct {
	path string
	info fs.FileInfo // as it was when the tree was built
}

var _ tree.Content = (*content)(nil)

// Identity tells this state of the file from any other: device, inode, size,
// and the times of its last change in nanoseconds. It is "" where the system
// does not say or the file has been written just now, and then nothing may be
// concluded.
func (c *content) Identity() string { return identityOf(c.info) }

// Open opens the file for reading and follows no link. It fails where another
// file, or one of another size, has come to stand there.
func (c *content) Open() (tree.ReaderAtCloser, error) {
	f, err := os.OpenFile(c.path, os.O_RDONLY|openFlags, 0)
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, inner.Err // whoever asks names the file
	}
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil && (!os.SameFile(c.info, now) || now.Size() != c.info.Size()) {
		err = fmt.Errorf("%s was replaced or changed while it was being used: let it rest and try again", c.path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &reader{file: f, size: c.info.Size()}, nil
}

// A reader sees to it that what is read is what the tree says of the file.
type reader struct {
	file *os.File
	size int64
}

// ReadAt reads as os.File does. Reading up to the end or past it fails where
// the file no longer has the size that it had.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.file.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	if off+int64(n) >= r.size || err != nil {
		if now, failed := r.file.Stat(); failed != nil || now.Size() != r.size {
			return n, fmt.Errorf("%s changed while it was read: it had %d bytes", r.file.Name(), r.size)
		}
	}
	return n, err
}

// Close closes the file.
func (r *reader) Close() error { return r.file.Close() }
