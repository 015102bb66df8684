package pipeline

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// mainPrograms returns the programs among the paths of the packages asked for
// that may be the one to run: exactly one where that is clear. The program
// that has a package's name is, or that name's first word, as apache2 of
// apache2-bin, or the only one that is not a link to another.
func mainPrograms(t *tree.Tree, requests, paths []string) []string {
	programs := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !isProgram(t, p) })
	if p := namesake(requests, programs); p != "" {
		programs = []string{p}
	}
	return withoutAliases(t, programs)
}

// namesake returns the program that bears the name of one of the packages asked
// for, or its first word, else "".
func namesake(requests, programs []string) string {
	for _, request := range requests {
		name := packageName(request)
		first, _, _ := strings.Cut(name, "-")
		for _, want := range []string{name, first} {
			for _, p := range programs {
				if path.Base(p) == want {
					return p
				}
			}
		}
	}
	return ""
}

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

// withoutAliases leaves out the programs that are links to others of them.
func withoutAliases(t *tree.Tree, programs []string) []string {
	return slices.DeleteFunc(slices.Clone(programs), func(p string) bool {
		at, err := t.Resolve(p)
		return err == nil && at.Path() != p && slices.Contains(programs, at.Path())
	})
}

// isProgram says whether a path is a program that is meant to be called.
func isProgram(t *tree.Tree, name string) bool {
	if base := path.Base(path.Dir(name)); base != "bin" && base != "sbin" {
		return false
	}
	at, err := t.Resolve(name)
	return err == nil && at.Node.Executable()
}

// packageName returns the name in a request for a package: without version,
// architecture, suite, folder and suffix.
func packageName(request string) string {
	name := path.Base(strings.TrimSuffix(strings.TrimSuffix(request, ".deb"), ".rpm"))
	if !strings.HasPrefix(request, ".") && !strings.HasPrefix(request, "/") {
		name, _, _ = strings.Cut(request, "/")
	}
	if i := strings.IndexAny(name, "=:_"); i > 0 {
		name = name[:i]
	}
	return name
}
