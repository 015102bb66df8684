package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/elf/debuginfo"
	"smith/internal/enumerate"
	"smith/internal/oci/image"
	"smith/internal/recording"
	"smith/internal/reference"
	"smith/internal/rootfs"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// Where debug information goes: into the image, or into one beside it.
const (
	debugInside   = "true"
	debugSeparate = "separate"
)

// debugSuffix ends the names of an image with debug information that stands
// beside another.
const debugSuffix = "-debug"

// A debugging is the debug information of an image.
type debugging struct {
	*debuginfo.Found
	inputs   []record.Input
	warnings []string
}

// findDebug looks for the debug information of what was selected, nil where
// nobody asked for it.
func (b *Builder) findDebug(ctx context.Context, open *closers, r Request, from *offered, c *chosen) (*debugging, error) {
	selection := c.selection
	if r.debugInfo() == "" {
		return nil, nil
	}
	in := debuginfo.Input{
		Image: selection.Tree, Below: from.parent.Tree, Offered: c.pkg.Tree, Paths: debugPaths(r),
		Excluded: func(path string) bool { return closure.Excludes(selection.Tree, r.Spec.Excludes, path) },
	}
	var err error
	if in.Objects, err = debuginfo.Objects(selection.Tree); err != nil {
		return nil, err
	}
	offer := &source.Debug{}
	if c.pkg.Packages != nil {
		if offer, err = c.pkg.Packages.Debug(ctx, wanted(in.Objects)); err != nil {
			return nil, err
		}
		open.add(offer.Closer.Close)
		in.Debug = offer.Tree
	}
	d := &debugging{inputs: offer.Inputs}
	if d.Found, err = debuginfo.Find(in); err != nil {
		return nil, err
	}
	d.warnings = b.missingDebug(d.Found, offer.Absent)
	b.warn(d.warnings)
	return d, nil
}

// debugPaths are the globs of further files.
func debugPaths(r Request) []debuginfo.Path {
	if r.Spec.Mock == nil {
		return nil
	}
	var all []debuginfo.Path
	for i, pattern := range r.Spec.Mock.DebugPaths {
		all = append(all, debuginfo.Path{Pattern: pattern, Detail: "path in " + r.place("mock.debugpaths", i)})
	}
	return all
}

// wanted are the build ids of objects by the digest of the package that each
// is of.
func wanted(objects []debuginfo.Object) map[string][]string {
	ids := map[string][]string{}
	for _, o := range objects {
		if of := o.Node.Origin; of != nil && of.Kind == record.KindPackage {
			ids[of.Digest] = append(ids[of.Digest], o.BuildID)
		}
	}
	return ids
}

// Bounds of what is said of missing debug information; -v tells all.
const (
	mostMissing      = 5 // packages, or other reasons
	mostMissingFiles = 3 // of each
)

// missingDebug tells which files are without debug information, and why, those
// of a package together.
func (b *Builder) missingDebug(found *debuginfo.Found, absent map[string]string) []string {
	files := map[string][]string{}
	for _, m := range found.Missing {
		why := whyMissing(m, absent)
		files[why] = append(files[why], m.Node.Path())
		b.Events.Note(fmt.Sprintf("no debug information of %s: %s", m.Node.Path(), why))
	}
	var lines []string
	left := 0
	for _, why := range slices.Sorted(maps.Keys(files)) {
		if len(lines) == mostMissing {
			left += len(files[why])
			continue
		}
		lines = append(lines, fmt.Sprintf("no debug information of %s: %s", enumerate.Brief(files[why], mostMissingFiles), why))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("no debug information of %d more files; -v names them", left))
	}
	for _, p := range found.Unmatched {
		lines = append(lines, fmt.Sprintf("%s: no file of debug information, nor another, is %s", p.Detail, p.Pattern))
	}
	return lines
}

func whyMissing(m debuginfo.Missing, absent map[string]string) string {
	of := m.Node.Origin
	switch {
	case m.Why != "":
		return m.Why
	case of != nil && absent[of.Digest] != "":
		return absent[of.Digest]
	case of != nil && of.Kind == record.KindPackage:
		return "the packages with the debug information of " + of.Package.String() + " do not hold it"
	case of != nil && of.Kind == record.KindHost:
		return "this machine has none in " + debuginfo.Dir
	case of != nil && of.Name != "":
		return of.Name + " has none in " + debuginfo.Dir
	}
	return "there is none in " + debuginfo.Dir
}

// addDebug puts debug information into the image itself.
func (c *chosen) addDebug(r Request) error {
	selection, d := c.selection, c.debug
	if d == nil {
		return nil
	}
	selection.Warnings = slices.Sorted(slices.Values(append(selection.Warnings, d.warnings...)))
	if r.debugInfo() != debugInside {
		return nil
	}
	c.inputs = slices.Concat(c.inputs, d.inputs)
	return d.Tree.Walk(func(n *tree.Node) error {
		name := n.Path()
		if n.Parent() == nil || n.Kind == tree.Dir && selection.Files[name] != nil {
			return nil
		}
		selection.Files[name] = append(selection.Files[name], d.Reasons[name]...)
		return selection.Tree.Insert(name, n.Copy())
	})
}

// debugImage is the image with debug information that stands beside another:
// the other's layers, and one more unless nothing was found.
func (b *Builder) debugImage(ctx context.Context, r Request, from *offered, c *chosen, of *Built) (*Built, error) {
	d := c.debug
	files, err := b.normalize(r, from, c.launch, d.Tree, rootfs.Capabilities{})
	if err != nil {
		return nil, err
	}
	layers, err := b.pack(ctx, of.Image.Layers, files)
	if err != nil {
		return nil, err
	}
	added, err := recording.Files(files, d.Reasons)
	if err != nil {
		return nil, err
	}
	rec := *of.Record
	inputs := contributing(slices.Clone(d.inputs), added)
	inputs = complete(c.pkg, inputs)
	rec.Inputs, rec.Files = slices.Concat(rec.Inputs, inputs), slices.Clone(rec.Files)
	known := map[string]bool{}
	for _, f := range rec.Files {
		known[f.Path] = true
	}
	out := &Built{Platform: of.Platform, Record: &rec}
	for _, f := range added {
		out.Unpacked += f.Size
		if !known[f.Path] { // a folder of both
			out.Files++
			rec.Files = append(rec.Files, f)
		}
	}
	slices.SortFunc(rec.Files, func(a, b record.File) int { return cmp.Compare(a.Path, b.Path) })
	out.Image, err = newImage(r, from, c, layers, &rec)
	return out, err
}

// writeDebug writes the images with debug information beside the target.
func (b *Builder) writeDebug(ctx context.Context, r Request, all []Built) (*Output, error) {
	var images []*image.Image
	for _, built := range all {
		if built.Debug != nil {
			images = append(images, built.Debug.Image)
		}
	}
	if len(images) == 0 {
		return nil, nil
	}
	target, err := debugTarget(r.Target)
	if err != nil {
		return nil, err
	}
	labels := r.labels()
	labels.Tag = cmp.Or(labels.Tag, image.DefaultTag) + debugSuffix
	if strings.Contains(path.Base(labels.Name), ":") {
		labels.Name += debugSuffix
	}
	return b.write(ctx, target, labels, images)
}

// debugTarget is where the image with debug information goes.
func debugTarget(main reference.Reference) (reference.Reference, error) {
	target, err := main.Beside(debugSuffix, image.DefaultTag)
	if err != nil {
		return target, fmt.Errorf("cannot name the image of debug information: %w", err)
	}
	return target, nil
}
