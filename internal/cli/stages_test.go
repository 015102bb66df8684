package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the line of a stage says, in windows of several widths.
func TestStageLine(t *testing.T) {
	fetching := func() *stage {
		at := &stage{stages: &stages{}, name: "fetch", done: 7, bytes: 8_400_000}
		for _, thing := range []string{"nginx 1.22.1-9+deb12u11", "libssl3 3.0.22", "zlib1g 1.2"} {
			at.under = append(at.under, &work{stage: at, thing: thing, at: 250, total: 1000})
		}
		return at
	}
	for _, c := range []struct {
		at    *stage
		width int
		want  string
	}{
		{fetching(), 79, "fetch   7 files, 8.4 MB       ━━━━────────────  25%  nginx 1.22.1-9+deb12u11, …"},
		{fetching(), 100, "fetch   7 files, 8.4 MB       ━━━━────────────  25%  nginx 1.22.1-9+deb12u11, 2 more"},
		{fetching(), 39, "fetch    25%  7 files, 8.4 MB  nginx 1…"},
		{fetching(), 12, "fetch    25…"},
		{fetching(), 5, "fetch   "},
		{&stage{stages: &stages{}, name: "open", done: 1, bytes: 12}, 79, "open    1 archive, 12 B"},
		{&stage{stages: &stages{}, name: "close", done: 1}, 79, "close   done"},
		{&stage{stages: &stages{}, name: "close", under: []*work{{thing: "/bin/server"}}}, 79, "close   /bin/server"},
		{ // the sum of several uploads tells how far they are
			&stage{stages: &stages{}, name: "upload", done: 2, bytes: 500, under: []*work{
				{at: 500, total: 1000}, {thing: "0123", at: 100, total: 100}, {thing: "4567", at: 30, total: 100},
			}},
			79, "upload  2 blobs, 500 B        ━━━━━━━━────────  50%  0123 100%, 4567 30%",
		},
	} {
		if got := c.at.line(c.width); got != c.want {
			t.Errorf("%d columns:\n got %q\nwant %q", c.width, got, c.want)
		}
	}
}

// A step that is over at once leaves the screen alone; lines go above those of
// the stages, and nothing is left of these at the end.
func TestStagesOnAScreen(t *testing.T) {
	var out bytes.Buffer
	s := newStages(&screen{out: &out, columns: func() int { return 80 }}, false)
	s.begin("fetch a", 10).Done()
	if _, err := s.Write([]byte("a line\n")); err != nil || out.String() != "a line\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	s.draw()
	step := s.begin("compress layer", 10)
	step.Advance(5)
	if _, err := s.Write([]byte("another\n")); err != nil {
		t.Error(err)
	}
	time.Sleep(400 * time.Millisecond) // twice mpb's refresh
	step.Done()
	s.close()
	if text := out.String(); !strings.Contains(text, "another\nfetch   1 file, 0 B\nwrite   ━━━━━━━━────────  50%  layer\n\r\x1b[2A\x1b[J") {
		t.Errorf("%q", text)
	}
	if text := out.String(); !strings.HasSuffix(text, "\x1b[J") {
		t.Errorf("it ends with %q", text)
	}
	if n, err := s.Write([]byte("after\n")); n != 6 || err != nil {
		t.Error(n, err)
	}
	s.close() // a second time is no harm
}

// A window that becomes narrower breaks the lines that stand there.
func TestScreenIsErasedAfterAResize(t *testing.T) {
	var out bytes.Buffer
	columns := 80
	s := &screen{out: &out, columns: func() int { return columns }}
	frame := func(lines ...string) string {
		out.Reset()
		for _, line := range lines {
			s.Write([]byte(line + "\n"))
		}
		if err := s.Flush(2); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	var got []string
	got = append(got, frame("a note that stays", strings.Repeat("x", 70), paint(true).strong("é")))
	columns = 40
	got = append(got, frame("y", "z"))
	got = append(got, frame("y", "z"))
	want := []string{
		"a note that stays\n" + strings.Repeat("x", 70) + "\n\x1b[1mé\x1b[0m\n",
		"\r\x1b[3A\x1b[Jy\nz\n",
		"\r\x1b[2A\x1b[Jy\nz\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
