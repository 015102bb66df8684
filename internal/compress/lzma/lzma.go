// Package lzma decodes LZMA2, the compression in .xz files (The .xz File
// Format, 5.3.1; the LZMA specification of the LZMA SDK), at the speed of xz
// itself. What a stream asks of memory is bounded by its dictionary, which the
// caller grants. Filters, checks and the form of files are the caller's matter.
package lzma

import (
	"errors"
	"fmt"
	"io"
)

// ErrCorrupt says that bytes are no LZMA2.
var ErrCorrupt = errors.New("the data are corrupt")

// A Source is what is decoded. Of a buffered one, nothing is read that comes
// after the end mark.
type Source interface {
	io.Reader
	io.ByteReader
}

// DictionarySize returns how far back matches may reach, from the one byte of
// the filter's properties.
func DictionarySize(property byte) (int64, error) {
	switch {
	case property > 40:
		return 0, ErrCorrupt
	case property == 40:
		return 1<<32 - 1, nil
	}
	return int64(2|property&1) << (property/2 + 11), nil
}

// A Decoder decodes what lies in memory. It is for one goroutine; using it
// again spares memory.
type Decoder struct{ decoder decoder }

// Decode fills plain with what r holds up to its end mark, which must be as
// much. The dictionary is plain itself.
func (d *Decoder) Decode(plain []byte, r Source, dictionary int64) error {
	z := &d.decoder
	defer z.begin(window{}) // it holds on to nothing
	z.begin(window{buf: plain, dictionary: int(min(dictionary, int64(len(plain))))})
	for {
		more, err := z.chunk(r)
		switch {
		case err != nil:
			return err
		case !more && z.at < len(plain):
			return ErrCorrupt
		case !more:
			return nil
		}
	}
}

// A Reader is the plain bytes of a stream of any length. It is for one
// goroutine.
type Reader struct {
	decoder decoder
	from    Source
	read    int // of the window
	err     error
}

// NewReader returns the plain bytes of r up to its end mark. Memory is taken as
// the stream grows, to one and a half dictionaries, and 2 MiB at least.
func NewReader(r Source, dictionary int64) *Reader {
	z := &Reader{from: r}
	z.decoder.begin(window{dictionary: int(dictionary), slides: true})
	return z
}

// Read reads as io.Reader says.
func (z *Reader) Read(p []byte) (int, error) {
	for z.read == z.decoder.at {
		if z.err != nil {
			return 0, z.err
		}
		// What was read may be given up for the next chunk.
		more, err := z.decoder.chunk(z.from)
		if z.read = z.decoder.fresh; !more && err == nil {
			err = io.EOF
		}
		z.err = err
	}
	n := copy(p, z.decoder.buf[z.read:z.decoder.at])
	z.read += n
	return n, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("cannot read on: %w", err)
}
