// Package ahead lets two steps of a stream's work run at once: a Reader reads
// from another reader in a goroutine of its own, a few buffers ahead of whoever
// reads from it.
package ahead

import (
	"context"
	"io"
)

// Buffers that lie between two steps of the work: enough that both always have
// something to do, few enough to be nothing beside the files.
const (
	bufferSize  = 256 << 10
	bufferCount = 8
)

// A Reader reads ahead. It is for one goroutine.
type Reader struct {
	full   chan chunk
	empty  chan []byte
	stop   context.CancelFunc
	ended  chan struct{}
	buffer []byte // under way, to be given back
	rest   []byte // of buffer, not read yet
	err    error
}

type chunk struct {
	data []byte
	err  error
}

// New begins to read r. Close must be called before r is closed.
func New(ctx context.Context, r io.Reader) *Reader {
	ctx, stop := context.WithCancel(ctx)
	a := &Reader{
		full: make(chan chunk, bufferCount), empty: make(chan []byte, bufferCount),
		stop: stop, ended: make(chan struct{}),
	}
	go a.run(ctx, r)
	return a
}

// fill reads until the buffer is full or the reader fails, which io.EOF is too.
// io.ReadFull would not tell the end from a truncated stream within.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var more int
		more, err = r.Read(buffer[n:])
		n += more
	}
	return n, err
}

func (a *Reader) run(ctx context.Context, r io.Reader) {
	defer close(a.ended)
	defer close(a.full)
	for made := 0; ; {
		var buffer []byte
		select {
		case buffer = <-a.empty:
		default:
			if made < bufferCount {
				buffer, made = make([]byte, bufferSize), made+1
				break
			}
			select {
			case buffer = <-a.empty:
			case <-ctx.Done():
				return
			}
		}
		n, err := fill(r, buffer)
		select {
		case a.full <- chunk{buffer[:n], err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Next returns the next buffer as a whole; it is valid until Next or Read is
// called again.
func (a *Reader) Next() ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.buffer != nil {
		a.empty <- a.buffer[:bufferSize]
		a.buffer = nil
	}
	c, ok := <-a.full
	if !ok {
		a.err = context.Canceled
		return nil, a.err
	}
	a.buffer, a.err = c.data, c.err
	if len(c.data) > 0 {
		return c.data, nil
	}
	return nil, a.err
}

// Read reads as io.Reader says.
func (a *Reader) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		var err error
		if a.rest, err = a.Next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close ends the reading and waits until the reader is no longer used.
func (a *Reader) Close() {
	a.stop()
	<-a.ended
}
