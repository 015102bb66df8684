package pipeline

import (
	"context"
	"fmt"
	"path"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro/scriptlet"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
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
// -v, and warns of what is not made up for and touches files of the image.
func (j *job) scripts(files *tree.Tree) []record.Script {
	if j.pkg.Scripts == nil {
		return nil
	}
	all := j.pkg.Scripts(files)
	for _, s := range all {
		var missed []record.Effect
		for _, f := range s.Effects {
			j.Events.Note(fmt.Sprintf("%s of %s:%d: %s: %s (%s)", s.Name, s.Package, f.Line, f.Class, f.Command, f.Why))
			if f.Class == string(scriptlet.Unhandled) && touches(files, f) {
				missed = append(missed, f)
			}
		}
		if len(missed) == 0 {
			continue
		}
		more := ""
		if len(missed) > 1 {
			more = fmt.Sprintf(" and %d more", len(missed)-1)
		}
		j.Events.Warn(fmt.Sprintf("%s of %s is not run: it would have done “%.80s” (line %d)%s; -v lists all", s.Name, s.Package, missed[0].Command, missed[0].Line, more))
	}
	return all
}

// shared is how many folders deep every package has files.
const shared = 2

// touches says whether an effect is about something that the image has, or its
// command names a file of the image, or one in a folder of which the image has
// files, such as /etc/nginx.
func touches(files *tree.Tree, f record.Effect) bool {
	if strings.Count(f.Path, "/") > shared && files.Exists(f.Path) {
		return true
	}
	return names(files, f.Command+" "+f.Path)
}

// names says whether a word of a command names something of the image.
func names(files *tree.Tree, command string) bool {
	for word := range strings.FieldsSeq(command) {
		if !path.IsAbs(word) || path.Clean(word) == "/" {
			continue
		}
		at, err := files.Lookup(word)
		if err == nil && at.Node.Kind != tree.Dir {
			return true
		}
		dir := path.Dir(path.Clean(word))
		if err != nil && strings.Count(dir, "/") >= shared && files.Exists(dir) {
			return true
		}
	}
	return false
}
