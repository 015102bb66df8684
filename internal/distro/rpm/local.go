package rpm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/rpmfile"
)

// localFiles are the .rpm files of the user's as a repository that comes
// before all others.
type localFiles struct {
	repository *repodata.Repository     // nil where there are none
	names      map[string]string        // NEVRAs by the paths of the spec
	paths      map[digest.Digest]string // and the other way
}

func (l *localFiles) close() {
	if l.repository != nil {
		l.repository.Index.Close()
	}
}

// openFiles reads the .rpm files that the spec names.
func (f *family) openFiles(ctx context.Context, machine string) (*localFiles, error) {
	l := &localFiles{names: map[string]string{}, paths: map[digest.Digest]string{}}
	var all []*repodata.Package
	for _, r := range slices.Concat(f.Requests, f.options.DebugRequests) {
		if !r.File || l.names[r.Text] != "" {
			continue
		}
		p, err := f.readFile(ctx, r.Text)
		if err == nil && !slices.Contains(repodata.Arches(machine), p.Arch) {
			err = fmt.Errorf("it is a package for %s, and the image is for %s", p.Arch, machine)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.Where, r.Text, err)
		}
		l.names[r.Text], l.paths[p.Digest] = p.NEVRA(), r.Text
		all = append(all, p)
	}
	if len(all) == 0 {
		return l, nil
	}
	index, err := repodata.NewIndex(f.Store, all)
	l.repository = &repodata.Repository{Name: "files", Index: index}
	return l, err
}

// readFile reads a file into the cache, and returns what a repository would
// say of it.
func (f *family) readFile(ctx context.Context, name string) (*repodata.Package, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.Dir, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	opened, err := rpmfile.Read(ctx, f.Store, file)
	if err != nil {
		return nil, err
	}
	p := describe(opened)
	p.Size, p.Location = info.Size(), filepath.Base(name)
	return p, errors.Join(opened.Close())
}

// describe returns what a repository would say of a package.
func describe(f *rpmfile.Package) *repodata.Package {
	h := f.Header
	p := &repodata.Package{
		Name: h.String(rpmfile.TagName), Arch: h.String(rpmfile.TagArch), EVR: evr(h), Digest: f.Digest,
		SourceRPM: h.String(rpmfile.TagSourceRPM),
	}
	for _, one := range []struct {
		list                 *[]relation.Relation
		names, flags, values rpmfile.Tag
	}{
		{&p.Provides, rpmfile.TagProvideName, rpmfile.TagProvideFlags, rpmfile.TagProvideVersion},
		{&p.Requires, rpmfile.TagRequireName, rpmfile.TagRequireFlags, rpmfile.TagRequireVersion},
		{&p.Conflicts, rpmfile.TagConflictName, rpmfile.TagConflictFlags, rpmfile.TagConflictVersion},
		{&p.Obsoletes, rpmfile.TagObsoleteName, rpmfile.TagObsoleteFlags, rpmfile.TagObsoleteVersion},
		{&p.Recommends, rpmfile.TagRecommendName, rpmfile.TagRecommendFlags, rpmfile.TagRecommendVersion},
		{&p.Suggests, rpmfile.TagSuggestName, rpmfile.TagSuggestFlags, rpmfile.TagSuggestVersion},
		{&p.Supplements, rpmfile.TagSupplementName, rpmfile.TagSupplementFlags, rpmfile.TagSupplementVersion},
	} {
		*one.list = relations(h.Strings(one.names), h.Numbers(one.flags), h.Strings(one.values))
	}
	for _, file := range f.Files {
		p.Files = append(p.Files, file.Path)
	}
	return p
}

// relations reads relations from their tags. The flags' bits 1 to 3 compare
// (rpmsenseFlags).
func relations(names []string, flags []uint64, versions []string) []relation.Relation {
	var all []relation.Relation
	for i, name := range names {
		r := relation.Relation{Name: name}
		if i < len(flags) && i < len(versions) && versions[i] != "" {
			if r.Op = relation.Op(flags[i]>>1) & (relation.Less | relation.Greater | relation.Equal); r.Op != 0 {
				r.EVR = relation.ParseEVR(versions[i])
			}
		}
		if !strings.HasPrefix(name, "rpmlib(") {
			all = append(all, r)
		}
	}
	return all
}
