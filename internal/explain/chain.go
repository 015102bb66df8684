package explain

import (
	"maps"
	"slices"
	"strings"

	"smith/record"
)

// A Step is one file of a chain and why it is there.
type Step struct {
	File *File
	// Reason is why: that of the root, or what the step before needs.
	Reason record.Reason
}

// A Chain leads from what somebody asked for to a file: each step is needed by
// the one before.
type Chain []Step

// Root returns the first step.
func (c Chain) Root() Step { return c[0] }

// Why returns the shortest chain to a file, nil where none is known. Of
// several equally short ones the first by path and reason is taken.
func (img *Image) Why(f *File) Chain {
	var c Chain
	for at := f; ; {
		reason, reached := img.nearest[at]
		if !reached {
			return nil
		}
		c = append(c, Step{File: at, Reason: reason})
		if reason.From == "" {
			slices.Reverse(c)
			return c
		}
		at = img.File(reason.From)
	}
}

// All returns, for every reason of a file, the shortest chain that ends with
// it, the shortest first. A reason that only the file itself leads to is left
// out.
func (img *Image) All(f *File) []Chain {
	var chains []Chain
	for _, r := range f.Reasons {
		last := Step{File: f, Reason: r}
		if r.From == "" {
			chains = append(chains, Chain{last})
			continue
		}
		from := img.File(r.From)
		if from == nil {
			continue
		}
		before := img.Why(from)
		if before == nil || slices.ContainsFunc(before, func(s Step) bool { return s.File == f }) {
			continue
		}
		chains = append(chains, append(before, last))
	}
	slices.SortStableFunc(chains, func(a, b Chain) int { return len(a) - len(b) })
	return chains
}

// reach finds for every file the reason on its shortest chain: breadth first
// from what the user asked for.
func (img *Image) reach() {
	img.nearest = map[*File]record.Reason{}
	brings := map[*File][]Step{}
	var queue []*File
	for _, f := range img.Files {
		for _, r := range f.Reasons {
			if r.From == "" {
				queue = img.visit(queue, f, r)
			} else if from := img.File(r.From); from != nil {
				brings[from] = append(brings[from], Step{File: f, Reason: r})
			}
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, s := range brings[at] {
			queue = img.visit(queue, s.File, s.Reason)
		}
	}
}

func (img *Image) visit(queue []*File, f *File, r record.Reason) []*File {
	if _, known := img.nearest[f]; known {
		return queue
	}
	img.nearest[f] = r
	return append(queue, f)
}

// Orphans returns the files, links and directories that no need explains: only a
// glob or a directory of the spec brought them, or nothing that smith can see.
// named says which paths the spec names exactly.
func (img *Image) Orphans(named func(path string) bool) []*File {
	var orphans []*File
	for _, f := range img.Files {
		if f.Type == record.TypeDirectory || named(f.Path) {
			continue
		}
		if !slices.ContainsFunc(f.Reasons, func(r record.Reason) bool { return r.Rule != record.RulePath }) {
			orphans = append(orphans, f)
		}
	}
	return orphans
}

// FilesOf returns what a package gave to the image; name is the
// package's alone, or with version and architecture.
func (img *Image) FilesOf(name string) []*File {
	var files []*File
	for _, f := range img.Files {
		if p := f.Package(); !p.IsZero() && (p.Name == name || p.String() == name) {
			files = append(files, f)
		}
	}
	return files
}

// Packages returns the packages that the files come from, sorted.
func (img *Image) Packages() []record.Package {
	all := map[record.Package]bool{}
	for _, f := range img.Files {
		if p := f.Package(); !p.IsZero() {
			all[p] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b record.Package) int { return strings.Compare(a.String(), b.String()) })
}
