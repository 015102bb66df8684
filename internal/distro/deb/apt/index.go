package apt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"smith/internal/cache/store"
	"smith/internal/cache/table"
	"smith/internal/distro/deb/control"
)

const (
	// indexes is the bucket of indexes, by the digest of the Packages file.
	// It has the version of what is kept of a package in its name.
	indexes = "deb-packages-2"
	// maxIndex bounds the plain bytes of a Packages file; Debian's main has 50 MB.
	maxIndex = 1 << 30
)

// Keys of an index's table are one of these and a name.
const (
	called    = "=" // packages of that name
	providing = ">" // packages that provide it
	essential = "!" // with no name behind it: the essential packages
	debugging = "?" // packages with debug information of more than one, by the source package
)

// An Index is the packages of one Packages file, in its order, read from the
// cache: a package's paragraph is read when somebody asks for it. It is safe
// for many goroutines.
type Index struct {
	// Release is what vouches for the packages.
	Release *Release
	// Component is "main" and the like, "" in a flat repository.
	Component string
	// Source is the entry of the configuration that offers them.
	Source *Source

	architecture string // that was asked for

	table *table.Table
}

// Close lets go of the cache entry.
func (x *Index) Close() error { return x.table.Close() }

// Len returns the number of packages.
func (x *Index) Len() int { return x.table.Len() }

// Paragraph returns what the index says of package i. Fields that only people
// read, such as Description, are left out.
func (x *Index) Paragraph(i int) (control.Paragraph, error) {
	text, err := x.table.Record(i)
	if err != nil {
		return nil, err
	}
	return control.Parse(string(text))
}

// Named returns the packages that are called so, in the order of the index.
func (x *Index) Named(name string) ([]int, error) { return x.table.Find(called + name) }

// Providers returns the packages that provide a name, with or without a
// version, in the order of the index.
func (x *Index) Providers(name string) ([]int, error) { return x.table.Find(providing + name) }

// Essential returns the packages that every system of the distribution has
// (Debian Policy, 3.8), in the order of the index.
func (x *Index) Essential() ([]int, error) { return x.table.Find(essential) }

// Names returns the names of all packages, sorted.
func (x *Index) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range x.table.Keys(called) {
			if !yield(strings.TrimPrefix(key, called)) {
				return
			}
		}
	}
}

// String names the index as messages do: "bookworm/main".
func (x *Index) String() string { return strings.Trim(x.Source.Suite+"/"+x.Component, "/") }

// Repository names what offers the packages as it names itself: "Debian
// bookworm main". One that does not is named by where it lies.
func (x *Index) Repository() string {
	r := x.Release
	words := []string{cmp.Or(r.Origin, r.Label, x.Offer().Site), cmp.Or(r.Codename, r.Suite, x.Source.Suite), x.Component}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
}

// isKept reports whether something here reads a field of a package.
func isKept(field string) bool {
	switch field {
	case "Package", "Version", "Architecture", "Multi-Arch", "Source",
		"Essential", "Important", "Protected", "Priority",
		"Build-Ids",
		"Depends", "Pre-Depends", "Recommends", "Conflicts", "Breaks", "Replaces", "Provides",
		"Filename", "Size", "SHA256":
		return true
	}
	return false
}

// writeIndex reads a Packages file and keeps its index under a key.
func writeIndex(ctx context.Context, st *store.Store, key string, packages io.Reader) (*table.Table, error) {
	w, err := table.NewWriter(st, indexes)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	r := control.NewReader(packages)
	for number := 1; ; number++ {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return w.Commit(key)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if err := addPackage(w, p); err != nil {
			return nil, fmt.Errorf("package %d, %q: %w", number, p.Get("Package"), err)
		}
	}
}

// addPackage takes a package in. One without a name, version or architecture
// is none of Debian's: no tool would have listed it.
func addPackage(w *table.Writer, p control.Paragraph) error {
	if p.Get("Package") == "" || p.Get("Version") == "" || p.Get("Architecture") == "" {
		return errors.New("it has no name, version or architecture")
	}
	if !control.IsName(p.Get("Package")) {
		return nil // dpkg would refuse to unpack it
	}
	keys := []string{called + p.Get("Package")}
	if p.Get("Essential") == "yes" {
		keys = append(keys, essential)
	}
	if p.Get("Build-Ids") != "" && !IsDebugName(p.Get("Package")) {
		source, _ := sourceOf(p)
		keys = append(keys, debugging+source)
	}
	provided, err := control.ParseRelations(p.Get("Provides"), p.Get("Architecture"))
	if err != nil {
		return err
	}
	for _, alternatives := range provided {
		for _, r := range alternatives {
			if key := providing + r.Name; !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	kept := slices.DeleteFunc(p, func(f control.Field) bool { return !isKept(f.Name) })
	return w.Add([]byte(kept.String()), keys...)
}
