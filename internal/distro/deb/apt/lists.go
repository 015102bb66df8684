package apt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/cache/table"
	"smith/internal/compress"
	"smith/internal/event"
	"smith/internal/network/fetch"
)

// Open returns the lists of packages that sources have for an architecture,
// in their order. What the cache does not have yet is fetched. The caller
// closes them.
func (o *Opener) Open(ctx context.Context, sources []*Source, architecture string) ([]*Index, error) {
	found := make([][]*Index, len(sources))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, s := range sources {
		if len(s.Architectures) > 0 && !slices.Contains(s.Architectures, architecture) {
			continue
		}
		group.Go(func() (err error) {
			found[i], err = o.open(groupCtx, s, architecture)
			return err
		})
	}
	err := group.Wait()
	all := slices.Concat(found...)
	if err != nil {
		for _, x := range all {
			x.Close()
		}
		return nil, err
	}
	return all, nil
}

// open returns the lists of one source. A component that the release has no
// list of is reported: the name was written for a reason.
func (o *Opener) open(ctx context.Context, s *Source, architecture string) ([]*Index, error) {
	r, err := o.release(ctx, s)
	if err != nil {
		return nil, err
	}
	components := s.Components
	if strings.HasSuffix(s.Suite, "/") {
		components = []string{""}
	}
	var all []*Index
	for _, component := range components {
		lists := r.lists(component, architecture)
		if len(lists) == 0 {
			o.Events.Warn(fmt.Sprintf("%s: repository %s has no packages for %s in component %q%s", s.Where, s, architecture, component, r.instead(architecture)))
		}
		for _, list := range lists {
			x, err := o.list(ctx, s, r, list)
			if err != nil {
				for _, x := range all {
					x.Close()
				}
				return nil, fmt.Errorf("%s: repository %s: %w", s.Where, s, err)
			}
			x.Source, x.Release, x.Component, x.architecture = s, r, component, architecture
			all = append(all, x)
		}
	}
	return all, nil
}

// forms are the names that a file has when it is compressed, the best first.
func forms() []string { return []string{".xz", ".zst", ".gz", ".bz2", ""} }

// lists returns the names of the Packages files of a component, as they are
// compressed: that of the architecture, and that of the packages for all where
// it stands apart.
func (r *Release) lists(component, architecture string) []string {
	folders := []string{component + "/binary-" + architecture}
	switch {
	case component == "":
		folders = []string{""}
	case !r.noAll && slices.Contains(r.Architectures, "all"):
		folders = append(folders, component+"/binary-all")
	}
	var names []string
	for _, directory := range folders {
		if name := r.find(path.Join(directory, "Packages")); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// instead says what the release has where something is not there: components
// for an architecture, or other architectures.
func (r *Release) instead(architecture string) string {
	var components []string
	for name := range r.files {
		if component, rest, found := strings.Cut(name, "/binary-"+architecture+"/"); found && strings.HasPrefix(rest, "Packages") {
			components = append(components, component)
		}
	}
	slices.Sort(components)
	switch components = slices.Compact(components); {
	case len(components) > 0:
		return "; it has " + strings.Join(components, ", ")
	case len(r.Architectures) > 0:
		return "; it has some for " + strings.Join(r.Architectures, ", ")
	}
	return ""
}

// find returns the best of the compressed forms of a file, or "".
func (r *Release) find(name string) string {
	for _, form := range forms() {
		if _, ok := r.files[name+form]; ok {
			return name + form
		}
	}
	return ""
}

// list opens the index of a Packages file.
func (o *Opener) list(ctx context.Context, s *Source, r *Release, name string) (*Index, error) {
	key := r.files[name].digest.String()
	t, err := table.Open(o.Store, indexes, key)
	if errors.Is(err, fs.ErrNotExist) {
		t, err = o.index(ctx, s, r, name, key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Index{table: t}, nil
}

// index makes the index of a Packages file.
func (o *Opener) index(ctx context.Context, s *Source, r *Release, name, key string) (*table.Table, error) {
	e, err := o.fetch(ctx, s, r, name)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	step := o.Events.Step(event.Resolve, "the package list of "+s.String(), e.Size())
	defer step.Done()
	plain, err := compress.NewReader(ctx, event.Reader(io.NewSectionReader(e, 0, e.Size()), step), maxIndex)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return writeIndex(ctx, o.Store, key, plain)
}

// fetch brings a file that a release vouches for.
func (o *Opener) fetch(ctx context.Context, s *Source, r *Release, name string) (*store.Entry, error) {
	f := r.files[name]
	file := fetch.File{Name: s.Suite + "/" + name, Digest: f.digest, Size: f.size, Limit: maxIndex}
	for _, mirror := range s.Mirrors {
		file.Addresses = append(file.Addresses, s.addresses(mirror, r, name)...)
	}
	return o.Fetch.Get(ctx, file)
}

// addresses are those of a file at one mirror. Under its digest a file stays
// the same while the mirror is being renewed (Acquire-By-Hash).
func (s *Source) addresses(mirror string, r *Release, name string) []string {
	d := r.files[name].digest
	plain := s.base(mirror) + name
	directory := strings.ToUpper(d.Algorithm().String())
	byHash := s.base(mirror) + path.Join(path.Dir(name), "by-hash", directory, d.Encoded())
	switch {
	case s.ByHash == "force":
		return []string{byHash}
	case s.ByHash != "no" && r.byHash:
		return []string{byHash, plain}
	}
	return []string{plain}
}
