// Package record is the build record of an image that smith made: what the
// image was made from and why each of its files is there. It is attached to the
// image as a blob of type MediaType, and is what `smith why`, `inspect` and
// others read; scanners, admission controllers and user interfaces may read it
// too. It holds no time, host or user: the same build gives the same record.
//
// The package depends on nothing else of smith. Its compatibility promise: a
// record of an older version is read for as long as this package exists; within
// a version, fields and constants may be added, and neither their names nor
// their meaning change. Readers should show rules and kinds that they do not
// know by their names. Before smith 1.0 the Go declarations may still change
// with a note in the changelog.
package record

import "cmp"

// Version is the version of the record's form.
const Version = 2

// A Record explains an image.
type Record struct {
	Version int `json:"version"`
	// Spec is where the roots were written, such as "smith.yaml".
	Spec string `json:"spec,omitempty"`
	// Platform is the image's, such as "linux/amd64".
	Platform string `json:"platform"`
	// Inputs are what the files came from, the package first, then the parent.
	Inputs []Input `json:"inputs,omitempty"`
	// Files are all files of the new layer, sorted by path.
	Files []File `json:"files"`
	// Excluded are paths that something needs and that the spec leaves out.
	Excluded []Finding `json:"excluded,omitempty"`
	// Allowed are missing things that the spec accepts by name.
	Allowed []Finding `json:"allowed,omitempty"`
	// Suspects look like names of libraries that a kept file may load.
	Suspects []Finding `json:"suspects,omitempty"`
	// Dependencies are what became of the dependencies of the packages that the
	// image holds files of.
	Dependencies []Dependency `json:"dependencies,omitempty"`
	// Scripts are what the scripts of the packages would have done that the
	// image holds files of.
	Scripts []Script `json:"scripts,omitempty"`
	// Warnings are what the build said, in the order of their texts.
	Warnings []string `json:"warnings,omitempty"`
}

// A Kind is what the bytes of a file came from. The set is closed.
type Kind string

// The kinds of inputs and origins.
const (
	KindImage   Kind = "image"   // the image that the spec names as its package
	KindParent  Kind = "parent"  // the image below the new layer
	KindHost    Kind = "host"    // the machine that the image was built on
	KindOverlay Kind = "overlay" // rootfs/ beside the spec
	KindPackage Kind = "package" // a package of a distribution
	KindSmith   Kind = "smith"   // smith itself; never an input
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{KindImage, KindParent, KindHost, KindOverlay, KindPackage, KindSmith}
}

// An Input is a source of files.
type Input struct {
	Kind Kind `json:"kind"`
	// Name is the reference as the spec gives it, without any directory of the
	// machine it was built on; "" for a package.
	Name string `json:"name,omitempty"`
	// Package is the package, zero for other kinds.
	Package Package `json:"package,omitzero"`
	// Digest is the manifest's or file's digest, "" for this machine's files.
	Digest string `json:"digest,omitempty"`
	// URL is where a package was offered.
	URL string `json:"url,omitempty"`
	// Repository is what offered a package, in its own words: "Debian bookworm
	// main".
	Repository string `json:"repository,omitempty"`
	// Key is the fingerprint of the key that vouched for a package.
	Key string `json:"key,omitempty"`
	// Note says how the kind was decided, or what vouches for the input.
	Note string `json:"note,omitempty"`
}

// A Script is one that a package runs when it is installed. It was read, not
// run.
type Script struct {
	Package Package `json:"package"`
	// Name is the package format's name of the script: "postinst".
	Name    string   `json:"name"`
	Effects []Effect `json:"effects,omitempty"`
}

// An EffectClass is what smith did about an effect. The set is closed.
type EffectClass string

// The classes of effects.
const (
	EffectEmulated   EffectClass = "emulated"   // smith did the same
	EffectIrrelevant EffectClass = "irrelevant" // the image has no use for it
	EffectUnhandled  EffectClass = "unhandled"  // the image lacks it
)

// EffectClasses returns all classes of effects.
func EffectClasses() []EffectClass {
	return []EffectClass{EffectEmulated, EffectIrrelevant, EffectUnhandled}
}

// An Effect is something that a script would have done.
type Effect struct {
	Class EffectClass `json:"class"`
	// Command is what would have been run, as far as that is known, and Line
	// where it stands.
	Command string `json:"command"`
	Line    int    `json:"line"`
	// Why tells why it has its class.
	Why string `json:"why"`
	// Path is what an unhandled effect changes, or is about, where that is known.
	Path string `json:"path,omitempty"`
}

// A FileType is what a path of an image is. The set is closed. Smith makes no
// devices, FIFOs and sockets; images of other tools may hold them.
type FileType string

// The types of files.
const (
	TypeFile      FileType = "file"
	TypeDirectory FileType = "dir"
	TypeSymlink   FileType = "symlink"
	TypeHardlink  FileType = "hardlink"
	TypeDevice    FileType = "device"
	TypeFIFO      FileType = "fifo"
	TypeSocket    FileType = "socket"
)

// FileTypes returns all types of files.
func FileTypes() []FileType {
	return []FileType{TypeFile, TypeDirectory, TypeSymlink, TypeHardlink, TypeDevice, TypeFIFO, TypeSocket}
}

// A File is one path of the image.
type File struct {
	Path   string   `json:"path"`
	Type   FileType `json:"type"`
	Size   int64    `json:"size,omitempty"`
	Link   string   `json:"link,omitempty"`
	Digest string   `json:"digest,omitempty"`
	// Capabilities are those that the spec gives to the program, by name.
	Capabilities []string `json:"capabilities,omitempty"`
	// Origin is where the bytes came from: the kind and name of an input, and
	// the digest of its layer or package.
	Origin *Origin `json:"origin,omitempty"`
	// Reasons are why the file is there, the first one found first.
	Reasons []Reason `json:"reasons"`
}

// An Origin is where a file's bytes came from. It is comparable.
type Origin struct {
	Kind Kind `json:"kind"`
	// Name is that of the input; of a file that smith made what it is, such as
	// "package database"; "" for a package.
	Name string `json:"name,omitempty"`
	// Package is the package that the file is of; of a file that smith made the
	// package that it is about, or whose script would have made it.
	Package Package `json:"package,omitzero"`
	// Script is the package's script that would have made the file, where smith
	// made it in its place: "postinst".
	Script string `json:"script,omitempty"`
	// Digest is that of the layer or package file that held the file, or "".
	Digest string `json:"digest,omitempty"`
}

// String names the origin for a reader: "package zlib1g 1:1.2.13 amd64",
// "smith postinst of nginx 1.22 amd64".
func (o Origin) String() string {
	if label := o.Label(); label != "" && label != string(o.Kind) {
		return string(o.Kind) + " " + label
	}
	return string(o.Kind)
}

// Label names the origin among those of its kind.
func (o Origin) Label() string {
	switch {
	case o.Package.IsZero():
		return o.Name
	case o.Kind == KindPackage:
		return o.Package.String()
	}
	return cmp.Or(o.Script, o.Name) + " of " + o.Package.String()
}

// A Reason is one edge of the closure: why a path is there.
type Reason struct {
	// Rule is the rule that brought the path.
	Rule Rule `json:"rule"`
	// From is the path that needs this one, "" where the spec asks for it.
	From string `json:"from,omitempty"`
	// Detail is for the reader: the glob and its line, the soname and where it
	// was found, the words after "#!".
	Detail string `json:"detail,omitempty"`
}

// A Finding is something that was looked at and not simply kept.
type Finding struct {
	// Name is the path, soname or version in question.
	Name string `json:"name"`
	// From is the path that asks for it.
	From string `json:"from,omitempty"`
	// Detail says why, and where it was looked for.
	Detail string `json:"detail,omitempty"`
}
