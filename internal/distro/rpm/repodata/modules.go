package repodata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/distro/resolve"
)

const (
	modulesBucket = "rpm-modules-2"
	maxModules    = 64 << 20 // plain bytes
)

// Modules are the modules of a repository (modulemd, version 2).
type Modules struct {
	Builds []ModuleBuild
	// Defaults are the streams that are on unless another one is requested.
	Defaults map[string]string
	// Unreadable says which documents could not be read, and why.
	Unreadable []string `json:",omitempty"`
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
		m, err = ParseModules(r)
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

// ParseModules reads a modules.yaml. A document that cannot be read does not
// keep the others from being read, as with dnf: Unreadable names it.
func ParseModules(r io.Reader) (*Modules, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxModules+1))
	if err == nil && len(data) > maxModules {
		err = fmt.Errorf("more than %d bytes", maxModules)
	}
	if err != nil {
		return nil, err
	}
	m := &Modules{Defaults: map[string]string{}}
	for line, text := range documents(string(data)) {
		if err := m.read(text); err != nil && len(m.Unreadable) < maxUnreadable {
			m.Unreadable = append(m.Unreadable, fmt.Sprintf("the document at line %d: %v", line, err))
		}
	}
	return m, nil
}

// maxUnreadable bounds the messages about documents.
const maxUnreadable = 20

// documents returns the documents of a stream of YAML with the lines at which
// they begin (YAML 1.2, 9.2): a marker stands at the beginning of a line, where
// the text of a document that is a mapping never has one.
func documents(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var b strings.Builder
		begin, number := 1, 0
		for line := range strings.Lines(text) {
			number++
			if marker := strings.TrimRight(line, " \t\r\n"); marker == "---" || marker == "..." {
				if !yield(begin, b.String()) {
					return
				}
				b.Reset()
				begin = number + 1
				continue
			}
			b.WriteString(line)
		}
		yield(begin, b.String())
	}
}

// read takes in one document.
func (m *Modules) read(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var d moduleDocument
	if err := yaml.Unmarshal([]byte(text), &d); err != nil {
		return err
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
	return nil
}

// allows reports whether a list of streams has one: none stands for any, and
// "-1" for any but 1.
func allows(streams []string, stream string) bool {
	excluded := func(s string) bool { return s == "-"+stream }
	onlyExcludes := !slices.ContainsFunc(streams, func(s string) bool { return !strings.HasPrefix(s, "-") })
	return !slices.ContainsFunc(streams, excluded) && (onlyExcludes || slices.Contains(streams, stream))
}

// fits reports whether what the build requires is on.
func (b *ModuleBuild) fits(on map[string]string) bool {
	return len(b.Requires) == 0 || slices.ContainsFunc(b.Requires, func(set map[string][]string) bool {
		for name, streams := range set {
			if stream, ok := on[name]; !ok || !allows(streams, stream) {
				return false
			}
		}
		return true
	})
}

// A streamChooser works out which streams are on.
type streamChooser struct {
	builds   map[string]map[string][]*ModuleBuild // by module and stream
	defaults map[string]string
	steps    int
}

// maxModuleSteps bounds the search for streams that go together.
const maxModuleSteps = 10_000

func newStreamChooser(builds []ModuleBuild, defaults map[string]string) *streamChooser {
	c := &streamChooser{builds: map[string]map[string][]*ModuleBuild{}, defaults: defaults, steps: maxModuleSteps}
	for i := range builds {
		b := &builds[i]
		if c.builds[b.Name] == nil {
			c.builds[b.Name] = map[string][]*ModuleBuild{}
		}
		c.builds[b.Name][b.Stream] = append(c.builds[b.Name][b.Stream], b)
	}
	return c
}

// streams returns the streams of a module that a requirement allows, in the
// order in which they are tried: the default one, then by name, as dnf does,
// which compares "mb:10:…" with "mb:1:…".
func (c *streamChooser) streams(name string, allowed []string) []string {
	all := slices.DeleteFunc(slices.Collect(maps.Keys(c.builds[name])), func(s string) bool { return !allows(allowed, s) })
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(a+":", b+":") })
	if i := slices.Index(all, c.defaults[name]); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, c.defaults[name])
	}
	return all
}

// A need is a module of which one of some streams must be on.
type need struct {
	name    string
	allowed []string
}

func needs(set map[string][]string) []need {
	var all []need
	for _, name := range slices.Sorted(maps.Keys(set)) {
		all = append(all, need{name, set[name]})
	}
	return all
}

// turnOn returns the streams that are on once all needs are met, with those
// that their builds need in turn, or nil where they do not go together.
func (c *streamChooser) turnOn(on map[string]string, todo []need) map[string]string {
	if c.steps--; c.steps < 0 {
		return nil
	}
	if len(todo) == 0 {
		return on
	}
	first, rest := todo[0], todo[1:]
	if stream, ok := on[first.name]; ok {
		if !allows(first.allowed, stream) {
			return nil
		}
		return c.turnOn(on, rest)
	}
	for _, stream := range c.streams(first.name, first.allowed) {
		with := maps.Clone(on)
		with[first.name] = stream
		for _, b := range c.builds[first.name][stream] {
			sets := b.Requires
			if len(sets) == 0 {
				sets = []map[string][]string{nil}
			}
			for _, set := range sets {
				if all := c.turnOn(with, slices.Concat(rest, needs(set))); all != nil {
					return all
				}
			}
		}
	}
	return nil
}

// enable works out which streams are on: those that are requested, with what
// they need, and the default ones that go with them. Requests are
// "name:stream", or "name" for its default.
func enable(builds []ModuleBuild, defaults map[string]string, requests []string) (map[string]string, error) {
	c := newStreamChooser(builds, defaults)
	on, requested := map[string]string{}, map[string][]string{}
	for _, request := range requests {
		name, stream, ok := strings.Cut(request, ":")
		if !ok {
			if stream, ok = defaults[name]; !ok {
				return nil, fmt.Errorf("module %s has no default stream: write %s:STREAM, with one of %s", name, name, streamsOf(builds, name))
			}
		}
		if len(c.builds[name][stream]) == 0 {
			return nil, fmt.Errorf("module %s:%s does not exist; streams of %s are %s", name, stream, name, streamsOf(builds, name))
		}
		requested[name] = []string{stream}
	}
	if on = c.turnOn(on, needs(requested)); on == nil {
		return nil, fmt.Errorf("the modules %s do not go together, or need modules that are not available: request other streams", strings.Join(requests, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		if more := c.turnOn(on, []need{{name, []string{defaults[name]}}}); more != nil {
			on = more
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

// active returns the builds, old ones too, of the streams that are on and whose
// requirements are.
func active(builds []ModuleBuild, on map[string]string) []ModuleBuild {
	return slices.DeleteFunc(slices.Clone(builds), func(b ModuleBuild) bool {
		stream, ok := on[b.Name]
		return !ok || stream != b.Stream || !b.fits(on)
	})
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
	c.active = shown
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

// InActiveModule reports whether the package belongs to a module stream that is
// on.
func (c *Catalogue) InActiveModule(p *Package) bool { return c.active[p.NEVRA()] }

// nameOf is the name in a NEVRA.
func nameOf(nevra string) string {
	for range 2 {
		if i := strings.LastIndexByte(nevra, '-'); i > 0 {
			nevra = nevra[:i]
		}
	}
	return nevra
}
