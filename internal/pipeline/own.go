package pipeline

import (
	"fmt"
	"path"
	"strings"
)

// mostPrograms is how many programs of a package a warning names.
const mostPrograms = 6

// noProgram tells that none of a package's programs is clearly the one to run.
func noProgram(programs []string) string {
	const remedy = "the image has no entry point: name the program with the key entrypoint"
	if len(programs) == 0 {
		return remedy
	}
	var names []string
	for _, p := range programs {
		names = append(names, path.Base(p))
	}
	return remedy + ", such as " + programs[0] + " (the package has " + enumerate(names, mostPrograms) + ")"
}

// enumerate names the first of some things and counts the rest.
func enumerate(names []string, most int) string {
	text := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(", %d more", more)
	}
	return text
}
