// Package reference decides what a name means: a file, a layout folder, a
// registry, a package, or this machine. It is decided here and nowhere else,
// by the same rules for package, parent and -i, so that a mistyped file name
// is never something to pull. It asks no network, and of the file system only
// whether a path is there.
package reference

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Kind is what a name means.
type Kind string

// The kinds of references.
const (
	Archive  Kind = "archive"  // an image in a file
	Layout   Kind = "layout"   // an OCI image layout folder
	Registry Kind = "registry" // an image in a registry
	Package  Kind = "package"  // a package of a distribution, by name
	Local    Kind = "local"    // a package of a distribution, in a file
	Host     Kind = "host"     // this machine's files
)

// A Reference is a name and what it means.
type Reference struct {
	Kind Kind
	// Path is the file or folder of an Archive, Layout or Local, as given.
	Path string
	// Tag is the tag that follows Path, or "".
	Tag string
	// Remote is a Registry's reference, with its host, and with http:// where
	// it was given: https is understood.
	Remote string
	// Name is the Package's name, in the words of its family.
	Name string
	// Family is the kind of package of Package and Local: deb, rpm or apk.
	Family string
	// Decided says how the kind was decided where the name alone does not show
	// it, for the build to print and record; else "".
	Decided string
}

// String returns the reference as a person would write it.
func (r Reference) String() string {
	switch r.Kind {
	case Registry:
		return r.Remote
	case Package:
		return r.Name
	case Host:
		return "this machine"
	}
	if r.Tag != "" {
		return r.Path + ":" + r.Tag
	}
	return r.Path
}

// A Context is what decides beside the name itself.
type Context struct {
	// Type is the spec's type: "", oci, host, deb, rpm, mock or apk.
	Type string
	// Mock says whether the spec has a section mock.
	Mock bool
	// Locked is the package family of smith.lock, "" if there is none. It decides
	// before the family of this machine.
	Locked string
	// Family is the package family of this machine, from Family.
	Family string
	// Stat tells of a path on this machine, as os.Stat does, or of one in the
	// folder that paths count from.
	Stat func(name string) (fs.FileInfo, error)
}

// Parse decides what the package of a spec is. The first of these holds:
//
//  1. type: host is this machine. With type: deb, rpm, mock or apk a path, or
//     a name that ends in .deb, .rpm or .apk, is a package's file, and every
//     other name is a package's. Of RPM packages, an absolute path without
//     such an end asks for the package that holds it, with a section mock too.
//  2. oci:DIR is a layout folder.
//  3. What begins with ./, ../ or /, or ends in .tar, .tar.gz, .tgz, .deb,
//     .rpm or .apk (before a :tag), is a file or a layout folder. One that is
//     not there is an error.
//  4. A first part with a dot, a port or localhost, then /, or http(s)://, is
//     a registry.
//  5. A bare name is Docker Hub's with type: oci; an RPM package if the spec has
//     a section mock; else a package of the family that smith.lock has, or of
//     this machine's.
func Parse(name string, c Context) (Reference, error) {
	if c.Type == "host" {
		return host(name)
	}
	if err := plain(name); err != nil {
		return Reference{}, err
	}
	file, tag := splitFile(name)
	isFile := isPath(name) || suffixOf(file) != ""
	family := packageFamily(c.Type)
	if (family == "rpm" || c.Type == "" && c.Mock) && strings.HasPrefix(name, "/") && suffixOf(file) == "" {
		return Reference{Kind: Package, Name: name, Family: "rpm"}, nil
	}
	if family != "" {
		if isFile {
			return c.file(file, tag)
		}
		return Reference{Kind: Package, Name: name, Family: family}, nil
	}
	switch dir, isLayout := strings.CutPrefix(name, "oci:"); {
	case isLayout:
		return c.layout(splitTag(dir))
	case isFile:
		return c.file(file, tag)
	case isRegistry(name):
		return registry(name)
	}
	return c.bare(name)
}

// ParseParent decides what the parent of a spec is, by the rules of Parse. It
// is always an image: the spec's type speaks of the package, and only oci,
// which makes a short name Docker Hub's, counts for the parent too.
func ParseParent(name string, c Context) (Reference, error) {
	if c.Type != "oci" {
		c.Type = ""
	}
	c.Mock, c.Family = false, "deb" // any family: a package is refused below
	r, err := Parse(name, c)
	if err == nil && (r.Kind == Package || r.Kind == Local) {
		return Reference{}, fmt.Errorf("%q is no image: a parent is a file such as base.tar.gz, oci:DIR or HOST/NAME:TAG; "+
			"a short name is Docker Hub's with type: oci", name)
	}
	return r, err
}

// ParseImage decides what a name on the command line means that can only be
// an image: an archive, a layout folder or a registry.
func ParseImage(name string, stat func(string) (fs.FileInfo, error)) (Reference, error) {
	c := Context{Type: "oci", Stat: stat}
	if plain(name) == nil && !strings.HasPrefix(name, "oci:") && !isRegistry(name) {
		return c.file(splitFile(name))
	}
	return Parse(name, c)
}

// ParseOutput decides where an image is written to: name.tar.gz[:tag] or
// .tgz, name.tar[:tag], oci:DIR[:tag], or a registry. Nothing need be there.
func ParseOutput(name string) (Reference, error) {
	if err := plain(name); err != nil {
		return Reference{}, err
	}
	if dir, ok := strings.CutPrefix(name, "oci:"); ok {
		dir, tag := splitTag(dir)
		return output(Reference{Kind: Layout, Path: dir, Tag: tag.text}, tag)
	}
	file, tag := splitFile(name)
	switch suffix := suffixOf(file); {
	case suffix == ".tar.gz" || suffix == ".tgz" || suffix == ".tar":
		return output(Reference{Kind: Archive, Path: file, Tag: tag.text}, tag)
	case suffix != "":
		return Reference{}, fmt.Errorf("cannot write an image to %s: use .tar.gz, .tgz, .tar or oci:DIR", file)
	case !isPath(name) && isRegistry(name):
		return registry(name)
	}
	return Reference{}, fmt.Errorf("cannot tell what to write to %q: end it in .tar.gz, .tgz or .tar, or write oci:DIR for a layout folder, HOST/NAME:TAG for a registry", name)
}

// Beside returns the target of an image that belongs to another one: its tag,
// and the name of an archive's file, end in suffix: app.tar.gz:1.2 has
// app-debug.tar.gz:1.2-debug beside it. Where a layout folder or a registry
// would understand a tag, it is the given one.
func (r Reference) Beside(suffix, tag string) (Reference, error) {
	switch r.Kind {
	case Archive:
		ending := suffixOf(r.Path)
		r.Path = strings.TrimSuffix(r.Path, ending) + suffix + ending
		tag = r.Tag
	case Registry:
		parts := r.Split()
		tag = cmp.Or(parts.Tag, tag)
		r.Remote = parts.Host + "/" + parts.Repository + ":" + tag + suffix
		if parts.Plain {
			r.Remote = plainScheme + r.Remote
		}
	default:
		tag = cmp.Or(r.Tag, tag)
	}
	if tag != "" && !tagForm.MatchString(tag+suffix) {
		return Reference{}, fmt.Errorf("%q is no tag for an image: 128 characters at the most", tag+suffix)
	}
	if r.Kind != Registry && tag != "" {
		r.Tag = tag + suffix
	}
	return r, nil
}

// output checks what only a target must fulfil: a tag that tools accept.
func output(r Reference, t tag) (Reference, error) {
	if r.Path == "" {
		return Reference{}, errors.New("oci: names no folder; write oci:DIR or oci:DIR:TAG")
	}
	if t.given && !tagForm.MatchString(t.text) {
		return Reference{}, fmt.Errorf("%q is no tag for an image: letters, digits, and . _ - after the first, 128 at the most", t.text)
	}
	return r, nil
}

// plain refuses what no name holds, and what would garble an error or a record.
func plain(name string) error {
	if name == "" {
		return errors.New("an empty name means nothing")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("name %q holds a control character", shown(name))
	}
	return nil
}

// shown is a name as errors have it: without what may be a password.
func shown(name string) string {
	head, digest := cutDigest(name)
	if i := strings.LastIndexByte(head, '@'); i >= 0 {
		return "…" + head[i:] + digest
	}
	return name
}

// host is type: host, which needs no name.
func host(name string) (Reference, error) {
	r := Reference{Kind: Host}
	if name != "" {
		r.Decided = fmt.Sprintf("type: host takes this machine's files: package %q counts for nothing", name)
	}
	return r, nil
}

// bare is a name without a sign of what it is.
func (c Context) bare(name string) (Reference, error) {
	switch {
	case c.Type == "oci":
		return shortName(name)
	case c.Mock:
		return Reference{Kind: Package, Name: name, Family: "rpm", Decided: "the spec has a section mock"}, nil
	case c.Locked != "":
		return Reference{Kind: Package, Name: name, Family: c.Locked, Decided: "smith.lock has " + c.Locked + " packages"}, nil
	case c.Family == "":
		return Reference{}, fmt.Errorf("cannot tell what package %q is: this machine's os-release names no known family; "+
			"set type: oci, deb, rpm or apk, or write ./%s for a file", name, name)
	}
	return Reference{Kind: Package, Name: name, Family: c.Family, Decided: "this machine is of the " + c.Family + " family"}, nil
}
