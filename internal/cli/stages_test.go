package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"smith/internal/event"
	"smith/internal/golden"
)

// What the line of a stage says, in windows of several widths.
func TestStageLine(t *testing.T) {
	texts := golden.New(t)
	show := func(name string, at *stage, widths ...int) {
		at.stages = &stages{now: time.Now}
		for _, width := range widths {
			text := at.line(width)
			if n := utf8.RuneCountInString(text); n > width && width > len("following  ") {
				t.Errorf("%s takes %d of %d columns: %s", name, n, width, text)
			}
			texts.Add(fmt.Sprintf("%s, %d columns", name, width), text)
		}
	}
	fetching := &stage{kind: event.Fetch, done: 7, bytes: 8_400_000}
	for _, thing := range []string{"nginx 1.22.1-9+deb12u11", "libssl3 3.0.22", "zlib1g 1.2"} {
		fetching.under = append(fetching.under, &work{stage: fetching, thing: thing, at: 250, total: 1000})
	}
	show("fetching", fetching, 79, 100, 39, 14)
	show("opened", &stage{kind: event.Open, done: 1, bytes: 12, took: 3200 * time.Millisecond}, 79)
	show("followed", &stage{kind: event.Follow, done: 1}, 79)
	show("following", &stage{kind: event.Follow, under: []*work{{thing: "dependencies of nginx"}}}, 79)
	// The sum of several uploads shows how far they are.
	show("uploading", &stage{kind: event.Upload, done: 2, bytes: 500, under: []*work{
		{at: 500, total: 1000}, {thing: "0123", at: 100, total: 100}, {thing: "4567", at: 30, total: 100},
	}}, 79)
}

// The percentage of a stage never falls, though steps end and others begin.
func TestPercentageNeverFalls(t *testing.T) {
	now := time.Unix(0, 0)
	s := &stages{now: func() time.Time { return now }}
	var shown []int64
	look := func() {
		s.all[0].line(79)
		shown = append(shown, s.all[0].percent)
	}
	a := s.begin(event.Open, "a", 100)
	a.Advance(90)
	look()
	b := s.begin(event.Open, "b", 900)
	look()
	a.Done()
	look()
	b.Advance(900)
	look()
	now = now.Add(2 * time.Second)
	b.Done()
	if want := []int64{90, 90, 90, 100}; !slices.Equal(shown, want) {
		t.Errorf("got %v, want %v", shown, want)
	}
	if s.all[0].took != 2*time.Second {
		t.Errorf("the stage took %v", s.all[0].took)
	}
}

// A step that is over at once leaves the screen alone; lines go above those of
// the stages, and nothing is left of these at the end.
func TestStagesOnAScreen(t *testing.T) {
	var out bytes.Buffer
	s := newStages(&screen{out: &out, columns: func() int { return 80 }}, false)
	s.now = func() time.Time { return time.Time{} }
	s.begin(event.Fetch, "a", 10).Done()
	if _, err := s.Write([]byte("a line\n")); err != nil || out.String() != "a line\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	s.draw()
	step := s.begin(event.Pack, "layer", 10)
	step.Advance(5)
	if _, err := s.Write([]byte("another\n")); err != nil {
		t.Error(err)
	}
	time.Sleep(400 * time.Millisecond) // twice mpb's refresh
	step.Done()
	s.close()
	if text := out.String(); !strings.Contains(text, "another\nfetching   1 file, 0 B, 0 ms\npacking    ━━━━━━━━────────  50%  layer\n\r\x1b[2A\x1b[J") {
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
