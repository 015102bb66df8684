package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro"
	"smith/internal/oci/image"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

// A launch is how a container of the image is started, and what the image is
// for: evidence that the closure starts from. It is worked out from the spec,
// then from the images below, then from what the packages say of themselves.
type launch struct {
	config image.ContainerConfig
	user   smithfile.User
	// roots are the files of the packages asked for, where the spec names
	// none.
	roots []closure.Root
	// groups are further groups of the user.
	groups []string
	// warnings are what a user should know of how this was worked out.
	warnings []string
}

// launchOf works out how a container of the image is started.
func launchOf(ctx context.Context, r Request, from *offered) (launch, error) {
	l := launch{config: containerConfig(r.Spec, from.pkg.Image, from.parent.Image), groups: r.Spec.Groups}
	var err error
	if l.user, err = user(r.Spec, from.parent.Image, from.parent.Tree); err != nil {
		return l, err
	}
	l.config.User = fmt.Sprintf("%d:%d", l.user.UID, l.user.GID)
	return l.ofPackages(ctx, r, from)
}

// program is what a container runs by default, and its arguments.
func (l launch) program() []string { return image.Program(l.config.ImageConfig) }

// mounts are the directories that are filled when a container starts.
func (l launch) mounts() []string { return slices.Sorted(maps.Keys(l.config.Volumes)) }

// ofPackages makes the image hold the files of the packages asked for, where
// the spec names no file and no program: package: nginx is an image of nginx.
// A cmd that begins with an option is the arguments of the program found.
func (l launch) ofPackages(ctx context.Context, r Request, from *offered) (launch, error) {
	if from.pkg.Packages == nil || len(r.Spec.Paths) > 0 || len(l.program()) > 0 && !strings.HasPrefix(l.program()[0], "-") {
		return l, nil
	}
	paths, err := distro.Own(ctx, from.pkg.Packages)
	if err != nil {
		return l, err
	}
	for _, p := range paths {
		l.roots = append(l.roots, closure.Root{Pattern: tree.Literal(p), Part: true, Detail: "of the package in " + r.place("packages", 0)})
	}
	programs := mainPrograms(from.pkg.Tree, r.Spec.Packages, paths)
	if len(programs) == 1 {
		l.config.Entrypoint = programs
	} else {
		l.warnings = append(l.warnings, noProgram(programs))
	}
	return l, nil
}

// inheritsProgram reports whether the program comes from a base image while
// the spec asks for other files: the default of a whole distribution, say, is a
// shell.
func (l launch) inheritsProgram(s *smithfile.Spec) bool {
	return len(s.Entrypoint)+len(s.Cmd) == 0 && len(s.Paths) > 0
}

// withoutForeignProgram drops a base image's default program where the image
// does not hold it, with a warning.
func (l launch) withoutForeignProgram(s *smithfile.Spec, selected, parent *tree.Tree) (launch, []string) {
	if !l.inheritsProgram(s) || len(l.program()) == 0 {
		return l, nil
	}
	name := l.program()[0]
	for _, t := range []*tree.Tree{selected, parent} {
		if t != nil && closure.Program(t, l.config.Env, l.config.WorkingDir, name) != "" {
			return l, nil
		}
	}
	l.config.Entrypoint, l.config.Cmd = nil, nil
	return l, []string{name + ", which the base image runs, is not in the image: it has no entry point; name one with the key entrypoint"}
}
