package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	goruntime "runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// dialIn connects to an address in the network namespace of a process.
func dialIn(ctx context.Context, pid int, address string) (net.Conn, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root can connect to a program in a network of its own: run smith as root, or let the program use this machine's network (network: true)")
	}
	type result struct {
		connection net.Conn
		err        error
	}
	results := make(chan result, 1)
	go func() {
		// The thread keeps the namespace: it is not unlocked, so it ends with
		// this goroutine.
		goruntime.LockOSThread()
		space, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
		if err == nil {
			err = os.NewSyscallError("setns", unix.Setns(int(space.Fd()), unix.CLONE_NEWNET))
			err = errors.Join(err, space.Close())
		}
		if err != nil {
			results <- result{err: fmt.Errorf("cannot enter the container's network: %w", err)}
			return
		}
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		results <- result{connection, err}
	}()
	r := <-results
	return r.connection, r.err
}
