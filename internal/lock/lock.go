// Package lock is smith.lock: the exact packages and images that a spec was
// resolved to, for each platform, so that later builds use the same. It reads
// and writes the file, and resolves nothing.
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
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"smith/record"
)

// Version is the version of the file's format. Version 1 is read too.
const Version = 2

// A Lock is what the spec was resolved to.
type Lock struct {
	Version int `yaml:"version"`
	// Platforms are keyed by name, such as "linux/amd64".
	Platforms map[string]*Platform `yaml:"platforms"`
}

// Family is the format of the packages of all platforms, "" if there are none.
func (l *Lock) Family() record.Format {
	for _, name := range slices.Sorted(maps.Keys(l.Platforms)) {
		if f := l.Platforms[name].Family; f != "" {
			return f
		}
	}
	return ""
}

// A Platform is what the spec was resolved to for one platform.
type Platform struct {
	// Family is the format of the packages, "" where there are none.
	Family record.Format `yaml:"family,omitempty"`
	// Requests are what the spec asked for.
	Requests Requests `yaml:"requests,omitempty"`
	// Packages are the whole set, including those whose files no image needs,
	// sorted by name.
	Packages []Package `yaml:"packages,omitempty"`
	Images   []Image   `yaml:"images,omitempty"`
}

// A Package is one of the set.
type Package struct {
	Name         string `yaml:"name"`
	Version      string `yaml:"version"`
	Architecture string `yaml:"architecture"`
	// URL is where it was available, or the path of a file as the spec has it.
	URL    string `yaml:"url"`
	Size   int64  `yaml:"size"`
	SHA256 string `yaml:"sha256"`
	// Essential reports whether no package of the set depends on it: every
	// system of the distribution has it, and it is opened only if the set lacks
	// something.
	Essential bool `yaml:"essential,omitempty"`
	// Repository is the name that its repository gives itself: "Debian bookworm
	// main".
	Repository string `yaml:"repository,omitempty"`
	// Key is the fingerprint of the key that vouched for it, "" if none did.
	Key string `yaml:"key,omitempty"`
	// Vouched describes what vouched for it if no key did.
	Vouched string `yaml:"vouched,omitempty"`
	// Debug is the source package whose debug information it holds, "" for all
	// other packages. Such a package is opened only for files that an image
	// keeps.
	Debug string `yaml:"debug,omitempty"`
}

// String is the package's name in messages.
func (p Package) String() string { return p.Name + " " + p.Version + " " + p.Architecture }

// An Image is an image input.
type Image struct {
	Reference string `yaml:"reference"`
	Digest    string `yaml:"digest"`
}

// maxFile bounds smith.lock.
const maxFile = 64 << 20

// ReadFile reads the lock at a path. The error is fs.ErrNotExist if the file
// does not exist.
func ReadFile(path string) (*Lock, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("cannot read %s: it is larger than %d bytes; run \"smith lock --update\" to rewrite it", path, maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; run \"smith lock --update\" to rewrite it", path, err)
	}
	return l, nil
}

// Encode returns the file, sorted to keep diffs small.
func (l *Lock) Encode() ([]byte, error) {
	for _, p := range l.Platforms {
		p.Requests.Sort()
		slices.SortFunc(p.Packages, func(a, b Package) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Version, b.Version))
		})
		slices.SortFunc(p.Images, func(a, b Image) int { return cmp.Compare(a.Reference, b.Reference) })
	}
	var out bytes.Buffer
	out.WriteString("# Written by smith lock; \"smith lock --update\" renews it.\n")
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

// WriteFile replaces the file at a path atomically.
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

// Absent reports whether an error of ReadFile means that the lock does not exist.
func Absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// A Change is how the lock of a platform differs from an old one.
type Change struct {
	Platform string `json:"platform"`
	// Packages and Images are how many the lock lists.
	Packages int `json:"packages"`
	Images   int `json:"images"`
	// First reports whether there was no old lock for the platform.
	First bool `json:"first,omitempty"`
	// Entries are the packages and images that differ, sorted by name, nil for
	// a first lock.
	Entries []ChangedEntry `json:"entries,omitempty"`
}

// A ChangedEntry is a package or image with its versions or digests, "" for a
// lock that does not list it.
type ChangedEntry struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// String describes the change in a line for each entry and a summary line.
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

// versions returns the versions of packages and the digests of images by name.
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
