package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"smith/internal/event"
	"smith/internal/size"
)

// calm is how long a command works before its stages are drawn: what is over
// at once should leave the screen alone.
const calm = 250 * time.Millisecond

// stages draws the stages of a build on a terminal, a line each, in the order
// of the build. A stage has its line from its first step on and keeps it, so
// that no line jumps; all of them go when the command ends.
type stages struct {
	out   *screen
	paint paint
	now   func() time.Time

	// drawing guards bars and wait, mu what the lines show: a line is made while
	// bars are being drawn, so mu is never held while mpb is asked for something.
	drawing sync.Mutex
	bars    *mpb.Progress // nil until they are drawn
	wait    *time.Timer   // nil when they are closed

	mu  sync.Mutex
	all []*stage
}

func newStages(out *screen, p paint) *stages {
	s := &stages{out: out, paint: p, now: time.Now}
	s.wait = time.AfterFunc(calm, s.draw)
	return s
}

// A stage is what one line shows.
type stage struct {
	*stages
	kind  event.Stage
	drawn bool  // has its line; guarded by drawing
	done  int   // steps
	bytes int64 // of all steps
	under []*work

	// finished are the bytes of the steps that are over and whose total was
	// known; percent is the largest that was shown.
	finished, percent int64
	// took is how long steps were under way, since when those are
	// that are under way now.
	took  time.Duration
	since time.Time
}

var (
	_ mpb.BarFillerBuilder = (*stage)(nil)
	_ mpb.BarFiller        = (*stage)(nil)
)

// A work is a step under way. One without a thing is the sum of others.
type work struct {
	stage     *stage
	thing     string
	at, total int64
}

var _ event.Step = (*work)(nil)

// begin shows a step.
func (s *stages) begin(kind event.Stage, thing string, total int64) event.Step {
	w := &work{thing: printable(thing), total: total}
	s.mu.Lock()
	at := s.stage(kind)
	w.stage = at
	if len(at.under) == 0 {
		at.since = s.now()
	}
	at.under = append(at.under, w)
	s.mu.Unlock()
	s.drawing.Lock()
	defer s.drawing.Unlock()
	s.add(at)
	return w
}

// stage returns the state of a stage. The caller holds mu.
func (s *stages) stage(kind event.Stage) *stage {
	for _, at := range s.all {
		if at.kind == kind {
			return at
		}
	}
	at := &stage{stages: s, kind: kind}
	s.all = append(s.all, at)
	return at
}

// draw begins to draw.
func (s *stages) draw() {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	if s.wait == nil || s.bars != nil {
		return // closed meanwhile, or drawn
	}
	s.bars = mpb.New(mpb.WithConsoleWriter(s.out), mpb.WithAutoRefresh())
	s.mu.Lock()
	all := slices.Clone(s.all)
	s.mu.Unlock()
	for _, at := range all {
		s.add(at)
	}
}

// add gives a stage its line, if lines are drawn and it has none. The caller
// holds drawing.
func (s *stages) add(at *stage) {
	if s.bars == nil || at.drawn {
		return
	}
	at.drawn = true
	s.bars.New(0, at, mpb.BarPriority(int(at.kind)), mpb.BarFillerTrim())
}

// Build is mpb.BarFillerBuilder's.
func (at *stage) Build() mpb.BarFiller { return at }

// Fill draws the line.
func (at *stage) Fill(w io.Writer, _ decor.Statistics) error {
	_, err := io.WriteString(w, at.line(at.out.width()))
	return err
}

// Write writes lines above those of the stages.
func (s *stages) Write(p []byte) (int, error) {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	if s.bars == nil {
		return s.out.out.Write(p)
	}
	return s.bars.Write(p)
}

// close takes the lines away.
func (s *stages) close() {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	if s.wait == nil {
		return
	}
	s.wait.Stop()
	s.wait = nil
	if s.bars != nil {
		s.bars.Shutdown()
		s.bars = nil
		s.out.clear()
	}
}

// Advance is event.Step's.
func (w *work) Advance(n int64) {
	w.stage.mu.Lock()
	defer w.stage.mu.Unlock()
	w.at += n
	if w.thing != "" {
		w.stage.bytes += n
	}
}

// Done is event.Step's.
func (w *work) Done() {
	at := w.stage
	at.mu.Lock()
	defer at.mu.Unlock()
	for i, other := range at.under {
		if other == w {
			at.under = append(at.under[:i], at.under[i+1:]...)
			if w.thing != "" {
				at.done++
			}
			if w.total > 0 && w.thing != "" {
				at.finished += w.total
			}
			if len(at.under) == 0 {
				at.took += at.now().Sub(at.since)
			}
			return
		}
	}
}

// line describes in at most so many columns what a stage has done and is doing:
//
//	fetching  7 files, 8.4 MB     ━━━━━━━━━━━─────  71%  nginx 1.22.1, 2 more
func (at *stage) line(width int) string {
	at.mu.Lock()
	defer at.mu.Unlock()
	head := fmt.Sprintf("%-11s", at.kind)
	if len(at.under) == 0 {
		return at.paint.quiet(cut(head+cmp.Or(at.did(), "done")+", "+inWords(at.took), width))
	}
	parts := []string{at.did(), at.bar(width), at.doing()}
	switch {
	case parts[0] == "" || parts[1] == "":
	case width < narrow:
		parts[0], parts[1] = parts[1], parts[0]
	default:
		parts[0] = fmt.Sprintf("%-20s", parts[0]) // so that the bar stays where it is
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return at.paint.strong(head) + cut(strings.Join(parts, "  "), width-len(head))
}

// narrow is the width below which a bar is only a number.
const narrow = 60

// did says how much is done, "" for a stage whose steps are not counted.
func (at *stage) did() string {
	thing := unit(at.kind)
	if at.done == 0 || thing == "" {
		return ""
	}
	return count(at.done, thing) + ", " + size.Format(at.bytes)
}

// unit names what a step of a stage works on, "" where the steps are not
// counted.
func unit(kind event.Stage) string {
	switch kind {
	case event.Fetch:
		return "file"
	case event.Open:
		return "archive"
	case event.Pack:
		return "layer"
	case event.Upload:
		return "blob"
	}
	return ""
}

// bar shows how much of all known bytes of the stage is done, "" where no
// total is known. More bytes become known as steps begin, but the percentage
// never falls.
func (at *stage) bar(width int) string {
	done, total := at.finished, at.finished
	known := false
	for _, w := range at.under {
		if w.total > 0 {
			done, total, known = done+min(w.at, w.total), total+w.total, true
		}
	}
	if sum := at.sum(); sum != nil {
		done, total = min(sum.at, sum.total), sum.total
	}
	if !known {
		return ""
	}
	at.percent = max(at.percent, done*100/total)
	percent := fmt.Sprintf("%3d%%", at.percent)
	const cells = 16
	if width < narrow {
		return percent
	}
	full := int(at.percent * cells / 100)
	return strings.Repeat("━", full) + strings.Repeat("─", cells-full) + " " + percent
}

// sum returns the step that is the sum of the others, nil where there is none.
func (at *stage) sum() *work {
	for _, w := range at.under {
		if w.thing == "" && w.total > 0 {
			return w
		}
	}
	return nil
}

// doing names what is under way, the first that began and how many more. Where
// the bar is that of the sum, each tells how far it is itself.
func (at *stage) doing() string {
	var names []string
	each := at.sum() != nil
	for _, w := range at.under {
		switch {
		case w.thing == "":
		case each && w.total > 0:
			names = append(names, fmt.Sprintf("%s %d%%", w.thing, min(w.at, w.total)*100/w.total))
		default:
			names = append(names, w.thing)
		}
	}
	if len(names) < 2 || each {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, %d more", names[0], len(names)-1)
}

// cut shortens a text to so many columns.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	if columns < 1 {
		return ""
	}
	return string([]rune(text)[:columns-1]) + "…"
}
