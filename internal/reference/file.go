package reference

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

var (
	// tagForm is a tag as registries have it (OCI distribution-spec, "Pulling manifests").
	tagForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	// nameForm is what a file's index may call an image (OCI image-spec,
	// org.opencontainers.image.ref.name): some tools write a whole reference.
	nameForm = regexp.MustCompile(`^[A-Za-z0-9_]+(?:(?:[-._:@+/]|--|__)[A-Za-z0-9_]+)*$`)
)

// suffixes are those by which a name is a file. The longer of two that fit
// comes first.
var suffixes = []string{".tar.gz", ".tgz", ".tar", ".deb", ".rpm", ".apk"}

// suffixOf returns the suffix by which a name is a file, or "".
func suffixOf(name string) string {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) && len(name) > len(s) {
			return s
		}
	}
	return ""
}

var drive = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

// isPath says whether a name begins as only a path does.
func isPath(name string) bool {
	for _, prefix := range []string{"/", "./", "../", `.\`, `..\`, `\\`} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "." || name == ".." || drive.MatchString(name)
}

// A tag is what follows a file's or folder's name and a colon.
type tag struct {
	text  string
	given bool
}

// splitFile splits "file.tar:tag", where the file has a known suffix, and
// "./path:tag". Of several colons the first after a suffix counts: a tag may
// hold colons itself, as in base.tar:example.org/team/app:1.2.
func splitFile(name string) (string, tag) {
	if suffixOf(name) != "" {
		return name, tag{}
	}
	for i := range len(name) {
		if name[i] == ':' && suffixOf(name[:i]) != "" {
			return name[:i], tag{name[i+1:], true}
		}
	}
	if isPath(name) {
		return splitTag(name)
	}
	return name, tag{}
}

// splitTag splits at the last colon that no slash follows: the colon of a
// drive's letter is followed by one.
func splitTag(name string) (string, tag) {
	i := strings.LastIndexByte(name, ':')
	if i < 1 || strings.ContainsAny(name[i:], `/\`) {
		return name, tag{}
	}
	return name[:i], tag{name[i+1:], true}
}

// file is a name that can only be a file or a folder.
func (c Context) file(file string, t tag) (Reference, error) {
	info, err := c.Stat(file)
	if errors.Is(err, fs.ErrNotExist) && t.given {
		// A file whose own name holds a colon.
		if whole, wholeErr := c.Stat(file + ":" + t.text); wholeErr == nil {
			info, err, file, t = whole, nil, file+":"+t.text, tag{}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Reference{}, fmt.Errorf("%s is not there; a name of this form is a file and never pulled", file)
	case err != nil:
		return Reference{}, fmt.Errorf("cannot open %s: %w", file, reason(err))
	case info.IsDir():
		return c.layout(file, t)
	case !info.Mode().IsRegular():
		return Reference{}, fmt.Errorf("%s is neither a file nor a folder", file)
	}
	switch suffix := suffixOf(file); suffix {
	case ".deb", ".rpm", ".apk":
		return c.local(file, suffix[1:], t)
	}
	return c.image(Reference{Kind: Archive, Path: file, Tag: t.text}, t)
}

// reason leaves out the path that package os repeats.
func reason(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}

// image refuses an image where the spec's type asks for a package, and a tag
// that is none.
func (c Context) image(r Reference, t tag) (Reference, error) {
	if packageFamily(c.Type) != "" {
		return Reference{}, fmt.Errorf("%s is an image, but the spec says type: %s; write type: oci", r.Path, c.Type)
	}
	if t.given && (len(t.text) > 512 || !nameForm.MatchString(t.text)) {
		return Reference{}, fmt.Errorf("%q is no tag of an image in %s", t.text, r.Path)
	}
	return r, nil
}

// local is a package's file, which has no tags and is of the spec's type.
func (c Context) local(file, family string, t tag) (Reference, error) {
	if t.given {
		return Reference{}, fmt.Errorf("%s is a package and has no tags: leave :%s out", file, t.text)
	}
	switch packageFamily(c.Type) {
	case family:
	case "":
		if c.Type != "" {
			return Reference{}, fmt.Errorf("%s is a .%s package, not an image", file, family)
		}
	default:
		return Reference{}, fmt.Errorf("%s is a .%s package, but the spec says type: %s", file, family, c.Type)
	}
	return Reference{Kind: Local, Path: file, Family: family}, nil
}

// layout is a folder, which must be an OCI image layout (OCI image-spec,
// image-layout.md: it holds a file oci-layout).
func (c Context) layout(dir string, t tag) (Reference, error) {
	if dir == "" {
		return Reference{}, errors.New("oci: names no folder; write oci:DIR or oci:DIR:TAG")
	}
	info, err := c.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && t.given {
		if whole, wholeErr := c.Stat(dir + ":" + t.text); wholeErr == nil {
			info, err, dir, t = whole, nil, dir+":"+t.text, tag{}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Reference{}, fmt.Errorf("folder %s is not there", dir)
	case err != nil:
		return Reference{}, fmt.Errorf("cannot open folder %s: %w", dir, reason(err))
	case !info.IsDir():
		return Reference{}, fmt.Errorf("%s is a file, not an OCI layout folder; leave out the oci: in front", dir)
	}
	if _, err := c.Stat(path.Join(dir, "oci-layout")); err != nil {
		return Reference{}, fmt.Errorf("folder %s is no OCI layout: it has no file oci-layout", dir)
	}
	return c.image(Reference{Kind: Layout, Path: dir, Tag: t.text}, t)
}
