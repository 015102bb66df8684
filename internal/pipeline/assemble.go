package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"smith/internal/closure"
	"smith/internal/rootfs"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// assembled is what the third stage returns.
type assembled struct {
	// tree is the files of the new layer, as the layer holds them.
	tree *tree.Tree
	// reasons are those of the selection and of what was added, by path.
	reasons map[string][]record.Reason
	// inputs are what the files may come from, beside the parent.
	inputs []record.Input
}

// assemble adds to the selected files what every image holds and what tells
// scanners of its packages, and gives all of it its normal form.
func (b *Builder) assemble(ctx context.Context, r Request, from *offered, c *chosen) (*assembled, error) {
	files := c.selection.Tree.Clone()
	a := &assembled{reasons: maps.Clone(c.selection.Files), inputs: c.inputs}
	added, err := rootfs.Furnish(files, rootfs.Furniture{
		Parent: from.parent.Tree, Mounts: c.launch.mounts(), Accounts: namesUsers(r, c.launch), User: c.launch.user, Groups: c.launch.groups,
		Hosts: len(c.launch.roots) > 0, Others: c.launch.others, Directories: c.launch.directories, Links: c.launch.links,
	})
	if err != nil {
		return nil, err
	}
	a.because(added)
	merged, err := addMerged(files, c.pkg.Tree, from.parent.Tree, r.Spec.Excludes)
	if err != nil {
		return nil, err
	}
	a.because(merged)
	if err := a.describe(ctx, files, r, from, c); err != nil {
		return nil, err
	}
	capabilities, err := capabilities(r, files, c.pkg.Tree, from.parent.Tree)
	if err != nil {
		return nil, err
	}
	a.tree, err = b.normalize(r, from, c.launch, files, capabilities)
	return a, err
}

// because adds reasons, by path.
func (a *assembled) because(reasons map[string]record.Reason) {
	for path, reason := range reasons {
		a.reasons[path] = append(slices.Clone(a.reasons[path]), reason)
	}
}

// describe adds what tells of the packages that the image is made of.
func (a *assembled) describe(ctx context.Context, files *tree.Tree, r Request, from *offered, c *chosen) error {
	if c.pkg.Packages == nil || !r.Spec.PackageDatabase && !r.Spec.Licenses {
		return nil
	}
	added, err := c.pkg.Packages.Describe(ctx, files, source.Description{
		Packages: r.Spec.PackageDatabase, Licenses: r.Spec.Licenses, Below: from.parent.Tree,
		Excluded: func(path string) bool { return closure.Excludes(files, r.Spec.Excludes, path) },
	})
	if err != nil {
		return err
	}
	a.inputs = slices.Concat(a.inputs, added.Inputs)
	a.because(added.Reasons)
	return nil
}

// normalize gives files the form in which a layer holds them.
func (b *Builder) normalize(r Request, from *offered, l launch, files *tree.Tree, capabilities rootfs.Capabilities) (*tree.Tree, error) {
	return rootfs.Normalise(files, rootfs.Form{
		UID: l.user.UID, GID: l.user.GID, RootOwned: r.Spec.Owner == "root", Mounts: l.mounts(), Time: r.epoch(),
		Capabilities: capabilities, Parent: from.parent.Tree,
	}, b.Events)
}

// capabilities finds the programs that the spec gives capabilities to.
func capabilities(r Request, files, offered, parent *tree.Tree) (rootfs.Capabilities, error) {
	var c rootfs.Capabilities
	var all []error
	for _, name := range slices.Sorted(maps.Keys(r.Spec.Capabilities)) {
		err := c.Add(files, placed(files, offered, name), r.Spec.Capabilities[name])
		if err == nil {
			continue
		}
		if parent != nil && parent.Exists(name) && !files.Exists(name) {
			err = fmt.Errorf("%s is the parent's: give it capabilities where the parent is built", name)
		}
		all = append(all, fmt.Errorf("%s: %w", r.place("capabilities."+name, -1), err))
	}
	return c, errors.Join(all...)
}

// placed returns where the image has a path: a link of the source that nothing
// needs, such as /bin, is not in the image.
func placed(files, offered *tree.Tree, name string) string {
	if _, err := files.Resolve(name); err == nil || offered == nil {
		return name
	}
	at, err := offered.Resolve(name)
	if err != nil || !files.Exists(at.Path()) {
		return name
	}
	return at.Path()
}
