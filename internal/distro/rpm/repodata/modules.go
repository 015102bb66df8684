package repodata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/distro/resolve"
)

const (
	modulesBucket = "rpm-modules-1"
	maxModules    = 64 << 20 // plain bytes
)

// Modules are the modules of a repository (modulemd, version 2).
type Modules struct {
	Builds []ModuleBuild
	// Defaults are the streams that are on without being asked for.
	Defaults map[string]string
}

// A ModuleBuild is one build of a stream of a module.
type ModuleBuild struct {
	Name, Stream, Context string
	Version               uint64
	// Requires are sets of modules, of which one must be on; each has the
	// streams that do, where none is any.
	Requires []map[string][]string
	// Artifacts are its packages, as NEVRAs.
	Artifacts []string
}

// OpenModules returns the modules of a repository, read once.
func OpenModules(ctx context.Context, st *store.Store, d Data, from Fetcher) (*Modules, error) {
	m := &Modules{}
	known, err := st.Load(modulesBucket, d.Digest.String())
	if err == nil && json.Unmarshal(known, m) == nil {
		return m, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	err = readMetadata(ctx, d, from, func(r *compress.Reader) error {
		m, err = ParseModules(io.LimitReader(r, maxModules))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", d.Location, err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return m, st.Save(modulesBucket, d.Digest.String(), data)
}

// moduleDocument is a document of modules.yaml, of any kind that is read.
type moduleDocument struct {
	Document string `yaml:"document"`
	Version  int    `yaml:"version"`
	Data     struct {
		Name         string `yaml:"name"`
		Module       string `yaml:"module"` // of defaults
		Stream       string `yaml:"stream"`
		Version      uint64 `yaml:"version"`
		Context      string `yaml:"context"`
		Dependencies []struct {
			Requires map[string][]string `yaml:"requires"`
		} `yaml:"dependencies"`
		Artifacts struct {
			RPMs []string `yaml:"rpms"`
		} `yaml:"artifacts"`
	} `yaml:"data"`
}

// ParseModules reads a modules.yaml.
func ParseModules(r io.Reader) (*Modules, error) {
	m := &Modules{Defaults: map[string]string{}}
	for decoder := yaml.NewDecoder(r); ; {
		var d moduleDocument
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case d.Document == "modulemd" && d.Version == 2:
			b := ModuleBuild{
				Name: d.Data.Name, Stream: d.Data.Stream, Context: d.Data.Context, Version: d.Data.Version, Artifacts: d.Data.Artifacts.RPMs,
			}
			for _, one := range d.Data.Dependencies {
				delete(one.Requires, "platform") // the repository is for one
				b.Requires = append(b.Requires, one.Requires)
			}
			m.Builds = append(m.Builds, b)
		case d.Document == "modulemd-defaults" && d.Data.Stream != "":
			m.Defaults[d.Data.Module] = d.Data.Stream
		}
	}
}

// fits says whether what the build requires is on.
func (b *ModuleBuild) fits(on map[string]string) bool {
	return len(b.Requires) == 0 || slices.ContainsFunc(b.Requires, func(set map[string][]string) bool {
		for name, streams := range set {
			if stream, ok := on[name]; !ok || len(streams) > 0 && !slices.Contains(streams, stream) {
				return false
			}
		}
		return true
	})
}

// missing returns the modules that would have to be on for the build to fit,
// where it is plain which; nil where it is not.
func (b *ModuleBuild) missing(on map[string]string) map[string]string {
	for _, set := range b.Requires {
		more := map[string]string{}
		for name, streams := range set {
			if stream, ok := on[name]; ok {
				if len(streams) > 0 && !slices.Contains(streams, stream) {
					more = nil
					break
				}
				continue
			}
			if len(streams) != 1 {
				more = nil
				break
			}
			more[name] = streams[0]
		}
		if more != nil {
			return more
		}
	}
	return nil
}

// enable works out which streams are on: those asked for, with what they need,
// and the defaults. Requests are "name:stream", or "name" for its default.
func enable(builds []ModuleBuild, defaults map[string]string, requests []string) (map[string]string, error) {
	on := maps.Clone(defaults)
	var todo []string
	for _, request := range requests {
		name, stream, ok := strings.Cut(request, ":")
		if !ok {
			if stream, ok = defaults[name]; !ok {
				return nil, fmt.Errorf("module %s has no default stream: write %s:STREAM, with one of %s", name, name, streamsOf(builds, name))
			}
		}
		if !slices.ContainsFunc(builds, func(b ModuleBuild) bool { return b.Name == name && b.Stream == stream }) {
			return nil, fmt.Errorf("no module %s:%s is on offer; streams of %s are %s", name, stream, name, streamsOf(builds, name))
		}
		on[name] = stream
		todo = append(todo, name)
	}
	for ; len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		fits := false
		var missing map[string]string
		for _, b := range builds {
			if b.Name != name || b.Stream != on[name] {
				continue
			}
			fits = fits || b.fits(on)
			if more := b.missing(on); missing == nil {
				missing = more
			}
		}
		if fits {
			continue
		}
		if missing == nil {
			return nil, fmt.Errorf("module %s:%s needs other modules that are not on: name their streams too", name, on[name])
		}
		for other, stream := range missing {
			on[other] = stream
			todo = append(todo, other)
		}
	}
	return on, nil
}

func streamsOf(builds []ModuleBuild, name string) string {
	streams := map[string]bool{}
	for _, b := range builds {
		if b.Name == name {
			streams[b.Stream] = true
		}
	}
	if len(streams) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(streams)), ", ")
}

// active returns the newest builds, one of each context, of the streams that
// are on and whose requirements are.
func active(builds []ModuleBuild, on map[string]string) []ModuleBuild {
	newest := map[string]ModuleBuild{}
	for _, b := range builds {
		if on[b.Name] != b.Stream || !b.fits(on) {
			continue
		}
		if old, ok := newest[b.Name+":"+b.Context]; !ok || old.Version < b.Version {
			newest[b.Name+":"+b.Context] = b
		}
	}
	return slices.Collect(maps.Values(newest))
}

// hide hides what modules do (dnf's documentation, "Modularity"): the packages
// of builds that are not active, and the packages of no module that are called
// as one of an active build, or provide its name.
func (c *Catalogue) hide(requests []string) error {
	var builds []ModuleBuild
	defaults := map[string]string{}
	for _, r := range c.repositories {
		if r.Modules != nil {
			builds = append(builds, r.Modules.Builds...)
			maps.Copy(defaults, r.Modules.Defaults)
		}
	}
	if len(builds) == 0 && len(requests) == 0 {
		return nil
	}
	on, err := enable(builds, defaults, requests)
	if err != nil {
		return err
	}
	shown, modular, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, b := range active(builds, on) {
		for _, nevra := range b.Artifacts {
			shown[nevra], names[nameOf(nevra)] = true, true
		}
	}
	all := maps.Clone(names)
	for _, b := range builds {
		for _, nevra := range b.Artifacts {
			modular[nevra], all[nameOf(nevra)] = true, true
		}
	}
	for i, r := range c.repositories {
		for name := range all {
			if err := c.hideNamed(i, r, name, names[name], shown, modular); err != nil {
				return err
			}
		}
	}
	return nil
}

// hideNamed hides the packages of a repository that have a name, or, where an
// active build has it, provide it.
func (c *Catalogue) hideNamed(i int, r *Repository, name string, taken bool, shown, modular map[string]bool) error {
	kinds := []string{keyName}
	if taken {
		kinds = append(kinds, keyProvide)
	}
	for _, kind := range kinds {
		found, err := r.Index.Find(kind + name)
		if err != nil {
			return err
		}
		for _, n := range found {
			p, err := r.Index.Package(n)
			if err != nil {
				return err
			}
			nevra := p.NEVRA()
			if !shown[nevra] && (modular[nevra] || taken && !r.ModuleHotfixes) {
				c.hidden[resolve.ID(c.starts[i]+n)] = true
			}
		}
	}
	return nil
}

// nameOf is the name in a NEVRA.
func nameOf(nevra string) string {
	for range 2 {
		if i := strings.LastIndexByte(nevra, '-'); i > 0 {
			nevra = nevra[:i]
		}
	}
	return nevra
}
