package debfile

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The form of ar archives (deb(5), ar(5)): a magic, and before each member a
// header of 60 bytes, at even offsets.
const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arHeaderEnd  = "`\n"
)

// An arReader goes through the members of an ar archive.
type arReader struct {
	r    io.Reader
	rest int64 // of the member under way, and the padding after it
	pad  int64
}

func newArReader(r io.Reader) (*arReader, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if string(magic) != arMagic {
		return nil, errors.New("it is no Debian package: it does not begin as an ar archive")
	}
	return &arReader{r: r}, nil
}

// next passes over what is left of a member and returns the name and size of
// the one after it, or io.EOF.
func (a *arReader) next() (name string, size int64, err error) {
	if _, err := io.CopyN(io.Discard, a.r, a.rest+a.pad); err != nil {
		// The padding after the last member may be missing.
		if errors.Is(err, io.EOF) && a.rest > 0 {
			err = io.ErrUnexpectedEOF
		}
		return "", 0, err
	}
	var head [arHeaderSize]byte
	if _, err := io.ReadFull(a.r, head[:]); err != nil {
		return "", 0, err
	}
	name = strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/")
	size, err = strconv.ParseInt(strings.TrimRight(string(head[48:58]), " "), 10, 64)
	if string(head[58:]) != arHeaderEnd || err != nil || size < 0 {
		return "", 0, fmt.Errorf("member %.16q: its header is damaged", name)
	}
	a.rest, a.pad = size, size%2
	return name, size, nil
}

// Read reads the member under way. Its end is io.EOF.
func (a *arReader) Read(p []byte) (int, error) {
	if a.rest == 0 {
		return 0, io.EOF
	}
	n, err := a.r.Read(p[:min(int64(len(p)), a.rest)])
	if a.rest -= int64(n); errors.Is(err, io.EOF) && a.rest > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
