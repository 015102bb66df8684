// Package explain answers why: which chain of needs put a file into an image,
// what brought a package, what nothing needs, and how two images differ. It
// reads the build record where an image has one; for files of which no record
// tells it works out from their bytes what the image's program needs.
package explain

import (
	"context"
	"maps"
	"path"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/closure"
	"smith/internal/oci/image"
	"smith/internal/tree"
	"smith/record"
)

// A Subject is an image to be explained.
type Subject struct {
	// Name is how the user calls it.
	Name string
	// Tree holds the files of all layers, stacked.
	Tree *tree.Tree
	// Config is how it is run.
	Config ocispec.ImageConfig
	// Platform is the image's.
	Platform ocispec.Platform
	// Record is the build record, nil where the image has none.
	Record *record.Record
}

// An Image is the files of an image with all that is known of why each is
// there.
type Image struct {
	Name string
	// Recorded reports whether the reasons are from a build record; else they are
	// worked out, and a file may be there for some that no bytes tell.
	Recorded bool
	// Files are sorted by path.
	Files   []*File
	record  *record.Record // nil where there is none
	byPath  map[string]*File
	nearest map[*File]record.Reason // the one on the shortest chain
}

// A File is one path of an image.
type File struct {
	// Node is the file itself.
	Node *tree.Node
	Path string
	Type record.FileType
	// Size is the number of bytes that the file adds to the image: 0 for a
	// further name of another file.
	Size int64
	// Origin is where the bytes came from, nil where that is not known.
	Origin *record.Origin
	// Reasons are why the file is there, the first one found first.
	Reasons []record.Reason
	// Capabilities are those that smith.yaml gives to the program, by the
	// record.
	Capabilities []string
	// WorkedOut says that the reasons are not a record's.
	WorkedOut bool
}

// Package returns the package that the file's bytes come from, zero where they
// come from none.
func (f *File) Package() record.Package {
	if f.Origin == nil || f.Origin.Kind != record.KindPackage {
		return record.Package{}
	}
	return f.Origin.Package
}

// Explain reads the files of an image and their reasons.
func Explain(ctx context.Context, s Subject) (*Image, error) {
	var known []record.File
	if s.Record != nil {
		known = s.Record.Files
	}
	recorded := make(map[string]record.File, len(known))
	for _, f := range known {
		recorded[f.Path] = f
	}
	img := &Image{Name: s.Name, Recorded: s.Record != nil, record: s.Record, byPath: map[string]*File{}}
	if err := img.read(s.Tree, recorded); err != nil {
		return nil, err
	}
	if img.unexplained() {
		if err := img.workOut(ctx, s); err != nil {
			return nil, err
		}
	}
	img.reach()
	return img, nil
}

// read lists the tree's files. What a record says of a file that a later layer
// replaced is passed over.
func (img *Image) read(t *tree.Tree, recorded map[string]record.File) error {
	names := map[*tree.Inode]bool{}
	return t.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		f := &File{Node: n, Path: n.Path(), Type: n.Kind.Type(), Size: n.Size}
		if n.Inode != nil && names[n.Inode] {
			f.Type, f.Size = record.TypeHardlink, 0
		} else if n.Inode != nil {
			names[n.Inode] = true
		}
		if known, ok := recorded[f.Path]; ok && known.Type == f.Type && known.Size == f.Size {
			f.Reasons, f.Origin, f.Capabilities = known.Reasons, known.Origin, known.Capabilities
		} else {
			f.Origin = n.Origin
		}
		img.Files = append(img.Files, f)
		img.byPath[f.Path] = f
		return nil
	})
}

func (img *Image) unexplained() bool {
	return slices.ContainsFunc(img.Files, func(f *File) bool { return len(f.Reasons) == 0 })
}

// workOut gives the files of which no record tells the reasons for which the
// image's program needs them.
func (img *Image) workOut(ctx context.Context, s Subject) error {
	in := closure.Input{
		Source: s.Tree, Env: s.Config.Env, Dir: s.Config.WorkingDir, Entrypoint: image.Program(s.Config), Platform: s.Platform,
		Mounts: slices.Sorted(maps.Keys(s.Config.Volumes)),
	}
	reasons, err := closure.Reasons(ctx, in)
	if err != nil {
		return err
	}
	for _, f := range img.Files {
		if len(f.Reasons) == 0 {
			f.Reasons, f.WorkedOut = reasons[f.Path], true
		}
	}
	img.explainDirectories()
	return nil
}

// explainDirectories gives a directory without a reason that of holding something
// that has one, the first by path.
func (img *Image) explainDirectories() {
	implied := map[*File]bool{}
	for _, f := range slices.Backward(img.Files) {
		dir := img.byPath[path.Dir(f.Path)]
		if dir == nil || len(f.Reasons) == 0 || len(dir.Reasons) > 0 && !implied[dir] {
			continue
		}
		dir.Reasons = []record.Reason{{Rule: record.RuleWay, From: f.Path}}
		implied[dir] = true
	}
}

// Input returns what a file's bytes came from and what vouched for that, nil
// where no record tells.
func (img *Image) Input(f *File) *record.Input {
	if img.record == nil {
		return nil
	}
	return img.record.Input(f.Origin)
}

// File returns the file at a path, a symlink itself and not its target;
// nil where the image has nothing there.
func (img *Image) File(name string) *File { return img.byPath[path.Clean("/"+name)] }
