package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/capability"
	"smith/internal/tree"
	"smith/record"
)

// A Difference is what changed from one image to another.
type Difference struct {
	// Files are the paths that differ, sorted.
	Files []FileChange `json:"files"`
	// Packages are the packages that came, went, or have another version.
	Packages []PackageChange `json:"packages"`
	// Config are the values of the config that differ, by their names.
	Config []ConfigChange `json:"config"`
	// Causes attribute every byte gained or lost to what brought it, the
	// largest first.
	Causes []Cause `json:"causes"`
	// Before and After are the sizes of all files, in bytes.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Empty reports whether nothing differs.
func (d *Difference) Empty() bool { return len(d.Files)+len(d.Packages)+len(d.Config) == 0 }

// A FileChange is a path that was added, removed or changed.
type FileChange struct {
	Path string `json:"path"`
	// Change is "added", "removed" or "changed".
	Change string `json:"change"`
	// What names the fields that changed: content, type, mode, owner, link,
	// capabilities.
	What []string `json:"what,omitempty"`
	// Bytes are how much the image grew by it, negative where it shrank.
	Bytes int64 `json:"bytes"`
}

// A PackageChange is a package with its versions before and after; "" where
// the image does not hold it.
type PackageChange struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// A ConfigChange is a value of the config, "" where it is not set.
type ConfigChange struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// A Cause is the edge of the closure that brought bytes, or that went with
// them: the first step, on the shortest chain to a file, at which the two
// images part.
type Cause struct {
	// Root is what the chain begins with, and why that is there.
	Root   string        `json:"root"`
	Reason record.Reason `json:"reason"`
	// Path and Edge are the step: a file that is in one image only, or the
	// changed file itself, and why it is there; zero where nothing explains it.
	Path  string        `json:"path"`
	Edge  record.Reason `json:"edge"`
	Bytes int64         `json:"bytes"`
	Files int           `json:"files"`
}

// Diff compares two images. The bytes of files are compared by their digests.
func Diff(before, after *Image, configs [2]ocispec.ImageConfig) (*Difference, error) {
	d := &Difference{Config: configChanges(configs[0], configs[1]), Packages: packageChanges(before, after)}
	causes := map[[2]string]*Cause{}
	for _, name := range allPaths(before, after) {
		a, b := before.File(name), after.File(name)
		change, err := compare(a, b)
		if err != nil {
			return nil, err
		}
		d.Before, d.After = d.Before+sizeOf(a), d.After+sizeOf(b)
		if change == nil {
			continue
		}
		d.Files = append(d.Files, *change)
		c := cause(before, after, a, b)
		key := [2]string{c.Root + "\x00" + c.Path, string(c.Edge.Rule)}
		if causes[key] == nil {
			causes[key] = &c
		}
		causes[key].Bytes += change.Bytes
		causes[key].Files++
	}
	for _, c := range causes {
		d.Causes = append(d.Causes, *c)
	}
	slices.SortFunc(d.Causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(abs(b.Bytes), abs(a.Bytes)), strings.Compare(a.Path, b.Path), strings.Compare(a.Root, b.Root))
	})
	return d, nil
}

func abs(n int64) int64 { return max(n, -n) }

func sizeOf(f *File) int64 {
	if f == nil {
		return 0
	}
	return f.Size
}

// allPaths returns the paths of both images, sorted.
func allPaths(images ...*Image) []string {
	paths := map[string]bool{}
	for _, img := range images {
		for _, f := range img.Files {
			paths[f.Path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// compare returns how a path changed, nil where it did not.
func compare(a, b *File) (*FileChange, error) {
	switch {
	case a == nil:
		return &FileChange{Path: b.Path, Change: "added", Bytes: b.Size}, nil
	case b == nil:
		return &FileChange{Path: a.Path, Change: "removed", Bytes: -a.Size}, nil
	}
	what, err := changed(a, b)
	if len(what) == 0 || err != nil {
		return nil, err
	}
	return &FileChange{Path: a.Path, Change: "changed", What: what, Bytes: b.Size - a.Size}, nil
}

// changed names the fields of a file that differ.
func changed(a, b *File) ([]string, error) {
	var what []string
	note := func(name string, differ bool) {
		if differ {
			what = append(what, name)
		}
	}
	x, y := a.Node, b.Node
	note("type", x.Kind != y.Kind)
	note("link", x.Link != y.Link)
	note("mode", x.Mode != y.Mode)
	note("capabilities", x.Xattrs[capability.Attribute] != y.Xattrs[capability.Attribute])
	note("owner", x.UID != y.UID || x.GID != y.GID)
	if x.Kind != tree.File || y.Kind != tree.File {
		return what, nil
	}
	differ := x.Size != y.Size
	if !differ {
		before, err := x.Digest()
		if err != nil {
			return nil, err
		}
		after, err := y.Digest()
		if err != nil {
			return nil, err
		}
		differ = before != after
	}
	note("content", differ)
	return what, nil
}

// cause finds where the chain to a changed file leaves what both images hold.
func cause(before, after *Image, a, b *File) Cause {
	img, other, f := after, before, b
	if f == nil {
		img, other, f = before, after, a
	}
	chain := img.Why(f)
	if chain == nil {
		return Cause{Path: f.Path}
	}
	step := chain[len(chain)-1]
	for _, s := range chain {
		if other.File(s.File.Path) == nil {
			step = s
			break
		}
	}
	return Cause{Root: chain.Root().File.Path, Reason: chain.Root().Reason, Path: step.File.Path, Edge: step.Reason}
}

// packageChanges compares the packages that files come from.
func packageChanges(before, after *Image) []PackageChange {
	changes := map[string]*PackageChange{}
	at := func(name string) *PackageChange {
		if changes[name] == nil {
			changes[name] = &PackageChange{Name: name}
		}
		return changes[name]
	}
	for _, p := range before.Packages() {
		at(p.Name).Before = p.Version
	}
	for _, p := range after.Packages() {
		at(p.Name).After = p.Version
	}
	var list []PackageChange
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[name]; c.Before != c.After {
			list = append(list, *c)
		}
	}
	return list
}

// configChanges compares how two images are run.
func configChanges(before, after ocispec.ImageConfig) []ConfigChange {
	a, b := configValues(before), configValues(after)
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	var changes []ConfigChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			changes = append(changes, ConfigChange{name, a[name], b[name]})
		}
	}
	return changes
}

// configValues writes the values of a config as text, by their names.
func configValues(c ocispec.ImageConfig) map[string]string {
	values := map[string]string{"user": c.User, "dir": c.WorkingDir, "stop-signal": c.StopSignal}
	if len(c.Entrypoint) > 0 {
		values["entrypoint"] = fmt.Sprintf("%q", c.Entrypoint)
	}
	if len(c.Cmd) > 0 {
		values["cmd"] = fmt.Sprintf("%q", c.Cmd)
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		values["env "+name] = value
	}
	for name, value := range c.Labels {
		values["label "+name] = value
	}
	for port := range c.ExposedPorts {
		values["port "+port] = "exposed"
	}
	for dir := range c.Volumes {
		values["volume "+dir] = "mounted"
	}
	return values
}
