package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"smith/internal/event"
	"smith/internal/size"
)

// A display shows the progress of a command: its stages on a terminal, plain
// lines elsewhere.
type display struct {
	mu       sync.Mutex
	out      io.Writer
	paint    paint
	stages   *stages // nil where there is no terminal
	verbose  bool
	quiet    bool
	lines    bool          // a line for each step
	patience time.Duration // after which a step gets its line
	warnings []string
	warned   map[string]bool
	work     map[event.Stage]int // steps
}

var _ event.Listener = (*display)(nil)

// display returns the listener that the global flags ask for. The caller
// calls close before it prints anything else.
func (a *app) display() *display {
	d := &display{
		out: a.stderr, paint: painted(a.stderr), verbose: a.verbose, quiet: a.quiet,
		warned: map[string]bool{}, work: map[event.Stage]int{},
	}
	d.lines = a.progress != "none" && !a.quiet
	if a.progress == "auto" && !a.verbose {
		d.patience = slow
	}
	if a.progress == "auto" && !a.quiet && isScreen(a.stderr) {
		d.stages = newStages(newScreen(a.stderr.(*os.File)), d.paint)
		d.out, d.lines = d.stages, false
	}
	return d
}

// close takes the stages away. What is told later is printed as it comes.
func (d *display) close() {
	if d.stages == nil {
		return
	}
	d.stages.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = d.stages.out.out
}

// Note prints a fact with -v.
func (d *display) Note(text string) {
	if d.verbose {
		d.line(text)
	}
}

// Warn prints a warning, each text once.
func (d *display) Warn(text string) {
	d.mu.Lock()
	known := d.warned[text]
	d.warned[text] = true
	if !known {
		d.warnings = append(d.warnings, text)
	}
	d.mu.Unlock()
	if !known && !d.quiet {
		d.line(d.paint.warning("warning:") + " " + text)
	}
}

func (d *display) line(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "smith: %s\n", safeText(text))
}

// Step shows a long piece of work.
func (d *display) Step(stage event.Stage, thing string, total int64) event.Step {
	if thing != "" {
		d.mu.Lock()
		d.work[stage]++
		d.mu.Unlock()
	}
	if d.stages == nil {
		return d.lineStep(stage, thing, total)
	}
	return d.stages.begin(stage, thing, total)
}

// lineStep prints a line for a step, once it has lasted a while: a log should
// show what a build waits for, and nothing where it waits for nothing.
func (d *display) lineStep(stage event.Stage, thing string, total int64) event.Step {
	silent := event.Silent{}.Step(stage, thing, total)
	if !d.lines {
		return silent
	}
	text := strings.TrimSpace(stage.String() + " " + thing)
	if total > 0 {
		text += " (" + size.Format(total) + ")"
	}
	if d.patience == 0 {
		d.line(text)
		return silent
	}
	return waiting{silent, time.AfterFunc(d.patience, func() { d.line(text) })}
}

// slow is how long a step lasts before it gets its line.
const slow = 3 * time.Second

type waiting struct {
	event.Step
	line *time.Timer
}

func (w waiting) Done() { w.line.Stop() }
