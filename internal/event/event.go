// Package event is how library packages report progress, notes and warnings
// without knowing who listens: they are handed a Listener, and the command line
// shows what it receives. The package holds no state and writes nothing itself.
package event

import "io"

// A Stage is the part of a command that a step belongs to. The set is closed.
type Stage int

// The stages, in the order of a build.
const (
	// Resolve finds out which packages and images are wanted: lists are read,
	// dependencies solved.
	Resolve Stage = iota + 1
	// Fetch brings a file or blob from a server. Its thing is one file.
	Fetch
	// Open reads a package, layer or archive into the cache. Its thing is one.
	Open
	// Follow works out which files are needed.
	Follow
	// Pack compresses a layer. Its thing is one.
	Pack
	// Write writes an image to a file or directory.
	Write
	// Upload sends a blob to a registry. Its thing is one.
	Upload
)

// Stages returns all stages, in the order of a build.
func Stages() []Stage { return []Stage{Resolve, Fetch, Open, Follow, Pack, Write, Upload} }

// String says what is done, in a user's words: "fetching".
func (s Stage) String() string {
	switch s {
	case Resolve:
		return "resolving"
	case Fetch:
		return "fetching"
	case Open:
		return "opening"
	case Follow:
		return "following"
	case Pack:
		return "packing"
	case Write:
		return "writing"
	case Upload:
		return "uploading"
	}
	return "unknown stage"
}

// A Listener receives the progress of a command. Its methods are safe for
// concurrent use.
type Listener interface {
	// Note reports a detail that a user asks for with -v.
	Note(text string)
	// Warn reports what every user should see: something was decided or left
	// out that they might not expect.
	Warn(text string)
	// Step reports that a long step begins. thing is what it works on, such as
	// "nginx 1.22.1", or "" for the sum of the steps under way in the stage;
	// total is the expected number of bytes, or 0 if it is not known. The caller
	// must call Done on the result, also when the step fails.
	Step(stage Stage, thing string, total int64) Step
}

// A Step is one long piece of work under way.
type Step interface {
	// Advance reports that n more bytes are done.
	Advance(n int64)
	// Done reports that the step is over.
	Done()
}

// Reader returns a reader that reports to a step how far r is read.
func Reader(r io.Reader, s Step) io.Reader { return advancing{r, s} }

type advancing struct {
	io.Reader
	step Step
}

// Read reads on and reports it.
func (a advancing) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.step.Advance(int64(n))
	return n, err
}

// Silent is a Listener that ignores everything.
type Silent struct{}

var _ Listener = Silent{}

// Note does nothing.
func (Silent) Note(string) {}

// Warn does nothing.
func (Silent) Warn(string) {}

// Step returns a Step that does nothing.
func (Silent) Step(Stage, string, int64) Step { return silentStep{} }

type silentStep struct{}

func (silentStep) Advance(int64) {}
func (silentStep) Done()         {}
