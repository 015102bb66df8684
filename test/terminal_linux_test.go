package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"smith/test/debmirror"
	"smith/test/fixture"
)

// TestTerminal looks at smith as a person does who sits at a terminal, while a
// slow mirror serves the packages.
func TestTerminal(t *testing.T) {
	debs, err := fixture.Packages(t.Context(), os.Stderr, "jq")
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	m := debmirror.New(t, debs...)
	key := debmirror.NewKey(t, time.Now().Add(-time.Hour))
	m.Publish(t, debmirror.Release{Key: key})
	m.Lie(".deb", unhurried)
	dir := t.TempDir()
	write(t, dir, "key.asc", debmirror.Armoured(t, key))
	write(t, dir, "smith.yaml", fmt.Sprintf("type: deb\npackage: jq\nrepositories: [{deb: %s, suite: test, components: [main], signed-by: key.asc}]\n", m.URL))
	write(t, dir, "wrong.yaml", fmt.Sprintf("type: deb\npackage: jqq\nrepositories: [{deb: %s, suite: test, components: [main], signed-by: key.asc}]\n", m.URL))
	person := person{t: t, smith: buildSmith(t), dir: dir}

	t.Run("bars", func(t *testing.T) {
		for _, columns := range []uint16{40, 80, 200} {
			s := person.at(t, columns).runs(0, "build")
			s.wantStages("resolving", "fetching", "opening")
			if bar := slices.ContainsFunc(s.frames, func(f string) bool { return strings.Contains(f, "━") }); bar != (columns >= 60) {
				t.Errorf("%d columns: bars: %v", columns, bar)
			}
			if end := s.screen(); !strings.HasPrefix(end, "image.tar.gz  sha256:") || regexp.MustCompile(`(?m)^(resolving|fetching|opening|following|packing|writing) `).MatchString(end) {
				t.Errorf("%d columns: in the end there stands\n%s", columns, end)
			}
		}
	})
	t.Run("no colours", func(t *testing.T) {
		if s := person.at(t, 80, "NO_COLOR=1").runs(0, "build"); strings.Contains(s.raw, "m") && sgr.MatchString(s.raw) {
			t.Errorf("colours in %q", s.raw)
		}
		if s := person.at(t, 80).runs(0, "build"); !sgr.MatchString(s.raw) {
			t.Errorf("no colours in %q", s.raw)
		}
		if s := person.at(t, 80, "TERM=dumb").runs(0, "build"); strings.Contains(s.raw, "\x1b") {
			t.Errorf("a terminal that knows nothing gets %q", s.raw)
		}
	})
	t.Run("plain and quiet", func(t *testing.T) {
		s := person.at(t, 80).runs(0, "build", "--progress=plain")
		if erase.MatchString(s.raw) || !strings.Contains(s.raw, "smith: fetching jq ") || !strings.Contains(s.raw, "smith: opening jq ") {
			t.Errorf("plain lines: %q", s.raw)
		}
		if s := person.at(t, 80).runs(0, "build", "-q"); !regexp.MustCompile(`^image.tar.gz@sha256:[0-9a-f]{64}\r\n$`).MatchString(s.raw) {
			t.Errorf("-q prints %q", s.raw)
		}
		if s := person.at(t, 80).runs(1, "build", "-q", "-c", "wrong.yaml"); !strings.HasPrefix(s.screen(), "smith: wrong.yaml:2: ") {
			t.Errorf("-q prints %q", s.raw)
		}
	})
	t.Run("a build that fails", func(t *testing.T) {
		s := person.at(t, 80).runs(1, "build", "-c", "wrong.yaml")
		if end := s.screen(); !strings.HasPrefix(end, "smith: wrong.yaml:2: ") || !strings.Contains(end, "did you mean jq?") {
			t.Errorf("in the end there stands\n%s", end)
		}
	})
	t.Run("a container at the terminal", func(t *testing.T) {
		if _, err := exec.LookPath("runc"); err != nil || os.Geteuid() != 0 {
			t.Skip("runc and root are needed")
		}
		if out, err := exec.CommandContext(t.Context(), person.smith, "wrap", "sh", "-i", filepath.Join(dir, "sh.tar.gz"), "--path", "/usr/bin/stty").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p := person.at(t, 80)
		p.interrupt = "up"
		s := p.runs(4, "run", "sh.tar.gz", "--", "-c", `until test "$(stty size)" = "24 80"; do :; done; trap 'echo Ctrl-C; exit 4' INT; echo up; while :; do :; done`)
		// The runtime sets the size of the window a little after the start.
		if !strings.Contains(s.screen(), "Ctrl-C\n") {
			t.Errorf("there stands\n%s", s.screen())
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		if err := os.Remove(filepath.Join(dir, "image.tar.gz")); err != nil {
			t.Fatal(err)
		}
		p := person.at(t, 80)
		p.interrupt = "fetching "
		if end := p.runs(1, "build").screen(); strings.TrimPrefix(end, "^C\n") != "smith: interrupted; nothing was changed\n" {
			t.Errorf("in the end there stands\n%s", end)
		}
		if _, err := os.Stat(filepath.Join(dir, "image.tar.gz")); err == nil {
			t.Error("there is an image")
		}
	})
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// unhurried answers over a second, so that there is something to see.
func unhurried(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(slowWriter{w, 5 * time.Millisecond}, r)
}

type slowWriter struct {
	http.ResponseWriter
	pause time.Duration
}

func (s slowWriter) Write(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.ResponseWriter.Write(p)
}

// A person sits at a terminal.
type person struct {
	t          *testing.T
	smith, dir string
	columns    uint16
	env        []string
	// interrupt is what the person waits for on the screen before pressing
	// Ctrl-C.
	interrupt string
}

func (p person) at(t *testing.T, columns uint16, env ...string) *person {
	p.t, p.columns, p.env = t, columns, env
	return &p
}

// runs runs smith with a cache of its own and wants an exit code.
func (p *person) runs(code int, args ...string) *seen {
	p.t.Helper()
	master, slave := p.terminal()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.smith, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=", "XDG_CACHE_HOME="+p.t.TempDir(), "HOME="+p.dir)
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	slave.Close()
	raw := p.watch(master)
	err := cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("smith %q: %v, want exit code %d:\n%s", args, err, code, raw)
	}
	return newSeen(p.t, string(raw), int(p.columns))
}

// watch reads all that comes to the terminal, until the program has gone.
func (p *person) watch(master *os.File) []byte {
	var all bytes.Buffer
	buffer := make([]byte, 64<<10)
	for {
		n, err := master.Read(buffer)
		all.Write(buffer[:n])
		if p.interrupt != "" && strings.Contains(all.String(), p.interrupt) {
			p.interrupt = ""
			if _, err := io.WriteString(master, "\x03"); err != nil {
				p.t.Error(err)
			}
		}
		if err != nil { // EIO is how Linux tells that nobody has it open any more
			return all.Bytes()
		}
	}
}

// terminal opens a pseudo terminal (pty(7)).
func (p *person) terminal() (master, slave *os.File) {
	p.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: p.columns})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return master, slave
}

// seen is what came to a terminal.
type seen struct {
	t   *testing.T
	raw string
	// frames are what stood there each time before something was erased, and
	// in the end.
	frames []string
}

var (
	sgr   = regexp.MustCompile("\x1b\\[[0-9;]*m")
	erase = regexp.MustCompile("\r\x1b\\[([0-9]+)A\x1b\\[J")
)

// newSeen shows the bytes on a screen that is as high as need be: lines, and
// the erasing of the last of them (CUU and ED).
func newSeen(t *testing.T, raw string, columns int) *seen {
	s := &seen{t: t, raw: raw}
	text := strings.ReplaceAll(sgr.ReplaceAllString(raw, ""), "\r\n", "\n")
	var rows []string
	put := func(part string) {
		for line := range strings.Lines(part) {
			for rest := []rune(line); len(rest) > 0; {
				n := min(len(rest), columns)
				if n < len(rest) && rest[n] == '\n' {
					n++ // what fits exactly does not break
				}
				rows, rest = append(rows, string(rest[:n])), rest[n:]
			}
		}
	}
	for {
		at := erase.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		put(text[:at[0]])
		s.frames = append(s.frames, strings.Join(rows, ""))
		var n int
		fmt.Sscan(text[at[2]:at[3]], &n)
		if len(rows) > 0 && !strings.HasSuffix(rows[len(rows)-1], "\n") {
			n++ // the row that the cursor stands in
		}
		rows, text = rows[:max(0, len(rows)-n)], text[at[1]:]
	}
	put(text)
	s.frames = append(s.frames, strings.Join(rows, ""))
	if strings.Contains(s.screen(), "\x1b") {
		t.Errorf("what is this? %q", s.screen())
	}
	return s
}

// screen is what stands there in the end.
func (s *seen) screen() string { return s.frames[len(s.frames)-1] }

// wantStages wants stages to have been there, and all that were in the order of
// a build, each from when it came until they went at once. What takes no time
// is not seen.
func (s *seen) wantStages(want ...string) {
	s.t.Helper()
	order := []string{"resolving", "fetching", "opening", "following", "packing", "writing", "uploading"}
	var there []string
	for _, frame := range s.frames[:len(s.frames)-1] {
		var now []string
		for line := range strings.Lines(frame) {
			if name, _, _ := strings.Cut(line, " "); slices.Contains(order, name) {
				now = append(now, name)
			}
		}
		for _, name := range there {
			if !slices.Contains(now, name) {
				s.t.Errorf("%s went from\n%s", name, frame)
			}
		}
		there = now
	}
	inOrder := slices.IsSortedFunc(there, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	for _, name := range want {
		if !slices.Contains(there, name) || !inOrder {
			s.t.Errorf("the stages were %q, want %q", there, want)
		}
	}
}
