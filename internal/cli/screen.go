package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"
)

// widest is how many columns a line of progress takes at most: longer ones are
// hard to read, and more of them would wrap when the window gets narrower.
const widest = 100

// A screen is a terminal that lines of progress are drawn on, over and over.
// Before each drawing the last one is erased, and both are written at once, so
// that nothing flickers. Where the window became narrower meanwhile, terminals
// break the lines that are there; as many rows are erased as they take now.
type screen struct {
	out     io.Writer
	columns func() int

	frame bytes.Buffer
	last  []int // the columns of the lines that stand there
}

var _ mpb.ConsoleWriter = (*screen)(nil)

// newScreen returns the screen of a terminal.
func newScreen(f *os.File) *screen {
	return &screen{out: f, columns: func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 1 {
			return 80
		}
		return width
	}}
}

// width is how many columns a line may take. The last one stays free: what
// stands there moves some terminals to the next row.
func (s *screen) width() int { return min(s.columns()-1, widest) }

// Write adds to the drawing that is being made.
func (s *screen) Write(p []byte) (int, error) { return s.frame.Write(p) }

// ReadFrom adds to the drawing that is being made.
func (s *screen) ReadFrom(r io.Reader) (int64, error) { return s.frame.ReadFrom(r) }

// IsTerminal is what mpb asks before it draws.
func (s *screen) IsTerminal() bool { return true }

// GetTermSize returns the size of the window; its height bounds nothing here,
// for there are five stages.
func (s *screen) GetTermSize() (width, height int, err error) { return s.columns(), 1 << 10, nil }

// Flush puts the drawing in the place of the last one. Its last lines, as many
// as told, will be erased by the next; what stands above them stays.
func (s *screen) Flush(lines int) error {
	text := s.frame.String()
	erase := s.erase()
	s.frame.Reset()
	s.last = nil
	all := strings.SplitAfter(text, "\n")
	all = all[:len(all)-1]
	for _, line := range all[max(0, len(all)-lines):] {
		s.last = append(s.last, visible(line))
	}
	_, err := io.WriteString(s.out, erase+text)
	return err
}

// erase returns what takes the last drawing away: up to the beginning of its
// first row, and everything from there on cleared (ECMA-48, CUU and ED). The
// cursor may have left the first column: a terminal echoes a Ctrl-C.
func (s *screen) erase() string {
	width, rows := s.columns(), 0
	for _, columns := range s.last {
		rows += max(1, (columns+width-1)/width)
	}
	if rows == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", rows)
}

// clear takes the last drawing away for good.
func (s *screen) clear() {
	fmt.Fprint(s.out, s.erase()+s.frame.String())
	s.frame.Reset()
	s.last = nil
}

// visible counts the columns of a line: what paint adds takes none.
func visible(line string) int {
	n, escaped := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escaped = true
		case escaped:
			escaped = r != 'm'
		case r != '\n' && r != utf8.RuneError:
			n++
		}
	}
	return n
}
