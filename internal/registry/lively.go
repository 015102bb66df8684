package registry

import (
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
