package registry

import (
	"io"
	"net"
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

// ReadFrom is io.ReaderFrom's: net/http hands it the blobs that it sends
// without TLS. Those of files the system sends; for others a large buffer
// spares most of the calls into it.
func (l *lively) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if b, ok := limited.R.(*body); ok {
			return l.take(b, limited)
		}
	}
	return l.copy(r)
}

// take sends the rest of a blob.
func (l *lively) take(b *body, rest *io.LimitedReader) (int64, error) {
	f, err := b.file()
	if err != nil || f == nil {
		return l.copy(rest) // whose error says more
	}
	defer f.Close()
	n, err := b.sendTo(l, f, rest.N)
	rest.N -= n
	return n, err
}

func (l *lively) copy(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{r}, make([]byte, 256<<10))
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
