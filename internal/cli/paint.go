package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// paint gives words a colour, or leaves them as they are: true is colours.
type paint bool

// painted reports whether what is written to out may have colours: on a terminal,
// unless NO_COLOR is set (no-color.org) or the terminal has none.
func painted(out io.Writer) paint {
	return paint(os.Getenv("NO_COLOR") == "" && isScreen(out))
}

// isScreen reports whether an output is a terminal that can be drawn on.
func isScreen(out io.Writer) bool {
	file, ok := raw(out).(*os.File)
	return ok && isTerminal(file) && understands(file)
}

// isTerminal reports whether an output is a terminal.
func isTerminal(out io.Writer) bool {
	file, ok := raw(out).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Colours by their numbers (ECMA-48, SGR).
func (p paint) good(text string) string    { return p.sgr("32", text) }
func (p paint) bad(text string) string     { return p.sgr("31", text) }
func (p paint) warning(text string) string { return p.sgr("33", text) }
func (p paint) strong(text string) string  { return p.sgr("1", text) }
func (p paint) quiet(text string) string   { return p.sgr("2", text) }

func (p paint) sgr(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
