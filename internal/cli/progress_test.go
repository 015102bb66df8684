package cli

import (
	"bytes"
	"testing"
	"time"

	"smith/internal/event"
)

// What is printed where there is no terminal, by the global flags.
func TestPlainProgress(t *testing.T) {
	for name, c := range map[string]struct {
		app  app
		want string
	}{
		"auto":    {app{progress: "auto"}, "smith: warning: w\n"},
		"verbose": {app{progress: "auto", verbose: true}, "smith: opening layer 0123 (2.0 kB)\nsmith: note\nsmith: warning: w\n"},
		"plain":   {app{progress: "plain"}, "smith: opening layer 0123 (2.0 kB)\nsmith: warning: w\n"},
		"none":    {app{progress: "none"}, "smith: warning: w\n"},
		"quiet":   {app{progress: "plain", quiet: true}, ""},
	} {
		var out bytes.Buffer
		c.app.stderr = &out
		d := c.app.display()
		step := d.Step(event.Open, "layer 0123", 2000)
		d.Note("note")
		d.Warn("w")
		d.Warn("w")
		step.Done()
		d.close()
		if out.String() != c.want {
			t.Errorf("%s: got %q, want %q", name, out.String(), c.want)
		}
	}
}

// A log tells unasked of a step that takes its time.
func TestSlowStepIsTold(t *testing.T) {
	told := make(lines, 1)
	a := app{progress: "auto", stderr: told}
	d := a.display()
	d.patience = time.Millisecond
	step := d.Step(event.Open, "layer 0123", 0)
	if got := <-told; got != "smith: opening layer 0123\n" {
		t.Errorf("got %q", got)
	}
	step.Done()
}

// lines is a writer for one who waits for what is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
