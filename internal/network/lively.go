package network

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A lively connection fails where no byte passes it for a while, in whichever
// direction: TCP alone would wait for hours for a host that is gone.
type lively struct {
	net.Conn
	silence time.Duration
	set     atomic.Int64 // when the deadline was last moved, in nanoseconds since 1970
}

// Read is net.Conn's.
func (l *lively) Read(p []byte) (int, error) {
	l.touch()
	n, err := l.Conn.Read(p)
	l.touch()
	return n, err
}

// Write is net.Conn's.
func (l *lively) Write(p []byte) (int, error) {
	l.touch()
	n, err := l.Conn.Write(p)
	l.touch()
	return n, err
}

// touch moves the deadline, which also concerns calls under way: who sends
// waits for the answer at the same time. It is not moved at each call, for
// there are many.
func (l *lively) touch() {
	now := time.Now()
	last := l.set.Load()
	if now.Sub(time.Unix(0, last)) < l.silence/16 || !l.set.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	_ = l.SetDeadline(now.Add(l.silence)) // a closed connection says so when it is used
}

// A FileBody is the body of a request whose bytes lie in a file. Where no TLS
// has to see them the system sends them by itself, which takes a fraction of
// the time: File is called once, Sent until all is sent, and Read no more.
type FileBody interface {
	io.Reader
	// File opens the file, at the byte that comes next. Where there is none it
	// is nil, and the body is read.
	File() (*os.File, error)
	// Sent tells of bytes that were sent, or why no more were: where the file
	// ends too early that is io.ErrUnexpectedEOF.
	Sent(n int64, err error)
}

// Pieces in which bodies go out: a deadline is moved between two of them.
const piece = 256 << 10

// ReadFrom is io.ReaderFrom's: net/http hands it the bodies that it sends
// without TLS. For those that are in no file a large buffer spares most of the
// calls into the system.
func (l *lively) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(FileBody); ok {
			return l.send(body, limited)
		}
	}
	return l.copy(r)
}

func (l *lively) copy(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{r}, make([]byte, piece))
}

// send has the system send the rest of a body.
func (l *lively) send(body FileBody, rest *io.LimitedReader) (sent int64, err error) {
	f, err := body.File()
	if f == nil || err != nil {
		return l.copy(rest)
	}
	defer f.Close()
	for rest.N > 0 && err == nil {
		l.touch()
		var n int64
		n, err = io.CopyN(l.Conn, f, min(rest.N, piece))
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		sent += n
		rest.N -= n
		body.Sent(n, err)
	}
	return sent, err
}
