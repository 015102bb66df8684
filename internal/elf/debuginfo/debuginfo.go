// Package debuginfo finds the debug information of the files of an image: for
// each stripped ELF file the file below /usr/lib/debug that a debugger looks
// for, by its build id or its debug link (GDB manual, "Debugging Information
// in Separate Files"), the links that lead there, and what several such files
// share. It looks in trees and knows nothing of where these come from.
package debuginfo

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"

	"smith/internal/elf"
	"smith/internal/tree"
	"smith/record"
)

// Rule is the rule that a record names for files of debug information.
const Rule = record.RuleDebugInfo

// Dir is where debuggers look.
const Dir = "/usr/lib/debug"

// An Object is a file whose debug information is elsewhere.
type Object struct {
	Node *tree.Node
	// BuildID and Link are what it is found by; one of them may be "".
	BuildID, Link string
	sum           uint32 // of what Link names
}

// Objects returns the files of a tree whose debug information is elsewhere, in
// the tree's order. Files of debug information themselves are none.
func Objects(t *tree.Tree) ([]Object, error) {
	var all []Object
	err := t.Walk(func(n *tree.Node) error {
		if n.Kind != tree.File || Holds(n.Path()) {
			return nil
		}
		d, err := read(n)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Path(), err)
		}
		if d != nil && !d.DWARF && d.BuildID+d.Link != "" {
			all = append(all, Object{Node: n, BuildID: d.BuildID, Link: d.Link, sum: d.Sum})
		}
		return nil
	})
	return all, err
}

// Holds says whether a path is of debug information.
func Holds(name string) bool { return strings.HasPrefix(name, Dir+"/") }

// read returns what a file tells of its debug information, nil where it is no
// ELF file, or one that no debugger can read.
func read(n *tree.Node) (*elf.Debug, error) {
	r, err := n.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	d, err := elf.ReadDebug(r, n.Size)
	var malformed *elf.FormatError
	if errors.Is(err, elf.ErrNotELF) || errors.As(err, &malformed) {
		return nil, nil
	}
	return d, err
}

// An Input is what debug information is looked for in.
type Input struct {
	// Objects are the files whose debug information is wanted.
	Objects []Object
	// Image holds what the image holds already, Below, which may be nil, what
	// the layers below it hold.
	Image, Below *tree.Tree
	// Offered and Debug are where it is looked for: the second lies over the
	// first. Each may be nil.
	Offered, Debug *tree.Tree
	// Paths are globs of further files.
	Paths []Path
	// Excluded says whether a path is left out.
	Excluded func(name string) bool
}

// A Path is a glob of further files; a folder is meant with all under it.
type Path struct {
	Pattern string
	// Detail tells a reader where it was asked for.
	Detail string
}

// Found is the debug information that was found.
type Found struct {
	// Tree holds the files to add, the links to them, and the folders on the
	// way.
	Tree *tree.Tree
	// Reasons are why, by path.
	Reasons map[string][]record.Reason
	// Missing are the objects without, in their order.
	Missing []Missing
	// Unmatched are the globs that match nothing.
	Unmatched []Path
}

// A Missing object is one without debug information.
type Missing struct {
	Object
	// Why tells what stands in its place, "" where nothing does.
	Why string
}

// Find looks for the debug information of objects.
func Find(in Input) (*Found, error) {
	f := &finder{
		Input: in, view: tree.New(),
		found: &Found{Tree: tree.New(), Reasons: map[string][]record.Reason{}},
	}
	if in.Offered != nil {
		f.view = in.Offered.Clone()
	}
	if in.Debug != nil {
		if err := f.view.Lay(in.Debug); err != nil {
			return nil, err
		}
	}
	for _, o := range in.Objects {
		if err := f.object(o); err != nil {
			return nil, fmt.Errorf("cannot find the debug information of %s: %w", o.Node.Path(), err)
		}
	}
	for _, p := range in.Paths {
		if err := f.further(p); err != nil {
			return nil, err
		}
	}
	return f.found, f.explainFolders()
}

// A finder is one search.
type finder struct {
	Input
	view  *tree.Tree
	found *Found
}

// object brings the debug information of a file.
func (f *finder) object(o Object) error {
	why := ""
	for _, name := range o.places() {
		at, err := f.view.Resolve(name)
		if lacking(err) {
			continue
		}
		if err != nil {
			return err
		}
		if at.Node.Kind != tree.File || at.Path() == o.Node.Path() {
			continue
		}
		if !readable(at.Node) {
			why = "others may not read " + at.Path()
			continue
		}
		d, err := read(at.Node)
		if err != nil {
			return err
		}
		same, err := o.describedBy(at.Node, d)
		if err != nil {
			return err
		}
		if same {
			return f.take(o, at, d)
		}
		why = at.Path() + " is of another build"
	}
	f.found.Missing = append(f.found.Missing, Missing{Object: o, Why: why})
	return nil
}

// readable says whether everybody may read a file, as everybody may in an image.
func readable(n *tree.Node) bool { return n.Mode&0o004 != 0 }

// places are where a debugger looks, and where rpm puts the files of old
// distributions, which have another name than the debug link.
func (o Object) places() []string {
	var all []string
	if o.BuildID != "" {
		all = append(all, byID(o.BuildID, ".debug"))
	}
	name := o.Node.Path()
	dir := path.Dir(name)
	if o.Link != "" && !strings.Contains(o.Link, "/") {
		all = append(all, path.Join(dir, o.Link), path.Join(dir, ".debug", o.Link))
		for _, d := range unmerged(dir) {
			all = append(all, path.Join(Dir, d, o.Link))
		}
	}
	for _, n := range unmerged(name) {
		all = append(all, Dir+n+".debug")
	}
	return all
}

// unmerged returns a path, and what it was before the merge of /usr.
func unmerged(name string) []string {
	if old := strings.TrimPrefix(name, "/usr"); old != name {
		return []string{name, old}
	}
	return []string{name}
}

// byID is a name below .build-id.
func byID(id, suffix string) string {
	if len(id) < 3 {
		return Dir + "/.build-id/" + id + suffix
	}
	return Dir + "/.build-id/" + id[:2] + "/" + id[2:] + suffix
}

// describedBy says whether a file is the debug information of the object: of
// the same build, or, where that is not known, the very file that was linked.
func (o Object) describedBy(n *tree.Node, d *elf.Debug) (bool, error) {
	if d == nil || o.BuildID != "" {
		return d != nil && d.BuildID == o.BuildID, nil
	}
	r, err := n.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, r); err != nil {
		return false, err
	}
	return sum.Sum32() == o.sum, nil
}

// take brings a file of debug information, the links that lead to it and to
// the object, and what it shares with others.
func (f *finder) take(o Object, at tree.Resolution, d *elf.Debug) error {
	reason := record.Reason{Rule: Rule, From: o.Node.Path(), Detail: "of build " + o.BuildID}
	if o.BuildID == "" {
		reason.Detail = "by its debug link"
	}
	if err := f.bring(at, reason); err != nil {
		return err
	}
	if o.BuildID != "" {
		if err := f.alias(o, byID(o.BuildID, "")); err != nil {
			return err
		}
	}
	if d.Shared == "" {
		return nil
	}
	return f.shared(o, at.Node, d)
}

// alias brings the links by which the object itself is found by its build id,
// for a memory image of a process names its files so.
func (f *finder) alias(o Object, name string) error {
	at, err := f.view.Resolve(name)
	if lacking(err) {
		return nil
	}
	if err != nil || at.Path() != o.Node.Path() {
		return err
	}
	reason := record.Reason{Rule: Rule, From: o.Node.Path(), Detail: "leads here from its build id"}
	for _, link := range at.Links {
		if err := f.add(link, reason); err != nil {
			return err
		}
	}
	return nil
}

// shared brings the file that holds what several files of debug information
// have in common.
func (f *finder) shared(o Object, n *tree.Node, d *elf.Debug) error {
	name := d.Shared
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(n.Path()), name)
	}
	reason := record.Reason{Rule: Rule, From: n.Path(), Detail: "shared by several files of debug information"}
	for _, name := range []string{name, path.Join(Dir, ".dwz", path.Base(name)), byID(d.SharedID, ".debug")} {
		at, err := f.view.Resolve(name)
		if lacking(err) {
			continue
		}
		if err != nil {
			return err
		}
		if at.Node.Kind != tree.File || !readable(at.Node) {
			continue
		}
		other, err := read(at.Node)
		if err != nil {
			return err
		}
		if other != nil && other.BuildID == d.SharedID {
			return f.bring(at, reason)
		}
	}
	f.found.Missing = append(f.found.Missing, Missing{Object: o, Why: name + ", which it shares with others, is not there"})
	return nil
}

// further brings what a glob matches.
func (f *finder) further(p Path) error {
	names, err := f.view.Glob(p.Pattern)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Pattern, err)
	}
	if len(names) == 0 {
		f.found.Unmatched = append(f.found.Unmatched, p)
	}
	reason := record.Reason{Rule: record.RulePath, Detail: p.Detail}
	for _, name := range names {
		at, err := f.view.Lookup(name)
		if err != nil {
			return err
		}
		err = at.Node.Walk(func(n *tree.Node) error {
			if n.Kind != tree.File && n.Kind != tree.Symlink {
				return nil
			}
			return f.whole(n, reason)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// whole brings a file, or a link with the file that it leads to; a link to
// what the image does not hold is left out.
func (f *finder) whole(n *tree.Node, reason record.Reason) error {
	at, err := f.view.Resolve(n.Path())
	if lacking(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case n.Kind == tree.Symlink && (at.Node.Kind == tree.Dir || !Holds(at.Path())) && !f.held(at.Path()):
		return nil
	case at.Node.Kind == tree.File && !readable(at.Node):
		return fmt.Errorf("others may not read %s (mode %04o), and in the image they could", at.Path(), at.Node.Mode)
	}
	return f.bring(at, reason)
}

// held says whether the image has something at a path.
func (f *finder) held(name string) bool {
	for _, t := range []*tree.Tree{f.Image, f.Below, f.found.Tree} {
		if t != nil && t.Exists(name) {
			return true
		}
	}
	return false
}

// bring adds a file with the links that lead to it.
func (f *finder) bring(at tree.Resolution, reason record.Reason) error {
	for _, link := range at.Links {
		if err := f.add(link, reason); err != nil {
			return err
		}
	}
	return f.add(at.Node, reason)
}

// add adds what the image does not hold.
func (f *finder) add(n *tree.Node, reason record.Reason) error {
	name := n.Path()
	if n.Kind == tree.Dir || f.Excluded != nil && f.Excluded(name) {
		return nil
	}
	for _, t := range []*tree.Tree{f.Image, f.Below} {
		if t == nil {
			continue
		}
		if _, err := t.Lookup(name); err == nil || !lacking(err) {
			return err
		}
	}
	if f.found.Reasons[name] == nil {
		if err := f.found.Tree.Insert(name, n.Copy()); err != nil {
			return err
		}
	}
	if !slices.Contains(f.found.Reasons[name], reason) {
		f.found.Reasons[name] = append(f.found.Reasons[name], reason)
	}
	return nil
}

// explainFolders gives the folders on the way a reason.
func (f *finder) explainFolders() error {
	return f.found.Tree.Walk(func(n *tree.Node) error {
		for dir := n.Parent(); n.Kind != tree.Dir && dir.Parent() != nil; dir = dir.Parent() {
			if name := dir.Path(); f.found.Reasons[name] == nil {
				f.found.Reasons[name] = []record.Reason{{Rule: record.RuleWay, From: n.Path()}}
			}
		}
		return nil
	})
}

// lacking says whether an error means that a path leads nowhere.
func lacking(err error) bool {
	var lacks *tree.PathError
	return errors.As(err, &lacks)
}
