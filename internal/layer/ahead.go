package layer

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

// An ahead reads from a reader in a goroutine of its own, a few buffers ahead
// of whoever reads from it, so that both sides work at once.
type ahead struct {
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

// readAhead begins to read r. Close must be called before r is closed.
func readAhead(ctx context.Context, r io.Reader) *ahead {
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{
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

func (a *ahead) run(ctx context.Context, r io.Reader) {
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

// next returns the next buffer as a whole; it is valid until next is called
// again.
func (a *ahead) next() ([]byte, error) {
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
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		var err error
		if a.rest, err = a.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close ends the reading and waits until the reader is no longer used.
func (a *ahead) Close() {
	a.stop()
	<-a.ended
}
