package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro"
	"smith/internal/distro/accounts"
	"smith/internal/distro/service"
	"smith/internal/oci/image"
	"smith/internal/program"
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
	// guessed reports whether the entry point is that of the packages, though the
	// spec names paths.
	guessed bool
	// standIns are the digests of the packages that a metapackage stands for.
	standIns map[string]bool
	// groups are further groups of the user.
	groups []string
	// server is how the packages start their server, nil where they have none.
	server *service.Service
	// others are the accounts of the packages; nil where there are none.
	others *accounts.Set
	// directories are those that the server writes to, beside the volumes, and
	// links the symlinks that it writes its logs through.
	directories []string
	links       map[string]string
	// notes are what a user may know with -v of how this was worked out.
	notes []string
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
	l, err = l.ofPackages(ctx, r, from)
	l.config.User = fmt.Sprintf("%d:%d", l.user.UID, l.user.GID)
	return l, err
}

// program is what a container runs by default, and its arguments.
func (l launch) program() []string { return image.Program(l.config.ImageConfig) }

// mounts are the directories that are filled when a container starts.
func (l launch) mounts() []string { return slices.Sorted(maps.Keys(l.config.Volumes)) }

// ofPackages makes the image hold the files of the packages asked for, where
// the spec names no paths: package: nginx is an image of nginx. Where neither
// the spec nor a base image says what is run, the packages do; a cmd that begins
// with an option is the arguments of that program.
func (l launch) ofPackages(ctx context.Context, r Request, from *offered) (launch, error) {
	named := len(l.program()) > 0 && !strings.HasPrefix(l.program()[0], "-")
	byPaths := len(r.Spec.Paths) > 0
	if from.pkg.Packages == nil || byPaths && named {
		return l, nil
	}
	held, err := distro.Own(ctx, from.pkg.Packages)
	if err != nil {
		return l, err
	}
	if byPaths {
		// Whether the paths bring the program is known when they are selected.
		if programs := distro.Main(held, nil); len(programs) == 1 {
			l.config.Entrypoint, l.guessed = programs, true
		}
		return l, nil
	}
	l.standIns = map[string]bool{}
	for _, h := range held {
		if h.Own() && !h.Asked {
			l.standIns[h.Digest] = true
		}
		detail := "of package " + h.Name + " in " + h.Where
		if !h.Own() {
			detail = "of package " + h.Name + ", a part of " + h.For.Name + " in " + h.For.Where
		}
		for _, p := range h.Files {
			l.roots = append(l.roots, closure.Root{Pattern: tree.Literal(p), Part: true, Detail: detail})
		}
	}
	if served, err := l.serve(ctx, r, from, named); err != nil {
		return l, err
	} else if !named && !served {
		programs := distro.Main(held, from.pkg.Tree)
		if len(programs) != 1 {
			l.warnings = append(l.warnings, noProgram(programs))
			return l, nil
		}
		l.config.Entrypoint = programs
	}
	return l.besideProgram(from, held), nil
}

// besideProgram adds the programs beside the entry point where that is of a
// package which only belongs to the one asked for, as the tools that set up
// MariaDB's data lie beside the server in mariadb-server-core.
func (l launch) besideProgram(from *offered, held []distro.Holding) launch {
	program := program.Existing(from.pkg.Tree, l.config.Env, l.config.WorkingDir, l.program()[0])
	for _, h := range held {
		if h.Own() || !slices.Contains(h.Programs, program) {
			continue
		}
		for _, p := range h.Programs {
			l.roots = append(l.roots, closure.Root{Pattern: tree.Literal(p), Part: true, Detail: "beside the entry point, of package " + h.Name})
		}
	}
	return l
}

// inheritsProgram reports whether the program is wanted only if the paths of the
// spec bring it: that of a base image, whose default may be a shell, or that of
// the packages.
func (l launch) inheritsProgram(s *smithfile.Spec) bool {
	return len(s.Paths) > 0 && (l.guessed || len(s.Entrypoint)+len(s.Cmd) == 0)
}

// withoutForeignProgram drops a base image's default program where the image
// does not hold it, with a warning.
func (l launch) withoutForeignProgram(s *smithfile.Spec, selected, parent *tree.Tree) (launch, []string) {
	if !l.inheritsProgram(s) || len(l.program()) == 0 {
		return l, nil
	}
	name := l.program()[0]
	for _, t := range []*tree.Tree{selected, parent} {
		if t != nil && program.Existing(t, l.config.Env, l.config.WorkingDir, name) != "" {
			return l, nil
		}
	}
	l.config.Entrypoint = nil
	if l.guessed {
		return l, nil
	}
	l.config.Cmd = nil
	return l, []string{name + ", which the base image runs, is not in the image: it has no entry point; name one with the key entrypoint"}
}
