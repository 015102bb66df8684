// Package reference decides what a name means: a file, a layout folder, a
// registry, a package, or this machine. It is decided here and nowhere else,
// by the same rules for package, parent and -i, so that a mistyped file name
// is never something to pull.
package reference

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
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
	// Path is the file or folder of an Archive, Layout or Local.
	Path string
	// Tag is the tag that follows Path, or "".
	Tag string
	// Remote is a Registry's reference, with its host.
	Remote string
	// Name is the Package's name.
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
	// Family is the package family of this machine, from Family.
	Family string
	// Stat tells of a path on this machine, as os.Stat does, or of one in the
	// folder that paths count from.
	Stat func(name string) (fs.FileInfo, error)
}

var (
	tagForm  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	nameForm = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$`)
)

// suffixes are those by which a name is a file.
var suffixes = []string{".tar.gz", ".tgz", ".tar", ".deb", ".rpm", ".apk"}

// Parse decides what a name of the spec means, in the order that docs/images.md
// gives. Files and folders must be there; nothing is asked of any network.
func Parse(name string, c Context) (Reference, error) {
	if err := plain(name); err != nil {
		return Reference{}, err
	}
	if c.Type == "host" {
		return Reference{Kind: Host}, nil
	}
	if strings.HasPrefix(name, "oci:") {
		return c.layout(splitTag(strings.TrimPrefix(name, "oci:")))
	}
	file, tag := splitFile(name)
	isPath := strings.HasPrefix(name, "./") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../")
	switch {
	case isPath || suffixOf(file) != "":
		return c.file(file, tag)
	case registry(name):
		return remote(name)
	}
	return c.bare(name)
}

// ParseImage decides what a name on the command line means that can only be
// an image: an archive, a layout folder or a registry.
func ParseImage(name string, stat func(string) (fs.FileInfo, error)) (Reference, error) {
	c := Context{Type: "oci", Stat: stat}
	if plain(name) == nil && !strings.HasPrefix(name, "oci:") && !registry(name) {
		file, tag := splitFile(name)
		return c.file(file, tag)
	}
	return Parse(name, c)
}

// ParseOutput decides where an image is written to: name.tar.gz[:tag] or
// .tgz, name.tar[:tag], oci:DIR[:tag], or a registry.
func ParseOutput(name string) (Reference, error) {
	if err := plain(name); err != nil {
		return Reference{}, err
	}
	if rest, ok := strings.CutPrefix(name, "oci:"); ok {
		dir, tag := splitTag(rest)
		if dir == "" {
			return Reference{}, fmt.Errorf("%q names no folder; write oci:DIR", name)
		}
		return checkTag(Reference{Kind: Layout, Path: dir, Tag: tag})
	}
	file, tag := splitFile(name)
	switch suffix := suffixOf(file); {
	case suffix == ".tar.gz" || suffix == ".tgz" || suffix == ".tar":
		return checkTag(Reference{Kind: Archive, Path: file, Tag: tag})
	case suffix != "":
		return Reference{}, fmt.Errorf("cannot write an image to %s: use .tar.gz, .tgz, .tar or oci:DIR", file)
	case registry(name):
		return remote(name)
	}
	return Reference{}, fmt.Errorf("cannot tell what %q is: end it in .tar.gz, .tgz or .tar, or write oci:DIR for a layout folder", name)
}

func plain(name string) error {
	if name == "" {
		return fmt.Errorf("an empty name means nothing")
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("name %q holds a control character", name)
	}
	return nil
}

// suffixOf returns the suffix by which a name is a file, or "".
func suffixOf(name string) string {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) && len(name) > len(s) {
			return s
		}
	}
	return ""
}

// splitFile splits "file.tar:tag", where what precedes the colon has a suffix
// of a file or begins like a path.
func splitFile(name string) (file, tag string) {
	if suffixOf(name) != "" {
		return name, ""
	}
	before, after := splitTag(name)
	if suffixOf(before) != "" || strings.HasPrefix(before, "./") || strings.HasPrefix(before, "/") || strings.HasPrefix(before, "../") {
		return before, after
	}
	return name, ""
}

// splitTag splits at the last colon that no slash follows.
func splitTag(name string) (before, tag string) {
	i := strings.LastIndexByte(name, ':')
	if i < 2 || strings.ContainsAny(name[i:], `/\`) {
		return name, "" // "C:" is a drive, not a name with a tag
	}
	return name[:i], name[i+1:]
}

func checkTag(r Reference) (Reference, error) {
	if r.Tag != "" && !tagForm.MatchString(r.Tag) {
		return Reference{}, fmt.Errorf("%q is no tag: letters, digits, and . _ - after the first, 128 at the most", r.Tag)
	}
	return r, nil
}

// file is a name that can only be a file or a folder.
func (c Context) file(file, tag string) (Reference, error) {
	info, err := c.Stat(file)
	if err != nil && tag != "" {
		// A file whose own name holds a colon.
		if whole, err2 := c.Stat(file + ":" + tag); err2 == nil {
			info, err, file, tag = whole, nil, file+":"+tag, ""
		}
	}
	if err != nil {
		return Reference{}, fmt.Errorf("%s is not there; a name of this form is a file and never pulled", file)
	}
	if info.IsDir() {
		return c.layout(file, tag)
	}
	switch suffix := suffixOf(file); suffix {
	case ".deb", ".rpm", ".apk":
		return c.agree(Reference{Kind: Local, Path: file, Family: suffix[1:]})
	}
	if !info.Mode().IsRegular() {
		return Reference{}, fmt.Errorf("%s is neither a file nor a folder", file)
	}
	if c.Type != "" && c.Type != "oci" {
		return Reference{}, fmt.Errorf("%s is an image, not a package of type %s; use type: oci", file, c.Type)
	}
	return checkTag(Reference{Kind: Archive, Path: file, Tag: tag})
}

// agree refuses a package file of another family than the spec's type.
func (c Context) agree(r Reference) (Reference, error) {
	if family := packageFamily(c.Type); c.Type != "" && family != r.Family {
		return Reference{}, fmt.Errorf("%s is a .%s package, but the spec says type: %s", r.Path, r.Family, c.Type)
	}
	return r, nil
}

func (c Context) layout(dir, tag string) (Reference, error) {
	info, err := c.Stat(dir)
	if err != nil {
		return Reference{}, fmt.Errorf("folder %s is not there", dir)
	}
	if !info.IsDir() {
		return Reference{}, fmt.Errorf("%s is a file, not an OCI layout folder", dir)
	}
	if _, err := c.Stat(path.Join(dir, "oci-layout")); err != nil {
		return Reference{}, fmt.Errorf("folder %s is no OCI layout: it has no file oci-layout", dir)
	}
	return checkTag(Reference{Kind: Layout, Path: dir, Tag: tag})
}

// registry says whether a name's first part can only be a registry's host.
func registry(name string) bool {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return true
	}
	host, rest, found := strings.Cut(name, "/")
	return found && rest != "" && (strings.ContainsAny(host, ".:") || host == "localhost")
}

func remote(name string) (Reference, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://")
	host, repository, _ := strings.Cut(rest, "/")
	if host == "" || !nameForm.MatchString(repository) {
		return Reference{}, fmt.Errorf("%q is no image in a registry; write host/name:tag", withoutPassword(name))
	}
	return Reference{Kind: Registry, Remote: name}, nil
}

// withoutPassword hides what stands before "@" in a URL's host.
func withoutPassword(name string) string {
	scheme, rest, found := strings.Cut(name, "://")
	host, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); found && i >= 0 {
		return scheme + "://…@" + rest[i+1:]
	}
	return name
}

// bare is a name without a sign of what it is.
func (c Context) bare(name string) (Reference, error) {
	if c.Type == "oci" {
		return shortName(name)
	}
	if family := packageFamily(c.Type); family != "" {
		return Reference{Kind: Package, Name: name, Family: family}, nil
	}
	if c.Mock {
		return Reference{Kind: Package, Name: name, Family: "rpm", Decided: "the spec has a section mock"}, nil
	}
	if c.Family == "" {
		return Reference{}, fmt.Errorf("cannot tell what package %q is: this machine's os-release names no known family; set type: oci, host, deb, rpm or apk", name)
	}
	return Reference{Kind: Package, Name: name, Family: c.Family, Decided: "this machine is of the " + c.Family + " family"}, nil
}

// shortName is a name of Docker Hub, which only type: oci makes it.
func shortName(name string) (Reference, error) {
	if !nameForm.MatchString(name) {
		return Reference{}, fmt.Errorf("%q is no image's name; write a file, host/name:tag, or a short name such as debian:12", name)
	}
	long := name
	if !strings.Contains(name, "/") {
		long = "library/" + name
	}
	return Reference{Kind: Registry, Remote: "docker.io/" + long, Decided: "a short name with type: oci is Docker Hub's"}, nil
}

// packageFamily returns the family of packages that a spec's type asks for.
func packageFamily(typ string) string {
	switch typ {
	case "mock", "rpm":
		return "rpm"
	case "deb", "apk":
		return typ
	}
	return ""
}

// families are the distributions by which os-release's ID and ID_LIKE tell
// the family (os-release(5)).
var families = map[string]string{
	"debian": "deb", "ubuntu": "deb",
	"fedora": "rpm", "rhel": "rpm", "centos": "rpm", "suse": "rpm", "opensuse": "rpm", "ol": "rpm",
	"amzn": "rpm", "azurelinux": "rpm", "mariner": "rpm", "rocky": "rpm", "almalinux": "rpm",
	"alpine": "apk", "wolfi": "apk", "chainguard": "apk",
}

// Family returns the family of packages, deb, rpm or apk, that an os-release
// file stands for, or "" where it names none that is known.
func Family(osRelease []byte) string {
	var ids []string
	for line := range strings.SplitSeq(string(osRelease), "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			ids = slices.Insert(ids, 0, value)
		case "ID_LIKE":
			ids = append(ids, strings.Fields(value)...)
		}
	}
	for _, id := range ids {
		if family := families[id]; family != "" {
			return family
		}
	}
	return ""
}
