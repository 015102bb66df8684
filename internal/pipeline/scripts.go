package pipeline

import (
	"fmt"
	"path"
	"strings"

	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// scripts returns what the packages' scripts would have done, tells of it with
// -v, and warns of what is not made up for and touches files of the image.
func (b *Builder) scripts(pkg *source.Offer, files *tree.Tree) []record.Script {
	if pkg.Packages == nil {
		return nil
	}
	all := pkg.Packages.Scripts(files)
	for _, s := range all {
		var missed []record.Effect
		for _, f := range s.Effects {
			b.Events.Note(fmt.Sprintf("%s of %s:%d: %s: %s (%s)", s.Name, s.Package, f.Line, f.Class, f.Command, f.Why))
			if f.Class == record.EffectUnhandled && touches(files, f) {
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
		b.Events.Warn(fmt.Sprintf("%s of %s is not run: it would have done “%.80s” (line %d)%s: %s; -v lists all", s.Name, s.Package, missed[0].Command, missed[0].Line, more, missed[0].Why))
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
