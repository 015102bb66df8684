package unpacked

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"smith/internal/compress"
)

// Sparse files have holes that a tar does not hold (GNU tar manual, "Sparse
// Formats"); /var/log/lastlog is the usual one. Their bytes are no section of the
// tar, so they are kept dense behind it: while the tar is read they wait in a
// spool.
type spool struct {
	file *os.File
	size int64
}

// isSparse reports whether a header is that of a sparse file, in the old GNU
// form or in one of the pax forms.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// add copies a dense file to the spool; packed is how much of the tar was read.
// It returns where the file begins in the spool, and its first bytes.
func (s *spool) add(content io.Reader, size, packed int64) (at int64, head string, err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "smith-sparse-"); err != nil {
			return 0, "", &CacheError{err}
		}
	}
	if err := compress.CheckRatio(packed, s.size+size); err != nil {
		return 0, "", fmt.Errorf("sparse files: %w", err)
	}
	at = s.size
	n, err := io.Copy(s.file, io.LimitReader(content, size))
	s.size += n
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, "", err
	}
	first := make([]byte, min(headSize, size))
	if _, err := s.file.ReadAt(first, at); err != nil {
		return 0, "", &CacheError{err}
	}
	return at, string(first), nil
}

// copyTo writes the spool behind the tar.
func (s *spool) copyTo(w io.Writer) error {
	if s.file == nil {
		return nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return &CacheError{err}
	}
	_, err := io.Copy(w, s.file)
	return err
}

// discard removes the spool.
func (s *spool) discard() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	return err
}
