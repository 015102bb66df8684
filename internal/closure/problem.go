package closure

import (
	"fmt"
	"strings"

	"smith/record"
)

// A Problem is something that an image lacks.
type Problem struct {
	// Name is what is missing: a soname, a path, a program, a symbol version.
	Name string
	// From is the path of the file that asks for it, "" where the spec does.
	From string
	// Chain is what led to From, the root first.
	Chain []string
	// Root is the path at which the chain begins, "" where there is none.
	Root string
	// Text says what is wrong with it.
	Text string
	// runs is set where the image runs the program itself: excludes do not
	// accept that it is missing.
	runs bool
	// Searched are the places that were looked at.
	Searched []string
}

// String tells the problem in one line: the chain, the name, what is wrong,
// and the places searched.
func (p Problem) String() string {
	text := p.Text
	if len(p.Searched) > 0 {
		text += "; searched " + strings.Join(p.Searched, ", ")
	}
	if len(p.Chain) == 0 {
		return text
	}
	return strings.Join(p.Chain, " → ") + " → " + p.Name + ": " + text
}

// finding returns what the record keeps of an accepted problem.
func (p Problem) finding() record.Finding {
	detail := p.Text
	if len(p.Searched) > 0 {
		detail += "; searched " + strings.Join(p.Searched, ", ")
	}
	return record.Finding{Name: p.Name, From: p.From, Detail: detail}
}

// An IncompleteError says that the image would lack something that its files
// need.
type IncompleteError struct {
	// Problems are all that were found, sorted.
	Problems []Problem
}

// Error returns one line for one problem, else a line for each.
func (e *IncompleteError) Error() string {
	if len(e.Problems) == 1 {
		return "the image would not be complete: " + e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the image would not be complete, for %d reasons:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}
