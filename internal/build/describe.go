package build

import (
	"context"
	"fmt"

	"smith/internal/closure"
	"smith/internal/record"
	"smith/internal/scriptlet"
	"smith/internal/source"
	"smith/internal/tree"
)

// describe adds what tells of the packages that the image is made of.
func (j *job) describe(ctx context.Context, files *tree.Tree, reasons map[string][]record.Reason) error {
	if j.pkg.Describe == nil || !j.Spec.PackageDatabase && !j.Spec.Licenses {
		return nil
	}
	added, err := j.pkg.Describe(ctx, files, source.Description{
		Packages: j.Spec.PackageDatabase, Licenses: j.Spec.Licenses, Below: j.parent.Tree,
		Excluded: func(path string) bool { return closure.Excludes(files, j.Spec.Excludes, path) },
	})
	if err != nil {
		return err
	}
	for path, reason := range added {
		reasons[path] = append(reasons[path], reason)
	}
	return nil
}

// scripts returns what the packages' scripts would have done, tells of it with
// -v, and warns of what is not made up for.
func (j *job) scripts(files *tree.Tree) []record.Script {
	if j.pkg.Scripts == nil {
		return nil
	}
	all := j.pkg.Scripts(files)
	for _, s := range all {
		var unhandled []record.Effect
		for _, f := range s.Effects {
			j.Events.Note(fmt.Sprintf("%s of %s:%d: %s: %s (%s)", s.Name, s.Package, f.Line, f.Class, f.Command, f.Why))
			if f.Class == string(scriptlet.Unhandled) {
				unhandled = append(unhandled, f)
			}
		}
		if len(unhandled) == 0 {
			continue
		}
		more := ""
		if len(unhandled) > 1 {
			more = fmt.Sprintf(" and %d more", len(unhandled)-1)
		}
		j.Events.Warn(fmt.Sprintf("%s of %s is not run: it would have done “%.80s” (line %d)%s; -v lists all", s.Name, s.Package, unhandled[0].Command, unhandled[0].Line, more))
	}
	return all
}
