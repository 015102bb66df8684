package pipeline

import (
	"path"

	"smith/internal/enumerate"
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
	return remedy + ", such as " + programs[0] + " (the package has " + enumerate.Brief(names, mostPrograms) + ")"
}
