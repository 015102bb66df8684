package pipeline

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"

	"smith/internal/closure"
	"smith/internal/discharge"
	"smith/internal/discharge/selected"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// Values of the key dependencies beside discharge.
const (
	dependenciesKeep = "keep"
	dependenciesNone = "none"
)

// dependencies discharges what the packages depend on of which files were
// selected.
type dependencies struct {
	policy discharge.Policy
	// suspect lists what is not discharged, rather than keeping it: the spec
	// names files, not packages.
	suspect bool

	facts *selected.Facts
	of    source.Packages // that facts are about
	// asked are the roots that were asked for, by pattern.
	asked map[string]bool
	// verdicts are those on the last selection.
	verdicts []discharge.Verdict
}

// dependenciesOf returns what discharges the dependencies of a build, nil where
// the spec says none.
func dependenciesOf(r Request, l launch) *dependencies {
	d := &dependencies{asked: map[string]bool{}}
	switch r.Spec.Dependencies {
	case dependenciesNone:
		return nil
	case dependenciesKeep:
		d.policy = discharge.All
	case "":
		d.suspect = len(l.roots) == 0
	}
	return d
}

// refuse has some roots never asked for: they were left out on purpose.
func (d *dependencies) refuse(patterns map[string]bool) {
	if d != nil {
		maps.Copy(d.asked, patterns)
	}
}

// round asks for the run-time files of dependencies that nothing discharges.
func (d *dependencies) round(pkg *source.Offer) round {
	return func(ctx context.Context, _ closure.Input, sel *closure.Selection) ([]closure.Root, error) {
		if d.of != pkg.Packages {
			facts, err := selected.New(ctx, pkg.Packages, pkg.Tree)
			if err != nil {
				return nil, err
			}
			d.facts, d.of = facts, pkg.Packages
		}
		if err := d.facts.Look(sel); err != nil {
			return nil, err
		}
		var err error
		if d.verdicts, err = discharge.Judge(ctx, d.facts.Set, d.facts, d.policy); err != nil {
			return nil, err
		}
		if d.suspect {
			sel.Suspects = append(sel.Suspects, d.suspects()...)
			return nil, nil
		}
		return d.roots(pkg.Tree, sel)
	}
}

// roots are the files of undischarged dependencies that were not asked for yet.
func (d *dependencies) roots(offered *tree.Tree, sel *closure.Selection) ([]closure.Root, error) {
	var roots []closure.Root
	for _, v := range d.verdicts {
		if v.Outcome != discharge.Undischarged {
			continue
		}
		for _, name := range v.Files {
			pattern := tree.Literal(name)
			if d.asked[pattern] {
				continue
			}
			if foreign, err := isForeignScript(offered, sel.Tree, name); foreign || err != nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			d.asked[pattern] = true
			roots = append(roots, closure.Root{
				Pattern: pattern, Rule: record.RuleDepends, Detail: d.arrow(v), Part: true,
			})
		}
	}
	return roots, nil
}

// shebang matches the first line of a script: the interpreter, or the one that
// env(1) looks for.
var shebang = regexp.MustCompile(`^#![ \t]*(?:\S*/env[ \t]+(?:-\S+[ \t]+)*)?(\S+)`)

// isForeignScript reports whether a file is a script of an interpreter that is
// not selected, other than a shell: it would bring that for its own sake.
func isForeignScript(offered, selected *tree.Tree, name string) (bool, error) {
	at, err := offered.Resolve(name)
	if err != nil || !at.Node.Executable() {
		return false, nil
	}
	r, err := at.Node.Open()
	if err != nil {
		return false, fmt.Errorf("cannot read %s: %w", name, err)
	}
	defer r.Close()
	head := make([]byte, min(at.Node.Size, 128))
	if _, err := io.ReadFull(r, head); err != nil {
		return false, fmt.Errorf("cannot read %s: %w", name, err)
	}
	match := shebang.FindSubmatch(head)
	if match == nil {
		return false, nil
	}
	base := path.Base(string(match[1]))
	if slices.Contains([]string{"sh", "bash", "dash"}, base) {
		return false, nil
	}
	return !selected.Exists("/usr/bin/" + base), nil
}

// arrow names a dependency: "gunicorn → python3-pkg-resources".
func (d *dependencies) arrow(v discharge.Verdict) string {
	if v.From == v.To {
		return "the rest of " + d.facts.List[v.To].Name + ", of which a program is kept"
	}
	return d.facts.List[v.From].Name + " → " + d.facts.List[v.To].Name
}

// suspects are the undischarged dependencies.
func (d *dependencies) suspects() []record.Finding {
	var all []record.Finding
	for _, v := range d.verdicts {
		if v.Outcome == discharge.Undischarged {
			all = append(all, record.Finding{
				Name: d.facts.List[v.To].Name, From: d.facts.List[v.From].Name,
				Detail: fmt.Sprintf("depends: %s: nothing of it is kept (%s); dependencies: discharge keeps it", d.arrow(v), v.Why),
			})
		}
	}
	return all
}

// recorded are the verdicts as the record keeps them.
func (d *dependencies) recorded() []record.Dependency {
	if d == nil || d.facts == nil {
		return nil
	}
	var all []record.Dependency
	for _, v := range d.verdicts {
		one := record.Dependency{From: d.name(v.From), To: d.name(v.To), Why: v.Why}
		switch v.Outcome {
		case discharge.Discharged:
			one.Outcome = record.DependencyDischarged
		case discharge.Unneeded:
			one.Outcome = record.DependencyUnneeded
		case discharge.Stands:
			one.Outcome = record.DependencyStands
		case discharge.Undischarged:
			one.Outcome = record.DependencyKept
			if d.suspect {
				one.Outcome = record.DependencySuspect
			}
		}
		all = append(all, one)
	}
	return slices.Compact(all)
}

func (d *dependencies) name(i int) string { return d.facts.List[i].Name }
