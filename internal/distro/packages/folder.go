package packages

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// A folder is one of the tree's. Names are known from the beginning; a package
// is opened when something that it holds is looked up.
type folder struct {
	set     *Set
	path    string
	folders map[string]*folder
	files   map[string][]int      // the packages that hold a file of the name
	made    map[string]*tree.Node // by smith
}

var _ tree.Namer = (*folder)(nil)

func (f *folder) node() *tree.Node { return &tree.Node{Kind: tree.Dir, Mode: 0o755, Listing: f} }

// in returns the directory at a path, and makes it and those on the way.
func (f *folder) in(dir string) *folder {
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if part == "" {
			continue
		}
		next := f.folders[part]
		if next == nil {
			if f.folders == nil {
				f.folders = map[string]*folder{}
			}
			next = &folder{set: f.set, path: path.Join(f.path, part)}
			f.folders[part] = next
		}
		f = next
	}
	return f
}

// insert notes that a package holds a path.
func (f *folder) insert(name string, index int) {
	dir, base := path.Split(name)
	f = f.in(dir)
	if f.files == nil {
		f.files = map[string][]int{}
	}
	if holders := f.files[base]; len(holders) == 0 || holders[len(holders)-1] != index {
		f.files[base] = append(holders, index)
	}
}

// clashes returns the names at which a file and a directory meet, in their order.
// The links that are there already are none.
func (f *folder) clashes() []clash {
	var all []clash
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		next := f.folders[name]
		if holders := f.files[name]; len(holders) > 0 {
			all = append(all, clash{path: next.path, files: holders, folder: next.holders()})
		}
		all = append(all, next.clashes()...)
	}
	return all
}

// holders returns the packages of some file under the directory.
func (f *folder) holders() []int {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		return f.files[name]
	}
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		return f.folders[name].holders()
	}
	return nil
}

// addLinks puts the top-level links of a merged /usr where there is something
// behind them. They take the place of the packages' own, which are the same:
// no package need be opened for them.
func (f *folder) addLinks() {
	usr := f.folders["usr"]
	for link, target := range mergedUsr() {
		name := path.Base(link)
		if usr == nil || usr.folders[path.Base(target)] == nil {
			continue
		}
		f.make(name, &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: target[1:], Origin: &record.Origin{Kind: record.KindSmith, Name: "merged /usr"}})
	}
}

// make adds a node of smith's.
func (f *folder) make(name string, n *tree.Node) {
	if f.made == nil {
		f.made = map[string]*tree.Node{}
	}
	f.made[name] = n
}

// Names returns all names, and opens nothing.
func (f *folder) Names() (map[string]bool, error) {
	names := map[string]bool{}
	for name := range f.files {
		names[name] = false
	}
	for name := range f.folders {
		names[name] = true
	}
	for name := range f.made {
		names[name] = false
	}
	return names, nil
}

// Entry returns what stands under a name, and opens the packages that it takes
// to know that.
func (f *folder) Entry(name string) (*tree.Node, error) {
	if n := f.made[name]; n != nil {
		return n.Copy(), nil
	}
	if next := f.folders[name]; next != nil {
		return next.node(), nil
	}
	if holders := f.files[name]; len(holders) > 0 {
		return f.set.winner(path.Join(f.path, name), holders)
	}
	return nil, nil
}

// Entries returns everything in the directory; packages are opened side by side.
func (f *folder) Entries() (map[string]*tree.Node, error) {
	wanted := map[int]bool{}
	for _, holders := range f.files {
		for _, i := range f.set.needed(holders) {
			wanted[i] = true
		}
	}
	if err := openAll(f.set.some(slices.Sorted(maps.Keys(wanted)))); err != nil {
		return nil, err
	}
	names, err := f.Names()
	if err != nil {
		return nil, err
	}
	entries := map[string]*tree.Node{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n, err := f.Entry(name)
		if err != nil {
			return nil, err
		}
		if n != nil {
			entries[name] = n
		}
	}
	return entries, nil
}

// node returns what an opened package has at a path, or nil.
func (m *member) node(links aliases, name string) (*tree.Node, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nodes == nil {
		if _, err := m.lay(links); err != nil {
			return nil, fmt.Errorf("cannot lay out %s: %w", m.ID(), err)
		}
	}
	return m.nodes[name], nil
}
