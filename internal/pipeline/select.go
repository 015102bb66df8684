package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"smith/internal/closure"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/program"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// chosen is what the second stage returns.
type chosen struct {
	// launch is how the image is started, as the selection allows it.
	launch launch
	// selection is the files to keep and why, debug information included where
	// it goes into the image itself.
	selection *closure.Selection
	// pkg is what the packages offered in the end: more than at first, if the
	// image lacked something without it.
	pkg *source.Offer
	// inputs are what the selected files may come from, beside the parent.
	inputs []record.Input
	// dependencies are what became of the dependencies of the packages.
	dependencies []record.Dependency
	// created is the newest date that the inputs carry, or zero.
	created time.Time
	// debug is the debug information of the selection, nil where the spec does
	// not ask for it.
	debug *debugging
}

// choose selects the files of the new layer: evidence of how the image is used
// gives the roots, the closure works out what they need, and the steps of
// rounds may add roots to that until none of them does.
func (b *Builder) choose(ctx context.Context, open *closers, r Request, from *offered) (*chosen, error) {
	l, err := launchOf(ctx, r, from)
	if err != nil {
		return nil, err
	}
	b.warn(l.warnings)
	for _, note := range l.notes {
		b.Events.Note(note)
	}
	step := b.Events.Step(event.Follow, "dependencies of "+goal(r, l), 0)
	done, err := b.rounds(ctx, open, r, from, l)
	step.Done()
	selection, pkg := done.selection, done.pkg
	if err != nil {
		return nil, b.suggest(ctx, pkg, err)
	}
	c := &chosen{selection: selection, pkg: pkg, inputs: pkg.Inputs, dependencies: done.discharge.recorded()}
	if c.debug, err = b.findDebug(ctx, open, r, from, c); err != nil {
		return nil, err
	}
	if err := c.addDebug(r); err != nil {
		return nil, err
	}
	if c.created, err = newest(selection.Tree, pkg.Created, from.parent.Created); err != nil {
		return nil, err
	}
	var dropped []string
	c.launch, dropped = l.withoutForeignProgram(r.Spec, selection.Tree, from.parent.Tree)
	if c.launch, err = c.launch.withSystem(r, pkg, selection); err != nil {
		return nil, err
	}
	b.warn(dropped)
	if empty, err := isEmpty(selection.Tree); err != nil {
		return nil, err
	} else if empty && from.parent.Image == nil {
		b.Events.Warn(r.SpecName + " asks for no file: name files with paths, or a program with entrypoint")
	}
	return c, nil
}

// A round looks at what the closure selected so far and returns roots that
// must be selected as well, each with its reason; none where it asks for
// nothing more. It must not ask for a root twice.
type round func(ctx context.Context, in closure.Input, selected *closure.Selection) ([]closure.Root, error)

// roundsOf returns the rounds of a build, in order.
func roundsOf(pkg *source.Offer, d *dependencies) []round {
	if d == nil || pkg.Packages == nil {
		return nil
	}
	return []round{d.round(pkg)}
}

// maxRounds bounds how often the closure selects again.
const maxRounds = 100

// settled is what rounds ended with.
type settled struct {
	selection *closure.Selection
	pkg       *source.Offer // what the packages offered in the end
	discharge *dependencies
}

// rounds selects until no round asks for another root, and leaves out programs
// that the entry point does not need. The packages' offer is returned with an
// error too.
func (b *Builder) rounds(ctx context.Context, open *closers, r Request, from *offered, l launch) (settled, error) {
	in := closureInput(r, from, l, b.Events)
	done := settled{pkg: from.pkg, discharge: dependenciesOf(r, l)}
	var left spared
	system := newConfiguring(l)
	for i := range maxRounds {
		events := &deferred{Listener: b.Events}
		in.Events = events
		selection, more, err := selectFrom(ctx, open, in, done.pkg, system)
		done.pkg = more
		if err != nil {
			events.deliver()
			return done, err
		}
		in.Source, in.Ahead = more.Tree, more.Ahead()
		if i == 0 {
			if left, err = spare(ctx, r, in, selection, more.Packages, l.standIns); err != nil {
				return done, err
			}
			if len(left.patterns) > 0 {
				in.Roots = left.without(in.Roots)
				done.discharge.refuse(left.patterns)
				continue
			}
		}
		more, added, err := system.round(more, selection)
		if err != nil {
			return done, err
		}
		done.pkg, in.Source = more, more.Tree
		for _, next := range roundsOf(more, done.discharge) {
			roots, err := next(ctx, in, selection)
			if err != nil {
				return done, err
			}
			added = append(added, roots...)
		}
		if len(added) == 0 {
			events.deliver()
			done.selection = left.tell(selection, b.Events)
			return done, nil
		}
		in.Roots = slices.Concat(in.Roots, added)
	}
	return done, errors.New("the selection does not settle: its dependencies ask for further files each time")
}

// closureInput is what the closure starts from.
func closureInput(r Request, from *offered, l launch, events event.Listener) closure.Input {
	s := r.Spec
	in := closure.Input{
		Source: from.pkg.Tree, Parent: from.parent.Tree, Overlay: from.overlay,
		Excludes: s.Excludes, AllowMissing: s.AllowMissing,
		Env: l.config.Env, Dir: l.config.WorkingDir, Entrypoint: l.program(), Mounts: l.mounts(),
		Platform: from.platform, NSS: namesUsers(r, l), Dlopen: s.Dlopen, Interpreters: s.Interpreters,
		Bundles: s.Bundles, Gconv: s.Gconv, AllHwcaps: s.Hwcaps == "all", Memory: &closure.Memory{}, Ahead: from.pkg.Ahead(), Events: events,
	}
	if program := l.config.Healthcheck.Program(); program != "" && (s.Healthcheck != nil || len(s.Paths) == 0) {
		in.Commands = []closure.Command{{Name: program, Detail: "health check"}}
	}
	if l.inheritsProgram(s) {
		in.Entrypoint = nil // wanted only if the paths bring it
	}
	for i, pattern := range s.Paths {
		in.Roots = append(in.Roots, closure.Root{Pattern: pattern, Detail: "path in " + r.place("paths", i)})
	}
	in.Roots = append(in.Roots, l.roots...)
	return in
}

// newest returns the newest of some dates and of the kept files of packages.
// Those follow from the packages alone, not from when a repository was made.
func newest(files *tree.Tree, dates ...time.Time) (time.Time, error) {
	latest := slices.MaxFunc(dates, time.Time.Compare)
	err := files.Walk(func(n *tree.Node) error {
		if n.Origin != nil && n.Origin.Kind == record.KindPackage && n.ModTime.After(latest) {
			latest = n.ModTime
		}
		return nil
	})
	return latest, err
}

// isEmpty reports whether a tree holds nothing but directories.
func isEmpty(t *tree.Tree) (bool, error) {
	found := errors.New("found")
	err := t.Walk(func(n *tree.Node) error {
		if n.Kind != tree.Dir {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return false, nil
	}
	return err == nil, err
}

// goal names what the files are selected for.
func goal(r Request, l launch) string {
	switch program, paths := l.program(), r.Spec.Paths; {
	case len(program) > 0:
		return strings.Join(program, " ")
	case len(paths) > 1:
		return paths[0] + " and more"
	case len(paths) == 1:
		return paths[0]
	}
	return "what the packages hold"
}

// namesUsers reports whether the image gets an /etc/passwd.
func namesUsers(r Request, l launch) bool {
	return r.Spec.NSS || l.user.Named || len(l.groups) > 0 || l.others != nil && !l.others.Empty()
}

func (b *Builder) warn(texts []string) {
	for _, text := range texts {
		b.Events.Warn(text)
	}
}

// programOf returns the path of the program that an image runs, "" where the
// files do not hold it.
func programOf(files *tree.Tree, config image.ContainerConfig) string {
	words := image.Program(config.ImageConfig)
	if len(words) == 0 {
		return ""
	}
	return program.Existing(files, config.Env, config.WorkingDir, words[0])
}
