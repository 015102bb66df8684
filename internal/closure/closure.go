// Package closure works out which files a program needs, from the files' bytes
// alone: roots → Selection. It is a worklist and a set of rules, each a small
// file: a rule looks at one kept file (or at all that is kept) and names
// further paths, each with the reason why. When no rule names a new one, the
// finished tree is checked (Check), and anything that does not resolve inside
// it refuses the build.
//
// The package knows no package formats and no image formats; package loader
// knows how the dynamic linkers search.
package closure

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/tree"
	"smith/record"
)

// An Input is what a selection is made from. Only Source, Parent or Overlay
// must be there; the zero value of everything else works.
type Input struct {
	// Source holds the files on offer; nil where there are none.
	Source *tree.Tree
	// Parent holds what the layers below the new one hold, or nil. What is in
	// it is used and not repeated.
	Parent *tree.Tree
	// Overlay is rootfs/ without its .gitignore files, or nil. Everything in it
	// is kept, and what its files need comes from the source.
	Overlay *tree.Tree

	// Roots are what the image is for, beside the program that Entrypoint
	// names.
	Roots []Root
	// Excludes are globs of what is left out even where something needs it; a
	// folder goes with all under it. The overlay's files are not left out.
	Excludes []string
	// AllowMissing names sonames, paths, programs or symbol versions that may
	// be missing: literally or as a glob.
	AllowMissing []string

	// Env is the image's environment, "NAME=value" each.
	Env []string
	// Dir is the folder in which the program is started, "" for "/".
	Dir string
	// Entrypoint is the program to be run and its arguments. A name without a
	// slash is looked for in PATH.
	Entrypoint []string
	// Commands are further programs that must run in the image.
	Commands []Command
	// Mounts are folders that are filled when a container starts.
	Mounts []string
	// Platform is the image's. Without an architecture, none is required.
	Platform ocispec.Platform

	// NSS says that the image gets an nsswitch.conf where it has none.
	NSS bool
	// Dlopen is the lowest priority of dlopen notes that are kept: "required",
	// "recommended" (also "") or "suggested".
	Dlopen string
	// Interpreters says how much of its standard library an interpreter
	// brings: "none", "minimal" (what it needs to start) or "full" (also "").
	Interpreters string
	// Bundles are data that programs expect, by the names in the table bundles.
	Bundles []string
	// Gconv are the charsets that iconv(3) must know beside the built-in ones.
	Gconv []string
	// AllHwcaps keeps the variants of libraries for newer processors.
	AllHwcaps bool

	// Depends reports whether the package that a file is of calls for the one
	// that another is of, through others too; nil where the source knows of no
	// packages. It is called from several goroutines.
	Depends func(of, on *record.Origin) bool
	// Holds returns the paths of what the package of a file holds; nil where the
	// source knows of no packages.
	Holds func(ctx context.Context, of *record.Origin) ([]string, error)
	// Ahead hears of libraries of the source that will be looked for, from
	// several goroutines; nil for nobody.
	Ahead func(names []string)
	// Events hears of notes and warnings; nil for nobody.
	Events event.Listener

	// Memory is shared by the selections of one build; nil for none.
	Memory *Memory

	// lacking are files that are left out of what stays together, by what they
	// lack: see lackingError.
	lacking map[string]string
}

// A Command is a program that the image runs.
type Command struct {
	// Name is its path, or a name without a slash, which is looked for in PATH.
	Name string
	// Detail says in words what runs it: "entry point".
	Detail string
}

// commands returns all programs of an image, the entry point first.
func commands(entrypoint []string, further []Command) []Command {
	if len(entrypoint) == 0 {
		return further
	}
	return append([]Command{{Name: entrypoint[0], Detail: "entry point"}}, further...)
}

// A Root is a glob over the files, which are kept; a folder is kept with all
// under it.
type Root struct {
	Pattern string
	// Detail tells a reader where the root was asked for: "path in
	// smith.yaml:4".
	Detail string
	// Rule is the rule that asks for it, "" for path: smith.yaml does.
	Rule record.Rule
	// Part says that nobody asks for this very path: it is kept as what lies
	// in a folder is that is asked for.
	Part bool
}

// A Selection is the files of a new layer and why they are there.
type Selection struct {
	// Tree holds exactly the files to be written in the new layer and the
	// folders on the way, as the inputs have them: modes, owners and times are
	// not normalised.
	Tree *tree.Tree
	// Files are the reasons by path for everything in Tree, the one found
	// first comes first.
	Files map[string][]record.Reason
	// Excluded is what something needs and Excludes left out, Allowed what is
	// missing and AllowMissing accepts, Suspects what looks as if a kept file
	// might load it.
	Excluded, Allowed, Suspects []record.Finding
	// Commands are what shell scripts run and nothing on offer has; Suspects have
	// them too.
	Commands []record.Finding
	// Unneeded are the names in AllowMissing that accepted nothing. A caller
	// who selects for several platforms warns of those that no platform needs.
	Unneeded []string
	// Warnings are sorted, and Events has heard them.
	Warnings []string
}

// Select works out what an image of the roots must hold, and checks that it is
// complete. The result does not depend on the order of any list in the input.
// Where the image would not be complete, the error is an *IncompleteError.
func Select(ctx context.Context, in Input) (*Selection, error) {
	in.lacking = map[string]string{}
	for {
		selection, err := attempt(ctx, in)
		var again *lackingError
		if !errors.As(err, &again) {
			return selection, err
		}
		maps.Copy(in.lacking, again.lacking) // at least one more each time
	}
}

// attempt makes one selection.
func attempt(ctx context.Context, in Input) (*Selection, error) {
	s, err := begin(ctx, in)
	if err != nil {
		return nil, err
	}
	// A mistyped path is known from lists: nothing is fetched for it.
	if problems := s.unmatched(); len(problems) > 0 {
		return nil, &IncompleteError{problems}
	}
	if err := s.work(ctx); err != nil {
		return nil, err
	}
	if err := s.suspectNames(ctx); err != nil {
		return nil, err
	}
	return s.finish(ctx)
}

// Reasons works out what the roots of a finished image need, as Select does,
// and returns why by path. Nothing is checked: what is missing is passed over.
func Reasons(ctx context.Context, in Input) (map[string][]record.Reason, error) {
	s, err := begin(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.work(ctx); err != nil {
		return nil, err
	}
	return s.allReasons(), nil
}

// begin keeps the roots of an input.
func begin(ctx context.Context, in Input) (*selector, error) {
	in.Roots = slices.SortedFunc(slices.Values(in.Roots), func(a, b Root) int {
		return strings.Compare(a.Pattern+"\x00"+a.Detail, b.Pattern+"\x00"+b.Detail)
	})
	if in.Events == nil {
		in.Events = event.Silent{}
	}
	s, err := newSelector(ctx, in)
	if err != nil {
		return nil, err
	}
	return s, s.roots()
}
