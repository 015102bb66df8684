package cli

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// An output is the standard output of a command. It remembers the first write
// that failed, so that a command whose output is lost does not end with success,
// and what goes to a terminal is made safe for it.
type output struct {
	io.Writer
	terminal bool
	err      error
}

func newOutput(w io.Writer) *output { return &output{Writer: w, terminal: isTerminal(w)} }

// Write writes on, and remembers an error.
func (o *output) Write(p []byte) (int, error) {
	text := p
	if o.terminal {
		text = []byte(safeText(string(p)))
	}
	_, err := o.Writer.Write(text)
	if err != nil && o.err == nil {
		o.err = err
	}
	return len(p), err
}

// raw returns the file behind an output, for a program that gets it as its own.
func raw(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.Writer
	}
	return w
}

// columns returns the width of the terminal that an output is, 0 if it is none.
func columns(w io.Writer) int {
	file, ok := raw(w).(*os.File)
	if !ok || !isTerminal(file) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// ours matches the colours of paint, which are all the control sequences that
// smith prints beside its progress.
var ours = regexp.MustCompile(`\x1b\[[0-9]{1,2}m`)

// safeText returns a text in which everything that could control a terminal is
// escaped: names come from packages and images that others made. Line ends, tabs
// and smith's own colours stay.
func safeText(text string) string {
	if !strings.ContainsFunc(text, unsafe) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		if at := ours.FindStringIndex(text); at != nil && at[0] == 0 {
			b.WriteString(text[:at[1]])
			text = text[at[1]:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1, unsafe(r):
			quoted := strconv.Quote(text[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

func unsafe(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) }

// hang is the indent of the summary's values, under which their lines go on.
const hang = 12

// wrapText breaks the value of a row of the summary between words, so that its
// lines take at most so many columns; a width of 0 leaves it as it is.
func wrapText(text string, width int) string {
	const least = 20 // columns for the text itself
	if width < hang+least {
		return text
	}
	var b strings.Builder
	at := hang
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", hang))
			at = hang
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
