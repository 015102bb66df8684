package build

import (
	"path"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/tree"
)

// takeOwn makes an image of packages hold what they hold themselves, where the
// spec names no file and no program: package: nginx is an image of nginx. The
// program that bears a package's name becomes the entry point, or the only one.
func (j *job) takeOwn() error {
	if j.pkg.Own == nil || len(j.Spec.Paths)+len(j.program()) > 0 {
		return nil
	}
	paths, err := j.pkg.Own()
	if err != nil {
		return err
	}
	for _, p := range paths {
		j.own = append(j.own, closure.Root{Pattern: tree.Literal(p), Part: true, Detail: "of the package in " + j.place("packages", 0)})
	}
	programs := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !isProgram(j.pkg.Tree, p) })
	for _, name := range j.Spec.Packages {
		for _, p := range programs {
			if path.Base(p) == packageName(name) {
				j.config.Entrypoint = []string{p}
				return nil
			}
		}
	}
	if len(programs) == 1 {
		j.config.Entrypoint = programs
	}
	return nil
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
