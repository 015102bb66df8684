// Package discharge decides what becomes of the dependencies of the packages
// that an image holds files of: never less than the package manager promises,
// minus what is proven unneeded. Each dependency is discharged by files that
// the closure keeps from it, or is proven unneeded for a reason, or else its
// run-time files are to be kept.
//
// The package knows neither archives nor trees: what it asks of them is Facts.
package discharge

import (
	"context"
	"slices"
)

// A Package is one of a resolved set.
type Package struct {
	Name string
	// Source is the name of the source package that it was built from.
	Source string
	// Essential reports whether every system of the distribution has it.
	Essential bool
	// Asked reports whether it was asked for by name, so that what is kept of it
	// was decided before.
	Asked bool
	// Needs are its dependencies, in the package's order.
	Needs []Need
}

// A Need is a dependency of a package.
type Need struct {
	// Text is the relation as the package has it.
	Text string
	// By are the packages of the set that satisfy it, as indexes, the preferred
	// one first; none where nothing of the set does.
	By []int
}

// Facts are what is asked about the packages of a set, by their index.
type Facts interface {
	// Files returns the paths of what a package holds, sorted, without
	// directories and what no process needs to run: documentation, headers.
	Files(ctx context.Context, p int) ([]string, error)
	// Kept returns those of a package's paths that are kept, sorted, and
	// Brought the other kept paths that these ask for.
	Kept(p int) []string
	Brought(p int) []string
	// Calls returns which of some names of programs a kept file of a package
	// contains as a command, "" for none, and that file.
	Calls(ctx context.Context, p int, programs []string) (program, from string, err error)
	// Needed reports whether an object of the package, kept or not, needs a
	// library by one of some names.
	Needed(ctx context.Context, p int, libraries []string) (bool, error)
}

// An Outcome is what becomes of a dependency. The set is closed.
type Outcome uint8

// The outcomes.
const (
	// Discharged is a dependency of which files are kept.
	Discharged Outcome = iota + 1
	// Unneeded is a dependency that is proven unneeded.
	Unneeded
	// Stands is a package without files: what it depends on is judged in its
	// place.
	Stands
	// Undischarged is a dependency whose run-time files are to be kept.
	Undischarged
)

// A Verdict is what becomes of one dependency of a package.
type Verdict struct {
	// From and To are indexes into the set.
	From, To int
	Outcome  Outcome
	// Why explains an unneeded dependency, or why it cannot be proven unneeded.
	Why string
	// Files are the run-time files of an undischarged dependency.
	Files []string
}

// A Policy says which dependencies are judged.
type Policy uint8

// The policies.
const (
	// Prove keeps what is not proven unneeded.
	Prove Policy = iota
	// All keeps every dependency but the essential packages.
	All
)

// Judge returns a verdict on each dependency of the packages of which files are
// kept, in the order of the set, each pair of packages once.
func Judge(ctx context.Context, set []Package, facts Facts, policy Policy) ([]Verdict, error) {
	j := judge{set: set, facts: facts, policy: policy, done: map[[2]int]bool{}}
	for i := range set {
		if len(facts.Kept(i)) == 0 {
			continue
		}
		if err := j.whole(ctx, i); err != nil {
			return nil, err
		}
		if err := j.needs(ctx, i, i); err != nil {
			return nil, err
		}
	}
	return j.verdicts, nil
}

type judge struct {
	set      []Package
	facts    Facts
	policy   Policy
	done     map[[2]int]bool
	verdicts []Verdict
}

// whole judges the rest of a package of which a program is kept: what a program
// reads and loads lies in its own package, under names that it puts together.
func (j *judge) whole(ctx context.Context, p int) error {
	kept := j.facts.Kept(p)
	program := slices.IndexFunc(kept, isProgram)
	if program < 0 || j.set[p].Essential || j.set[p].Asked || slices.Contains(maintainerTools, j.set[p].Name) {
		return nil
	}
	files, err := j.facts.Files(ctx, p)
	if err != nil {
		return err
	}
	k := sorted(slices.DeleteFunc(slices.Clone(files), isOfMachine))
	rest := slices.Concat(k.plugins, k.data)
	spoken := languagesOf(slices.Concat(kept, j.facts.Brought(p)))
	for _, l := range k.languages {
		if spoken[l] {
			rest = append(rest, k.modules...)
			break
		}
	}
	rest = slices.DeleteFunc(without(rest, kept), func(name string) bool { return isScriptOfOther(name, spoken) })
	if len(rest) == 0 {
		return nil
	}
	slices.Sort(rest)
	j.verdicts = append(j.verdicts, Verdict{From: p, To: p, Outcome: Undischarged, Why: "may be read by " + kept[program], Files: rest})
	return nil
}

// needs judges the dependencies of a package. user is the package whose files
// use them: the package itself, or the one that a package without files stands
// for.
func (j *judge) needs(ctx context.Context, p, user int) error {
	for _, n := range j.set[p].Needs {
		if len(n.By) == 0 || slices.Contains(n.By, p) || slices.Contains(n.By, user) {
			continue
		}
		to := j.preferred(n.By)
		if pair := [2]int{user, to}; j.done[pair] {
			continue
		} else { //nolint:revive // the pair is needed in both branches
			j.done[pair] = true
		}
		v, err := j.verdict(ctx, user, to)
		if err != nil {
			return err
		}
		v.From = p
		j.verdicts = append(j.verdicts, v)
		if v.Outcome == Stands {
			if err := j.needs(ctx, to, user); err != nil {
				return err
			}
		}
	}
	return nil
}

// preferred returns the package by which a dependency is judged: the first of
// which files are kept, else the first.
func (j *judge) preferred(by []int) int {
	for _, p := range by {
		if len(j.facts.Kept(p)) > 0 {
			return p
		}
	}
	return by[0]
}

// verdict judges one dependency.
func (j *judge) verdict(ctx context.Context, user, to int) (Verdict, error) {
	v := Verdict{To: to}
	kept := j.facts.Kept(to)
	if len(kept) > 0 && j.policy == Prove {
		v.Outcome = Discharged
		return v, nil
	}
	files, err := j.facts.Files(ctx, to)
	if err != nil {
		return v, err
	}
	files = slices.DeleteFunc(slices.Clone(files), isOfMachine)
	switch {
	case j.set[to].Essential:
		v.Outcome, v.Why = Unneeded, "essential: what kept files need of it is kept by name"
	case len(files) == 0:
		v.Outcome = Stands
	case j.policy == All:
		v.Outcome, v.Files = Undischarged, files
		if contains(kept, files) {
			v.Outcome = Discharged
		}
	default:
		return j.prove(ctx, v, user, files)
	}
	return v, nil
}

// contains reports whether every one of some sorted paths is among others.
func contains(kept, files []string) bool {
	for _, f := range files {
		if _, found := slices.BinarySearch(kept, f); !found {
			return false
		}
	}
	return true
}
