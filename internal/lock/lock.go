// Package lock is smith.lock: which packages and images exactly a spec's
// answer was, for each platform, so that a later build uses the same. It reads
// and writes the file; it asks nobody and chooses nothing.
package lock

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Version is the version of the file's form.
const Version = 1

// A Lock is what was chosen.
type Lock struct {
	Version int `yaml:"version"`
	// Platforms are by their names, such as "linux/amd64".
	Platforms map[string]*Platform `yaml:"platforms"`
}

// A Platform is what was chosen for one.
type Platform struct {
	// Requests are what the spec asked for, sorted.
	Requests []string `yaml:"requests,omitempty"`
	// Packages are all of the set, also those whose files no image needed,
	// sorted by name.
	Packages []Package `yaml:"packages,omitempty"`
	Images   []Image   `yaml:"images,omitempty"`
}

// A Package is one of the set.
type Package struct {
	Name         string `yaml:"name"`
	Version      string `yaml:"version"`
	Architecture string `yaml:"architecture"`
	// URL is where it was offered, or the path of a file as the spec has it.
	URL    string `yaml:"url"`
	Size   int64  `yaml:"size"`
	SHA256 string `yaml:"sha256"`
	// Essential says that no package of the set relates to it: it is one that
	// every system of the distribution has, and is opened only where the set
	// lacks something.
	Essential bool `yaml:"essential,omitempty"`
	// Repository is what offered it, in its own words: "Debian bookworm main".
	Repository string `yaml:"repository,omitempty"`
	// Key is the fingerprint of the key that vouched for it, "" where none did.
	Key string `yaml:"key,omitempty"`
	// Vouched says what vouched for it where no key did.
	Vouched string `yaml:"vouched,omitempty"`
	// Debug is the source package of whose files it holds debug information, ""
	// for all others. Such a package is opened only for files that an image
	// keeps.
	Debug string `yaml:"debug,omitempty"`
}

// Debug is the request for the packages with debug information.
const Debug = "debuginfo: true"

// String names the package as messages do.
func (p Package) String() string { return p.Name + " " + p.Version + " " + p.Architecture }

// An Image is an image input.
type Image struct {
	Reference string `yaml:"reference"`
	Digest    string `yaml:"digest"`
}

// Changes says how what is asked for now differs from what the lock was made
// for, "" where it does not.
func (p *Platform) Changes(now []string) string {
	var changes []string
	for _, r := range now {
		if !slices.Contains(p.Requests, r) {
			changes = append(changes, "the spec asks for "+r+" now")
		}
	}
	for _, r := range p.Requests {
		if !slices.Contains(now, r) {
			changes = append(changes, "the spec does not ask for "+r+" any more")
		}
	}
	return strings.Join(changes, ", ")
}

// maxFile bounds smith.lock.
const maxFile = 64 << 20

// ReadFile reads the lock at a path. The error is fs.ErrNotExist where there
// is none.
func ReadFile(path string) (*Lock, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("cannot read %s: it is larger than %d bytes; smith lock --update makes it anew", path, maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; smith lock --update makes it anew", path, err)
	}
	return l, nil
}

// unknownKey matches what the decoder says of a key that a struct lacks.
var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type`)

// Decode reads a lock, strictly.
func Decode(data []byte) (*Lock, error) {
	l := &Lock{}
	if err := yaml.Load(data, l, yaml.WithKnownFields()); err != nil {
		if unknown := unknownKey.FindStringSubmatch(err.Error()); unknown != nil {
			return nil, fmt.Errorf("line %s: a lock has no key %s", unknown[1], unknown[2])
		}
		return nil, err
	}
	if l.Version != Version {
		return nil, fmt.Errorf("it is of version %d, and this smith knows %d", l.Version, Version)
	}
	for name, p := range l.Platforms {
		if p == nil {
			return nil, fmt.Errorf("platform %s is empty", name)
		}
		for _, pkg := range p.Packages {
			if err := pkg.check(); err != nil {
				return nil, fmt.Errorf("platform %s: %w", name, err)
			}
		}
	}
	return l, nil
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (p Package) check() error {
	switch {
	case p.Name == "" || p.Version == "" || p.Architecture == "" || p.URL == "":
		return fmt.Errorf("package %s lacks a name, version, architecture or url", p)
	case !sha256Form.MatchString(p.SHA256):
		return fmt.Errorf("package %s: sha256 %.80q is none", p, p.SHA256)
	case p.Size < 0:
		return fmt.Errorf("package %s: size %d is none", p, p.Size)
	}
	return nil
}

// Encode returns the file: sorted, so that a diff shows what changed.
func (l *Lock) Encode() ([]byte, error) {
	for _, p := range l.Platforms {
		slices.Sort(p.Requests)
		slices.SortFunc(p.Packages, func(a, b Package) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Version, b.Version))
		})
		slices.SortFunc(p.Images, func(a, b Image) int { return cmp.Compare(a.Reference, b.Reference) })
	}
	var out bytes.Buffer
	out.WriteString("# Written by smith lock; smith lock --update moves it on.\n")
	d, err := yaml.NewDumper(&out, yaml.WithIndent(2))
	if err == nil {
		err = d.Dump(l)
	}
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write a lock: %w", err)
	}
	return out.Bytes(), nil
}

// WriteFile puts the lock at a path: the old one stays, or the new one is there.
func (l *Lock) WriteFile(path string) error {
	data, err := l.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".smith.lock.*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Absent says whether an error of ReadFile means that there is no lock.
func Absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// A Change is how the lock of a platform differs from an old one.
type Change struct {
	Platform string `json:"platform"`
	// Packages and Images are how many the lock lists.
	Packages int `json:"packages"`
	Images   int `json:"images"`
	// First is set where there was no old lock for the platform.
	First bool `json:"first,omitempty"`
	// Entries are the packages and images that differ, sorted by name, nil for
	// a first lock.
	Entries []ChangedEntry `json:"entries,omitempty"`
}

// A ChangedEntry is a package or image with its versions or digests; "" where
// the lock does not list it.
type ChangedEntry struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// String describes the change in a line for each entry and one for the whole.
func (c Change) String() string {
	var b strings.Builder
	for _, e := range c.Entries {
		switch {
		case e.Before == "":
			fmt.Fprintf(&b, "%s: added %s %s\n", c.Platform, e.Name, e.After)
		case e.After == "":
			fmt.Fprintf(&b, "%s: removed %s %s\n", c.Platform, e.Name, e.Before)
		default:
			fmt.Fprintf(&b, "%s: changed %s %s → %s\n", c.Platform, e.Name, e.Before, e.After)
		}
	}
	var listed []string
	if c.Packages > 0 || c.Images == 0 {
		listed = append(listed, counted(c.Packages, "package"))
	}
	if c.Images > 0 {
		listed = append(listed, counted(c.Images, "image"))
	}
	fmt.Fprintf(&b, "%s: locked %s", c.Platform, strings.Join(listed, " and "))
	if !c.First {
		fmt.Fprintf(&b, ", %d changed", len(c.Entries))
	}
	return b.String()
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Changes returns for each platform how the lock differs from an old one, which
// may be nil.
func (l *Lock) Changes(old *Lock) []Change {
	changes := []Change{}
	for _, name := range slices.Sorted(maps.Keys(l.Platforms)) {
		p := l.Platforms[name]
		c := Change{Platform: name, Packages: len(p.Packages), Images: len(p.Images), First: old == nil || old.Platforms[name] == nil}
		if !c.First {
			before, now := old.Platforms[name].versions(), p.versions()
			all := maps.Clone(before)
			maps.Copy(all, now)
			for _, entry := range slices.Sorted(maps.Keys(all)) {
				if before[entry] != now[entry] {
					c.Entries = append(c.Entries, ChangedEntry{entry, before[entry], now[entry]})
				}
			}
		}
		changes = append(changes, c)
	}
	return changes
}

// versions are those of packages and images by their names.
func (p *Platform) versions() map[string]string {
	all := map[string]string{}
	for _, pkg := range p.Packages {
		all[pkg.Name+":"+pkg.Architecture] = pkg.Version
	}
	for _, image := range p.Images {
		all[image.Reference] = image.Digest
	}
	return all
}
