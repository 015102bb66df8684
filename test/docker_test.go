package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A dockerEngine is a Docker engine of the tests' own, on a socket and with
// storage of its own. It is started when a script first asks for it.
type dockerEngine struct {
	start  sync.Once
	err    error // why it did not start
	dir    string
	daemon *exec.Cmd
	ended  chan struct{} // closed when the daemon is gone
}

// load is `docker-load FILE`: docker reads an archive.
func (e *dockerEngine) load(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: docker-load FILE")
	}
	e.docker(ts, neg, []string{"load", "--input", ts.MkAbs(args[0])})
}

// run is `docker-run IMAGE [-read DIR] [-- ARGS]`: docker runs what it has
// loaded before.
func (e *dockerEngine) run(ts *testscript.TestScript, neg bool, args []string) {
	r := parseRun(ts, args)
	line := append([]string{"run", "--rm", "--network=none", "--read-only"}, engineFlags(r)...)
	e.docker(ts, neg, append(append(line, r.image), r.args...))
}

// docker is `docker ARGS`: any command to the tests' engine.
func (e *dockerEngine) docker(ts *testscript.TestScript, neg bool, args []string) {
	needTools(ts, "docker", "dockerd")
	needRoot(ts, "a Docker engine")
	e.start.Do(func() {
		dockerd, err := lookPath(ts, "dockerd")
		ts.Check(err)
		e.err = e.launch(dockerd, ts.Getenv("PATH"))
	})
	if e.err != nil {
		ts.Fatalf("cannot start a Docker engine: %v", e.err)
	}
	finish(ts, neg, ts.Exec("docker", append([]string{"--host", e.socket()}, args...)...))
}

func (e *dockerEngine) socket() string { return "unix://" + filepath.Join(e.dir, "d.sock") }

func (e *dockerEngine) launch(dockerd, path string) error {
	dir, err := os.MkdirTemp("", "smith-docker-")
	if err != nil {
		return err
	}
	e.dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	e.daemon = exec.Command(dockerd,
		"--data-root", filepath.Join(dir, "root"), "--exec-root", filepath.Join(dir, "exec"),
		"--host", e.socket(), "--pidfile", filepath.Join(dir, "pid"),
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=overlay2")
	e.daemon.Env = append(os.Environ(), "PATH="+path)
	e.daemon.Stdout, e.daemon.Stderr = log, log
	if err := e.daemon.Start(); err != nil {
		return err
	}
	e.ended = make(chan struct{})
	go func() {
		defer close(e.ended)
		_ = e.daemon.Wait()
	}()
	if err := e.await(time.Minute); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// await returns when the engine answers.
func (e *dockerEngine) await(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := exec.CommandContext(ctx, "docker", "--host", e.socket(), "version").Run()
		if err == nil {
			return nil
		}
		select {
		case <-e.ended:
			return fmt.Errorf("the engine ended: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the engine does not answer: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop ends the engine, if it was started, and removes what it left.
func (e *dockerEngine) stop() {
	if e.daemon != nil && e.daemon.Process != nil {
		_ = e.daemon.Process.Signal(syscall.SIGTERM)
		select {
		case <-e.ended:
		case <-time.After(30 * time.Second):
			_ = e.daemon.Process.Kill()
			<-e.ended
		}
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}
