package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"

	"smith/internal/closure"
	"smith/internal/event"
	"smith/internal/tree"
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

// parts tells the problems that files of a package have for which nobody asks,
// by their patterns, from the others.
func parts(in closure.Input, problems []closure.Problem) (lacking map[string]*closure.Problem, rest []closure.Problem) {
	lacking = map[string]*closure.Problem{}
	for _, p := range problems {
		pattern := tree.Literal(p.Root)
		if leaves(in, p.Root, pattern) {
			lacking[pattern] = &p
		} else {
			rest = append(rest, p)
		}
	}
	return lacking, rest
}

// leaves says whether a root can be left out: a file of a package that is not
// the program to be run.
func leaves(in closure.Input, root, pattern string) bool {
	if root == "" || !slices.ContainsFunc(in.Roots, func(r closure.Root) bool { return r.Part && r.Pattern == pattern }) {
		return false
	}
	at, err := in.Source.Resolve(root)
	return err == nil && at.Node.Kind == tree.File && !slices.Contains(in.Entrypoint[:min(1, len(in.Entrypoint))], root)
}

// mostLeftOut is how many files that are left out a warning names.
const mostLeftOut = 3

// leftOut tells what is left out, by what it lacks.
func leftOut(lacking map[string]*closure.Problem) []string {
	byWhy := map[[2]string][]string{}
	for _, pattern := range slices.Sorted(maps.Keys(lacking)) {
		p := lacking[pattern]
		why := [2]string{"for want of " + p.Name, "add the package that has it to packages"}
		if p.Name == p.From {
			why = [2]string{"for others may not read it", "name it in paths"}
		}
		byWhy[why] = append(byWhy[why], p.Root)
	}
	var texts []string
	for why, names := range byWhy {
		texts = append(texts, "left out of what the package holds, "+why[0]+": "+enumerate(names, mostLeftOut)+"; to keep that, "+why[1])
	}
	slices.Sort(texts)
	return texts
}
