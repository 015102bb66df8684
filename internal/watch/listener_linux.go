package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The ioctls of a seccomp listener (linux/seccomp.h): _IOWR('!', 0, struct
// seccomp_notif) and _IOWR('!', 1, struct seccomp_notif_resp).
const (
	notifReceive  = 0xc0502100
	notifSend     = 0xc0182101
	notifContinue = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE
)

// A notification is struct seccomp_notif.
type notification struct {
	ID        uint64
	PID       uint32
	Flags     uint32
	Registers registers
}

// A response is struct seccomp_notif_resp.
type response struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
}

// A Listener takes the descriptors of filters from a runtime and follows the
// programs they are set on.
type Listener struct {
	dir    string
	socket *net.UnixListener
	done   chan struct{}
	work   sync.WaitGroup

	mu      sync.Mutex
	journal Journal
}

// Listen opens a socket for a runtime. The caller closes the Listener.
func Listen() (*Listener, error) {
	// A socket's path has 107 bytes at the most (unix(7)): TMPDIR may be longer.
	dir, err := os.MkdirTemp("/tmp", "smith-watch-")
	if err != nil {
		return nil, fmt.Errorf("cannot watch the program: %w", err)
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot watch the program: %w", err), os.RemoveAll(dir))
	}
	l := &Listener{dir: dir, socket: socket, done: make(chan struct{})}
	l.work.Go(l.accept)
	return l, nil
}

// Socket is the path of the socket.
func (l *Listener) Socket() string { return filepath.Join(l.dir, "socket") }

// Close ends the watch. Programs that still run lose the calls that are
// watched, so it comes after their end.
func (l *Listener) Close() error {
	close(l.done)
	err := errors.Join(l.socket.Close(), os.RemoveAll(l.dir))
	l.work.Wait()
	return err
}

// Calls returns what was seen, the last one first, and whether that is all.
func (l *Listener) Calls() (calls []Call, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.journal.Calls(), !l.journal.Full
}

func (l *Listener) accept() {
	for {
		connection, err := l.socket.AcceptUnix()
		if err != nil {
			return // closed
		}
		for _, fd := range descriptors(connection) {
			l.work.Go(func() { l.follow(fd) })
		}
		connection.Close()
	}
}

// descriptors receives what a runtime sends (OCI runtime specification,
// config-linux.md, "The Container Process State"): the state, which is not
// needed, and descriptors.
func descriptors(c *net.UnixConn) []int {
	if c.SetReadDeadline(time.Now().Add(time.Minute)) != nil {
		return nil
	}
	state, rights := make([]byte, 64<<10), make([]byte, unix.CmsgSpace(4*16))
	_, n, _, _, err := c.ReadMsgUnix(state, rights)
	if err != nil {
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return nil
	}
	var all []int
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			all = append(all, fds...)
		}
	}
	return all
}

// follow answers the notifications of a filter until its last program ended.
func (l *Listener) follow(fd int) {
	defer unix.Close(fd)
	observer := observer{decoder: newDecoder(), root: -1}
	defer observer.close()
	for {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 100)
		select {
		case <-l.done:
			return
		default:
		}
		switch {
		case err != nil && !errors.Is(err, unix.EINTR), n > 0 && poll[0].Revents&unix.POLLIN == 0:
			return
		case n <= 0:
			continue
		}
		var call notification
		if !receive(fd, &call) {
			continue // the process was killed in the meantime
		}
		if c, ok := observer.look(call); ok {
			l.mu.Lock()
			l.journal.Add(c)
			l.mu.Unlock()
		}
		answer := response{ID: call.ID, Flags: notifContinue}
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), notifSend, uintptr(unsafe.Pointer(&answer))) //nolint:gosec // the kernel's interface
	}
}

func receive(fd int, call *notification) bool {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), notifReceive, uintptr(unsafe.Pointer(call))) //nolint:gosec // the kernel's interface
	return errno == 0
}

// An observer looks at what calls ask for.
type observer struct {
	decoder decoder
	// root is the descriptor of the container's root, -1 while it is not known.
	root int
	// program is the executable of a process, which is asked for once until it
	// executes another.
	pid     uint32
	program string
}

func (o *observer) close() {
	if o.root >= 0 {
		unix.Close(o.root)
	}
}

// look finds out what a call asks for, and what it will find.
func (o *observer) look(n notification) (Call, bool) {
	q, ok := o.decoder.decode(n.Registers)
	if !ok {
		return Call{}, false
	}
	name := text(readMemory(int(n.PID), q.path, unix.PathMax))
	if name == "" {
		return Call{}, false // an empty path is the descriptor itself
	}
	if q.how != 0 {
		if flags := readMemory(int(n.PID), q.how, 8); len(flags) == 8 {
			q.open(n.Registers.Architecture, binary.LittleEndian.Uint64(flags))
		}
	}
	if !path.IsAbs(name) {
		base, err := os.Readlink(procPath(n.PID, directory(q.dir)))
		if err != nil || !path.IsAbs(base) {
			return Call{}, false
		}
		name = base + "/" + name
	}
	name = path.Clean(name)
	if ofKernel(name) || !o.enter(n.PID) {
		return Call{}, false
	}
	if o.pid != n.PID || o.program == "" {
		o.pid = n.PID
		if o.program, _ = os.Readlink(procPath(n.PID, "exe")); o.program == "" {
			o.program = "?"
		}
	}
	c := Call{Intent: q.intent, Path: name, Program: o.program}
	if q.intent == Execute {
		o.program = ""
	}
	c.Outcome = o.outcome(name, q)
	return c, true
}

// enter opens the container's root, which all its processes share.
func (o *observer) enter(pid uint32) bool {
	if o.root >= 0 {
		return true
	}
	root, err := unix.Open(procPath(pid, "root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	o.root = root
	return true
}

// outcome tells what a call will find at a path.
func (o *observer) outcome(name string, q question) Outcome {
	fd, err := o.open(name, q.link)
	if err == nil && q.create {
		unix.Close(fd)
		return Found // EEXIST says that it is there
	}
	if q.intent == Write && missing(err) {
		// It may be created, in a directory that exists.
		fd, err = o.open(path.Dir(name), false)
	}
	switch {
	case missing(err):
		return Missing
	case err != nil:
		return Found
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if q.intent == Write && unix.Fstatfs(fd, &fs) == nil && fs.Flags&unix.ST_RDONLY != 0 {
		return ReadOnly
	}
	return Found
}

func (o *observer) open(name string, link bool) (int, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	if link {
		how.Flags |= unix.O_NOFOLLOW
	}
	return unix.Openat2(o.root, name, &how)
}

func missing(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }

func directory(fd int) string {
	if fd == cwd {
		return "cwd"
	}
	return "fd/" + strconv.Itoa(fd)
}

func procPath(pid uint32, name string) string {
	return "/proc/" + strconv.FormatUint(uint64(pid), 10) + "/" + name
}

// readMemory reads up to most bytes of a process's memory, less where its pages
// end.
func readMemory(pid int, address uint64, most int) []byte {
	memory := make([]byte, most)
	page := os.Getpagesize()
	for got := 0; got < most; {
		// A page at a time: a read that crosses into a page that does not exist
		// fails as a whole (process_vm_readv(2)).
		size := min(most-got, page-int((address+uint64(got))%uint64(page)))
		local := []unix.Iovec{{Base: &memory[got]}}
		local[0].SetLen(size)
		n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(address) + uintptr(got), Len: size}}, 0)
		if err != nil || n <= 0 {
			return memory[:got]
		}
		for _, b := range memory[got : got+n] {
			if b == 0 && most > 8 {
				return memory[:got+n]
			}
		}
		got += n
	}
	return memory
}
