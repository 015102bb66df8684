package test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A server is a container that runs beside the script until its end.
type server struct {
	pid  int           // of its first process
	done chan struct{} // closed when it has ended
	log  string        // file of what it says
}

// serversKey is where a script's servers are kept by name among its values.
type serversKey struct{}

// startTimeout is how long a server may take until it listens.
const startTimeout = time.Minute

// startRunc starts an image and returns when it listens at a port:
// `runc-start NAME PORT IMAGE [OPTIONS] [-- ARGS]`. `runc-run -with NAME` then
// reaches it on loopback.
func startRunc(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: runc-start NAME PORT IMAGE [OPTIONS] [-- ARGS]")
	}
	needTools(ts, "runc")
	needRoot(ts, "runc with umoci's bundle")
	port, err := strconv.ParseUint(args[1], 10, 16)
	ts.Check(err)
	bundle := unpack(ts, parseRun(ts, args[2:]))
	s := launch(ts, bundle)
	ts.Value(serversKey{}).(map[string]*server)[args[0]] = s
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.await(ctx, filepath.Join(bundle, "pid"), uint16(port)); err != nil {
		said, _ := os.ReadFile(s.log)
		ts.Fatalf("%s: %v\n%s", args[0], err, said)
	}
}

// launch runs a bundle in the background and ends it with the script.
func launch(ts *testscript.TestScript, bundle string) *server {
	runc, err := lookPath(ts, "runc")
	ts.Check(err)
	s := &server{done: make(chan struct{}), log: filepath.Join(bundle, "log")}
	log, err := os.Create(s.log)
	ts.Check(err)
	name, state := containerName(bundle), filepath.Join(bundle, "state")
	cmd := exec.Command(runc, "--root", state, "run", "--bundle", bundle, "--pid-file", filepath.Join(bundle, "pid"), name)
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	go func() {
		defer close(s.done)
		defer log.Close()
		_ = cmd.Wait()
	}()
	ts.Defer(func() {
		_ = exec.Command(runc, "--root", state, "kill", name, "KILL").Run()
		<-s.done
	})
	return s
}

// started returns a server of the script.
func started(ts *testscript.TestScript, name string) *server {
	s := ts.Value(serversKey{}).(map[string]*server)[name]
	if s == nil {
		ts.Fatalf("no server %s was started", name)
	}
	return s
}

// await returns when a process of the container listens at a port.
func (s *server) await(ctx context.Context, pidFile string, port uint16) error {
	for {
		select {
		case <-s.done:
			return fmt.Errorf("it ended before it listened at port %d", port)
		case <-ctx.Done():
			return fmt.Errorf("it does not listen at port %d: %w", port, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
		if s.pid == 0 {
			text, _ := os.ReadFile(pidFile)
			s.pid, _ = strconv.Atoi(string(bytes.TrimSpace(text)))
		}
		if s.pid != 0 && (listens(s.pid, "tcp", port) || listens(s.pid, "tcp6", port)) {
			return nil
		}
	}
}

// listens reads the sockets in the network of a process (proc_net_tcp(5)).
func listens(pid int, kind string, port uint16) bool {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, kind))
	if err != nil {
		return false
	}
	const listening = "0A"
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) && fields[3] == listening {
			return true
		}
	}
	return false
}
