package archive

import "os"

// earlyStep is how many bytes are written before the system is told to begin.
const earlyStep = 8 << 20

// An early file asks the system to bring to the disk what is written as it
// comes. Otherwise all of it would wait for the Sync at the end, and the disk
// would idle before.
type early struct {
	*os.File
	written, begun int64
}

// Write is io.Writer's.
func (e *early) Write(p []byte) (int, error) {
	n, err := e.File.Write(p)
	if e.written += int64(n); e.written-e.begun >= earlyStep {
		beginWriting(e.File, e.begun, e.written-e.begun)
		e.begun = e.written
	}
	return n, err
}
