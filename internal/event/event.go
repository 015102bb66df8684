// Package event is how the rooms of smith tell what they are doing without
// knowing who listens: library packages are handed a Listener, the command
// line draws what it hears. It holds no state and writes nothing itself.
package event

import "io"

// A Listener hears of the progress of a build. Its methods may be called from
// several goroutines at once.
type Listener interface {
	// Note tells a fact that a user asks for with -v.
	Note(text string)
	// Warn tells a fact that every user should see: something was decided or
	// left out that they might not expect.
	Warn(text string)
	// Step tells that a long step has begun. total is the expected number of
	// bytes, or 0 where it is not known. The caller must call Done on the
	// result, also when the step fails.
	Step(name string, total int64) Step
}

// A Step is one long piece of work under way.
type Step interface {
	// Advance tells that n more bytes are done.
	Advance(n int64)
	// Done tells that the step is over.
	Done()
}

// Reader returns a reader that tells a step how far r is read.
func Reader(r io.Reader, s Step) io.Reader { return advancing{r, s} }

type advancing struct {
	io.Reader
	step Step
}

// Read reads on, and tells of it.
func (a advancing) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.step.Advance(int64(n))
	return n, err
}

// Silent is a Listener that hears nothing.
type Silent struct{}

var _ Listener = Silent{}

// Note does nothing.
func (Silent) Note(string) {}

// Warn does nothing.
func (Silent) Warn(string) {}

// Step returns a Step that does nothing.
func (Silent) Step(string, int64) Step { return silentStep{} }

type silentStep struct{}

func (silentStep) Advance(int64) {}
func (silentStep) Done()         {}
