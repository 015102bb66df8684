package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"

	"smith/internal/closure"
	"smith/internal/enumerate"
	"smith/internal/event"
	"smith/internal/tree"
	"smith/record"
)

// selectParts selects the files of the new layer. A file of a package that the
// spec does not name may lack something that the package only recommends: a
// script its interpreter, a module its library. Such a file is left out with a
// warning, rather than failing the build of the program.
func selectParts(ctx context.Context, in closure.Input) (*closure.Selection, error) {
	dropped := map[string]*closure.Problem{}
	for {
		events := &deferred{Listener: in.Events}
		try := in
		try.Events = events
		selection, err := closure.Select(ctx, try)
		var incomplete *closure.IncompleteError
		if !errors.As(err, &incomplete) {
			events.deliver()
			return without(dropped, selection, in.Events), err
		}
		lacking, rest := parts(in, incomplete.Problems)
		if len(rest) > 0 || len(lacking) == 0 {
			events.deliver()
			return nil, &closure.IncompleteError{Problems: rest}
		}
		in.Roots = slices.DeleteFunc(slices.Clone(in.Roots), func(r closure.Root) bool { return r.Part && lacking[r.Pattern] != nil })
		for pattern, p := range lacking {
			if isHidden(in, *p) && !slices.Contains(in.Excludes, pattern) {
				in.Excludes = append(slices.Clone(in.Excludes), pattern)
			}
		}
		maps.Copy(dropped, lacking)
	}
}

// without warns of what a selection does not hold.
func without(dropped map[string]*closure.Problem, selection *closure.Selection, events event.Listener) *closure.Selection {
	if selection == nil || len(dropped) == 0 {
		return selection
	}
	warnings := leftOut(dropped)
	for _, w := range warnings {
		events.Warn(w)
	}
	selection.Warnings = slices.Sorted(slices.Values(append(selection.Warnings, warnings...)))
	return selection
}

// parts separates the problems of files that the spec does not name, by their
// patterns, from the others.
func parts(in closure.Input, problems []closure.Problem) (lacking map[string]*closure.Problem, rest []closure.Problem) {
	lacking = map[string]*closure.Problem{}
	for _, p := range problems {
		pattern := tree.Literal(p.Root)
		if leaves(in, p.Root, pattern) || isHidden(in, p) {
			lacking[pattern] = &p
		} else {
			rest = append(rest, p)
		}
	}
	return lacking, rest
}

// leaves reports whether a root can be left out: a file of a package that is not
// the program to be run.
func leaves(in closure.Input, root, pattern string) bool {
	if root == "" || !slices.ContainsFunc(in.Roots, func(r closure.Root) bool { return r.Part && r.Pattern == pattern }) {
		return false
	}
	at, err := in.Source.Resolve(root)
	return err == nil && at.Node.Kind == tree.File && !slices.Contains(in.Entrypoint[:min(1, len(in.Entrypoint))], root)
}

// isHidden reports whether a problem is about a file of a package that is not
// world-readable and that only a glob or a directory of the spec's paths asks
// for: httpd's suexec has mode 0510. Such a file of this machine, or of an image,
// may be a secret, which an image without it must not pass over.
func isHidden(in closure.Input, p closure.Problem) bool {
	if p.Name != p.From || p.Root != p.Name || in.Source == nil {
		return false
	}
	at, err := in.Source.Lookup(p.Name)
	return err == nil && at.Node.Origin != nil && at.Node.Origin.Kind == record.KindPackage
}

// mostLeftOut is how many files that are left out a warning names.
const mostLeftOut = 3

// leftOut says what is left out, by what it lacks.
func leftOut(lacking map[string]*closure.Problem) []string {
	byWhy := map[string][]string{}
	for _, pattern := range slices.Sorted(maps.Keys(lacking)) {
		p := lacking[pattern]
		why := "it needs " + p.Name + ", which is not in the image (add the package that holds it to packages)"
		if p.Name == p.From {
			why = "it is not world-readable (list it under paths to keep it)"
		}
		byWhy[why] = append(byWhy[why], p.Root)
	}
	var texts []string
	for why, names := range byWhy {
		texts = append(texts, "skipped "+enumerate.Brief(names, mostLeftOut)+" from the package: "+why)
	}
	slices.Sort(texts)
	return texts
}
