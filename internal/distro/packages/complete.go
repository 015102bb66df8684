package packages

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/certificates"
	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// A Depth says what the tree of a set holds: more for an image that would lack
// something with less, at the price of opening packages.
type Depth int

// Depths, the cheapest first.
const (
	// Listed is what the lists tell of.
	Listed Depth = iota
	// Bundled is also what scripts make of certificate authorities.
	Bundled
	// Complete is also what only the packages themselves tell: the directories that
	// they bring empty, and all that their scripts would have made, as far as
	// that is emulated.
	Complete
)

// Deeper returns the next depth at which the tree would hold more. From Complete
// there is none.
func (s *Set) Deeper(d Depth) Depth {
	if d == Listed && len(s.authorities()) > 0 {
		return Bundled
	}
	return Complete
}

// Deepen opens what it takes for a depth and returns the tree that it has.
func (s *Set) Deepen(_ context.Context, d Depth) (*tree.Tree, error) {
	if d == Listed {
		return s.Tree(), nil
	}
	wanted := s.members
	if d == Bundled {
		wanted = s.authorities()
	}
	if err := openAll(wanted); err != nil {
		return nil, err
	}
	if err := s.build(); err != nil {
		return nil, err
	}
	if d == Complete {
		if err := s.addFolders(); err != nil {
			return nil, err
		}
	}
	effects := s.Scripts(func(record.Package) bool { return true }, s.Tree())
	if d == Complete {
		if err := s.addLinks(effects); err != nil {
			return nil, err
		}
	}
	return s.Tree(), s.addCertificates(effects)
}

// authorities are the packages that hold sources of bundles of certificates.
func (s *Set) authorities() []*member {
	var all []*member
	for _, m := range s.members {
		source := slices.ContainsFunc(m.paths, certificates.IsSource)
		if contents := m.opened(); contents != nil {
			source = slices.ContainsFunc(contents.Entries, func(e tree.Entry) bool { return certificates.IsSource(e.Path) })
		}
		if source {
			all = append(all, m)
		}
	}
	return all
}

// addFolders adds the directories in which no file lies.
func (s *Set) addFolders() error {
	for _, m := range s.members {
		for _, e := range m.opened().Entries {
			if e.Node == nil || e.Node.Kind != tree.Dir {
				continue
			}
			// A directory may be a link of another package's.
			at, err := s.links.place(tree.Clean(e.Path) + "/x")
			if err != nil {
				return fmt.Errorf("cannot lay out %s: %w", m.ID(), err)
			}
			if dir := path.Dir(at); !s.isFile(dir) {
				s.root.in(dir)
			}
		}
	}
	return nil
}

// isFile reports whether something that is no directory stands at a path or above it.
func (s *Set) isFile(name string) bool {
	at, err := s.Tree().Lookup(name)
	if err == nil {
		return at.Node.Kind != tree.Dir
	}
	return name != "/" && s.isFile(path.Dir(name))
}

// effects returns what the scripts of an opened package would have done among
// what is installed.
func (m *member) effects(s *Set, with installed) []Ledger {
	var all []Ledger
	for _, script := range m.opened().Scripts {
		off, by := with.setOff(script.Trigger)
		if !off {
			continue
		}
		script.Has = func(name string) bool {
			at, err := s.links.place(name)
			if err != nil {
				return false
			}
			n, err := m.node(s.links, at)
			return n != nil && err == nil
		}
		effects := scriptlet.Read(script)
		for i := range effects {
			if effects[i].Class == scriptlet.Unhandled && effects[i].Path == "" {
				effects[i].Path = by
			}
		}
		all = append(all, Ledger{Package: m.ID(), Script: script.Name, Effects: effects})
	}
	return all
}

// installed is what scripts find on the system that they run on.
type installed struct {
	set *Set
	// wanted says which packages are there; files are what they have.
	wanted func(record.Package) bool
	files  *tree.Tree
}

// setOff reports whether a script runs that has a trigger, and which path sets it
// off, where it is one.
func (in installed) setOff(t *scriptlet.Trigger) (runs bool, by string) {
	if t == nil {
		return true, ""
	}
	if t.Package != nil {
		return slices.ContainsFunc(in.set.members, func(m *member) bool {
			return in.wanted(m.ID()) && t.Package(m.ID().Name, m.ID().Version)
		}), ""
	}
	i := slices.IndexFunc(t.Prefixes, in.begins)
	if i < 0 {
		return false, ""
	}
	return true, t.Prefixes[i]
}

// begins reports whether the path of some file begins with a text.
func (in installed) begins(prefix string) bool {
	if at, err := in.files.Resolve(prefix); err == nil {
		return at.Node.Kind != tree.Dir || holdsFile(at.Node)
	}
	dir, base := path.Split(prefix)
	at, err := in.files.Resolve(dir)
	if err != nil {
		return false
	}
	names, err := at.Node.Names()
	if err != nil {
		return false
	}
	for name := range names {
		if strings.HasPrefix(name, base) {
			return true
		}
	}
	return false
}

// holdsFile reports whether something that is no directory lies under a directory.
func holdsFile(dir *tree.Node) bool {
	names, err := dir.Names()
	if err != nil {
		return false
	}
	for name, isDir := range names {
		if !isDir {
			return true
		}
		if next, err := dir.Child(name); err == nil && next != nil && holdsFile(next) {
			return true
		}
	}
	return false
}

// A Ledger is what one script of a package would have done.
type Ledger struct {
	Package record.Package
	Script  string
	Effects []scriptlet.Effect
}

// origin is that of files which smith makes in the script's place.
func (l Ledger) origin() *record.Origin {
	return &record.Origin{Kind: record.KindSmith, Script: l.Script, Package: l.Package}
}

func notDone(by *record.Origin, err error) error {
	return fmt.Errorf("cannot do what %s of %s would have done: %w", by.Script, by.Package, err)
}

// Scripts returns what the scripts of the packages that are opened and wanted
// would have done, in the set's order. Those with triggers count where a wanted
// package, or one of the files, sets them off.
func (s *Set) Scripts(wanted func(record.Package) bool, files *tree.Tree) []Ledger {
	var all []Ledger
	with := installed{s, wanted, files}
	for _, m := range s.members {
		if m.opened() != nil && wanted(m.ID()) {
			all = append(all, m.effects(s, with)...)
		}
	}
	return all
}

// Record returns what the scripts of the packages would have done that an image
// holds files of, or things that they would have made.
func (s *Set) Record(image *tree.Tree) []record.Script {
	wanted := map[record.Package]bool{}
	_ = image.Walk(func(n *tree.Node) error { // the function returns no error
		if n.Origin != nil && n.Kind != tree.Dir {
			wanted[n.Origin.Package] = true
		}
		return nil
	})
	var all []record.Script
	for _, l := range s.Scripts(func(id record.Package) bool { return wanted[id] }, image) {
		script := record.Script{Package: l.Package, Name: l.Script}
		for _, f := range l.Effects {
			script.Effects = append(script.Effects, record.Effect{Class: record.EffectClass(f.Class), Command: f.Command, Line: f.Line, Why: f.Why, Path: f.Path})
		}
		all = append(all, script)
	}
	return all
}

// addLinks adds the links and alternatives that scripts would have made.
func (s *Set) addLinks(effects []Ledger) error {
	var groups []*group
	for _, l := range effects {
		by := l.origin()
		for _, f := range l.Effects {
			switch {
			case f.Alternative != nil:
				groups = join(groups, alternative{f.Alternative, by})
			case f.Link != nil:
				if err := s.link(*f.Link, by); err != nil {
					return err
				}
			}
		}
	}
	for _, g := range groups {
		if err := s.choose(g); err != nil {
			return err
		}
	}
	return nil
}

// addCertificates adds the bundles that scripts would have made of the
// authorities.
func (s *Set) addCertificates(effects []Ledger) error {
	var rebuild *record.Origin
	for _, l := range effects {
		if slices.ContainsFunc(l.Effects, func(f scriptlet.Effect) bool { return f.Certificates }) {
			rebuild = l.origin()
		}
	}
	if rebuild == nil {
		return nil
	}
	entries, err := certificates.Files(s.Tree())
	if err != nil {
		return notDone(rebuild, err)
	}
	for _, e := range entries {
		if err := s.add(e.Path, e.Node, rebuild); err != nil {
			return err
		}
	}
	return nil
}

// add puts a node of smith's into the tree, unless something is there.
func (s *Set) add(name string, n *tree.Node, by *record.Origin) error {
	at, err := s.links.place(name)
	if err != nil {
		return notDone(by, err)
	}
	dir, base := path.Split(at)
	if base == "" || s.isFile(path.Clean(dir)) {
		return nil
	}
	f := s.root.in(dir)
	if len(f.files[base]) > 0 || f.folders[base] != nil || f.made[base] != nil {
		return nil
	}
	n.Origin = by
	f.make(base, n)
	s.made[at] = by
	return nil
}

func (s *Set) link(l scriptlet.Link, by *record.Origin) error {
	return s.add(l.Path, &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: l.Target}, by)
}

// An alternative is one that a script offers.
type alternative struct {
	*scriptlet.Alternative
	by *record.Origin
}

// A group is the alternatives for one name.
type group struct {
	name string
	all  []alternative
}

func join(groups []*group, a alternative) []*group {
	i := slices.IndexFunc(groups, func(g *group) bool { return g.name == a.Name })
	if i < 0 {
		i = len(groups)
		groups = append(groups, &group{name: a.Name})
	}
	groups[i].all = append(groups[i].all, a)
	return groups
}

// administration is where the links of alternatives lead (update-alternatives(1)).
const administration = "/etc/alternatives/"

// choose makes the links of the alternative with the highest priority, the
// first of several, as update-alternatives does by itself; of its slaves those
// whose file is there.
func (s *Set) choose(g *group) error {
	var best *alternative
	for i, a := range g.all {
		if (best == nil || a.Priority > best.Priority) && s.Tree().Exists(a.Path) {
			best = &g.all[i]
		}
	}
	if best == nil {
		return nil
	}
	if err := s.both(best.Name, scriptlet.Link{Path: best.Link, Target: best.Path}, best.by); err != nil {
		return err
	}
	for i, slave := range best.Slaves {
		if !s.Tree().Exists(slave.Target) {
			continue
		}
		if err := s.both(best.SlaveNames[i], slave, best.by); err != nil {
			return err
		}
	}
	return nil
}

// both makes the public link and the one that it leads through.
func (s *Set) both(name string, public scriptlet.Link, by *record.Origin) error {
	if err := s.link(scriptlet.Link{Path: administration + name, Target: public.Target}, by); err != nil {
		return err
	}
	return s.link(scriptlet.Link{Path: public.Path, Target: administration + name}, by)
}
