// Package selected answers what the discharge of dependencies asks, from the
// packages that a source chose and the files of them that the closure selected.
package selected

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"smith/internal/closure"
	"smith/internal/discharge"
	"smith/internal/distro/packages"
	"smith/internal/elf"
	"smith/internal/source"
	"smith/internal/tree"
)

// Packages are the packages that a source chose.
type Packages interface {
	// List returns them, sorted by name.
	List(ctx context.Context) ([]source.Package, error)
	// Files returns the paths that one holds, sorted, without directories.
	Files(ctx context.Context, p source.Package) ([]string, error)
}

// Facts are what is known of the packages of a source. They outlive a
// selection: what does not change with it is looked at once. They are not safe
// for concurrent use.
type Facts struct {
	packages Packages
	offered  *tree.Tree

	// List is the packages, Set the same with the dependencies that are judged.
	List []source.Package
	Set  []discharge.Package

	selected *closure.Selection
	kept     [][]string
	brought  [][]string
	objects  map[int]map[string]bool // libraries that objects need, by package
}

var _ discharge.Facts = (*Facts)(nil)

// New returns what is known of the packages whose files a tree offers.
func New(ctx context.Context, p Packages, offered *tree.Tree) (*Facts, error) {
	list, err := p.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the relations of the packages: %w", err)
	}
	f := &Facts{packages: p, offered: offered, List: list, objects: map[int]map[string]bool{}}
	for _, one := range list {
		d := discharge.Package{Name: one.Name, Source: one.Source, Essential: one.Essential, Asked: one.Asked}
		for _, r := range one.Relations {
			if r.Kind != source.Recommends {
				d.Needs = append(d.Needs, discharge.Need{Text: r.Text, By: r.By})
			}
		}
		f.Set = append(f.Set, d)
	}
	return f, nil
}

// Look makes a selection the one that Kept, Brought and Calls tell of.
func (f *Facts) Look(selected *closure.Selection) error {
	f.selected = selected
	f.kept, f.brought = make([][]string, len(f.List)), make([][]string, len(f.List))
	index := map[string]int{}
	for i, p := range f.List {
		index[p.Digest] = i
	}
	of := map[string]int{}
	err := selected.Tree.Walk(func(n *tree.Node) error {
		if n.Kind == tree.Dir || n.Origin == nil {
			return nil
		}
		if i, known := index[n.Origin.Digest]; known && n.Origin.Digest != "" {
			f.kept[i] = append(f.kept[i], n.Path())
			of[n.Path()] = i
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(selected.Files)) {
		for _, r := range selected.Files[name] {
			if i, known := of[r.From]; known {
				f.brought[i] = append(f.brought[i], name)
			}
		}
	}
	for i := range f.kept {
		slices.Sort(f.kept[i])
	}
	return nil
}

// Kept returns the selected paths of a package.
func (f *Facts) Kept(p int) []string { return f.kept[p] }

// Brought returns the selected paths that files of a package ask for.
func (f *Facts) Brought(p int) []string { return f.brought[p] }

// Files returns the paths of a package that a process may need.
func (f *Facts) Files(ctx context.Context, p int) ([]string, error) {
	all, err := f.packages.Files(ctx, f.List[p])
	if err != nil {
		return nil, fmt.Errorf("cannot list the files of %s: %w", f.List[p].Name, err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !packages.NeededToRun(name) }), nil
}

// Calls returns which of some programs a selected file of a package calls.
func (f *Facts) Calls(_ context.Context, p int, programs []string) (program, from string, err error) {
	for _, name := range f.kept[p] {
		at, err := f.selected.Tree.Lookup(name)
		if err != nil || at.Node.Kind != tree.File || isData(at.Node) {
			continue
		}
		program, err := calls(at.Node, programs)
		if program != "" || err != nil {
			return program, name, err
		}
	}
	return "", "", nil
}

// isData reports whether a file is neither a program nor a library nor a module
// of a language.
func isData(n *tree.Node) bool {
	if n.Executable() {
		return false
	}
	switch path.Ext(n.Name()) {
	case ".so", ".py", ".pl", ".pm", ".rb", ".js", ".php", ".tcl", ".lua", ".sh":
		return false
	}
	return true
}

func calls(n *tree.Node, programs []string) (string, error) {
	r, err := n.Open()
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	defer r.Close()
	program, err := discharge.CallsOne(r, n.Size, programs)
	if err != nil {
		return "", fmt.Errorf("cannot search %s for commands: %w", n.Path(), err)
	}
	return program, nil
}

// Needed reports whether an object of a package needs one of some libraries.
func (f *Facts) Needed(ctx context.Context, p int, libraries []string) (bool, error) {
	needed := f.objects[p]
	if needed == nil {
		all, err := f.packages.Files(ctx, f.List[p])
		if err != nil {
			return false, fmt.Errorf("cannot list the files of %s: %w", f.List[p].Name, err)
		}
		needed = map[string]bool{}
		for _, name := range all {
			if err := f.needs(name, needed); err != nil {
				return false, err
			}
		}
		f.objects[p] = needed
	}
	return slices.ContainsFunc(libraries, func(l string) bool { return needed[l] }), nil
}

// needs adds the libraries that an object needs.
func (f *Facts) needs(name string, needed map[string]bool) error {
	at, err := f.offered.Lookup(name)
	if err != nil || at.Node.Kind != tree.File || !at.Node.Executable() && !discharge.IsObject(name) {
		return nil
	}
	r, err := at.Node.Open()
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	defer r.Close()
	object, err := elf.Read(r, at.Node.Size)
	if err != nil {
		return nil
	}
	for _, l := range object.Needed {
		needed[l] = true
	}
	return nil
}
