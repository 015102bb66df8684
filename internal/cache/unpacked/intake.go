package unpacked

import (
	"errors"
	"fmt"
	"io"
)

// maxTar bounds every plain tar, in bytes.
const maxTar = 64 << 30

// Buffers is a stream that is handed over a buffer at a time; each is valid
// until the next one is asked for. The end is io.EOF.
type Buffers interface {
	Next() ([]byte, error)
}

// An intake writes a plain tar to the cache, a buffer at a time, while the
// tar's headers are read from it. tar.Reader passes over contents with Seek, so
// that they are not copied.
type intake struct {
	from   Buffers
	to     *Writer
	start  int64  // where the tar begins in the blob
	rest   []byte // taken in, not read by the tar reader yet
	sparse spool
}

var _ io.ReadSeeker = (*intake)(nil)

// take gets the next buffer.
func (in *intake) take() error {
	data, err := in.from.Next()
	if err != nil {
		return err
	}
	size := in.to.size - in.start + int64(len(data))
	if size > maxTar {
		return fmt.Errorf("the plain tar is larger than %d bytes", int64(maxTar))
	}
	if _, err := in.to.Write(data); err != nil {
		return err
	}
	in.rest = data
	return nil
}

// pos returns where the tar reader is in the blob.
func (in *intake) pos() int64 { return in.to.size - int64(len(in.rest)) }

// Read reads as io.Reader says.
func (in *intake) Read(p []byte) (int, error) {
	for len(in.rest) == 0 {
		if err := in.take(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// Seek passes over bytes; it only goes forward from where it is.
func (in *intake) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	for offset > int64(len(in.rest)) {
		offset -= int64(len(in.rest))
		in.rest = nil
		if err := in.take(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	in.rest = in.rest[offset:]
	return in.pos() - in.start, nil
}

// drain takes in what follows the end-of-archive mark.
func (in *intake) drain() error {
	in.rest = nil
	for {
		if err := in.take(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		in.rest = nil
	}
}
