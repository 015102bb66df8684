package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"smith/internal/event"
	"smith/internal/size"
)

// A display draws what it hears: bars on a terminal, plain lines elsewhere.
type display struct {
	mu       sync.Mutex
	out      io.Writer
	bars     *mpb.Progress // nil where there is no terminal
	verbose  bool
	quiet    bool
	plain    bool
	warnings []string
	warned   map[string]bool
	work     map[string]int // steps by their first word
}

var _ event.Listener = (*display)(nil)

// display returns the listener that the global flags ask for. The caller
// calls close before it prints anything else.
func (a *app) display() *display {
	d := &display{out: a.stderr, verbose: a.verbose, quiet: a.quiet, warned: map[string]bool{}, work: map[string]int{}}
	d.plain = a.progress == "plain" || (a.progress == "auto" && a.verbose)
	if file, ok := a.stderr.(*os.File); ok && a.progress == "auto" && !a.quiet && term.IsTerminal(int(file.Fd())) {
		d.bars = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(40))
		d.out, d.plain = d.bars, false
	}
	return d
}

// close removes the bars.
func (d *display) close() {
	if d.bars != nil {
		d.bars.Wait()
		d.bars, d.out = nil, os.Stderr
	}
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
		d.line("warning: " + text)
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
	if d.bars == nil {
		if d.plain && !d.quiet {
			text := name
			if total > 0 {
				text += " (" + size.Format(total) + ")"
			}
			d.line(text)
		}
		return event.Silent{}.Step(name, total)
	}
	bar := d.bars.AddBar(total, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	return barStep{bar}
}

type barStep struct{ bar *mpb.Bar }

func (s barStep) Advance(n int64) { s.bar.IncrInt64(n) }
func (s barStep) Done()           { s.bar.Abort(true) }
