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

// A display draws what it hears: the stages of a build on a terminal, plain
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
	work     map[string]int // steps by their first word
}

var _ event.Listener = (*display)(nil)

// display returns the listener that the global flags ask for. The caller
// calls close before it prints anything else.
func (a *app) display() *display {
	d := &display{
		out: a.stderr, paint: painted(a.stderr), verbose: a.verbose, quiet: a.quiet,
		warned: map[string]bool{}, work: map[string]int{},
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
	fmt.Fprintf(d.out, "smith: %s\n", text)
}

// Step shows a long piece of work.
func (d *display) Step(name string, total int64) event.Step {
	d.mu.Lock()
	kind, _, _ := strings.Cut(name, " ")
	d.work[kind]++
	d.mu.Unlock()
	if d.stages == nil {
		return d.lineStep(name, total)
	}
	return d.stages.begin(name, total)
}

// lineStep tells of a step in a line, once it has lasted a while: a log should
// show what a build waits for, and nothing where it waits for nothing.
func (d *display) lineStep(name string, total int64) event.Step {
	if !d.lines {
		return event.Silent{}.Step(name, total)
	}
	if total > 0 {
		name += " (" + size.Format(total) + ")"
	}
	if d.patience == 0 {
		d.line(name)
		return event.Silent{}.Step(name, total)
	}
	return waiting{event.Silent{}.Step(name, total), time.AfterFunc(d.patience, func() { d.line(name) })}
}

// slow is how long a step lasts that a log tells of unasked.
const slow = 3 * time.Second

type waiting struct {
	event.Step
	line *time.Timer
}

func (w waiting) Done() { w.line.Stop() }
