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
	// Near are paths on offer that may be meant instead.
	Near []string
	// Remedy says what would help, such as which packages hold the path.
	Remedy string
	// Searched are the places that were looked at.
	Searched []string
}

// String describes the problem in one line: the chain, the name, what is wrong,
// what would help, and the places searched.
func (p Problem) String() string {
	text := p.detail()
	if len(p.Chain) == 0 {
		return text
	}
	return strings.Join(p.Chain, " → ") + " → " + p.Name + ": " + text
}

// finding returns what the record keeps of an accepted problem.
func (p Problem) finding() record.Finding {
	return record.Finding{Name: p.Name, From: p.From, Detail: p.detail()}
}

// detail says what is wrong, what may be meant or would help, and what was
// searched.
func (p Problem) detail() string {
	text := p.Text + didYouMean(p.Near)
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	if len(p.Searched) > 0 {
		text += "; searched " + strings.Join(p.Searched, ", ")
	}
	return text
}

// didYouMean returns the end of a sentence that suggests paths, "" for none.
func didYouMean(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(paths, ", ") + "?"
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
