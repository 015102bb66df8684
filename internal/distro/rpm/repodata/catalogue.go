package repodata

import (
	"context"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// A Repository is one that a Catalogue offers packages of.
type Repository struct {
	Name  string
	Index *Index
	// Priority and Cost prefer repositories with lower numbers: the first
	// whatever their versions, the second between equal packages.
	Priority, Cost int
	// Exclude hides packages; where Include has any, all others are hidden.
	// Both are names, NEVRAs, or globs of these.
	Exclude, Include []string
	// Modules are those of the repository, or nil. ModuleHotfixes says that
	// modules hide none of its packages.
	Modules        *Modules
	ModuleHotfixes bool
	// Lists find packages by files that primary metadata does not list. It may
	// be nil.
	Lists Lists
}

// Lists are the full lists of files of a repository.
type Lists interface {
	// Holders returns the packages that hold a path.
	Holders(ctx context.Context, path string) ([]int, error)
}

// Options are what a Catalogue offers packages for.
type Options struct {
	// Machine is an architecture as RPM names it.
	Machine string
	// Recommends takes weak dependencies in where they can be met.
	Recommends bool
	// Modules are streams to use, "nodejs:20", beside the default ones.
	Modules []string
	// Keep are packages to take before all others where they fit: versions by
	// name and architecture, "bash.x86_64".
	Keep map[string]string
}

// A Catalogue is what some repositories have on offer for a machine, with
// dnf's policy for a system on which nothing is installed and install_weak_deps
// is off, unless Options say otherwise: of packages that fulfil a relation the
// ones of the repository with the best priority, then no obsolete ones, then
// the newest of each name for the machine's own architecture; and of these the
// one that brings the fewest others.
type Catalogue struct {
	ctx          context.Context //nolint:containedctx // the solver asks without one
	repositories []*Repository
	starts       []int // the ID of each one's first package
	ranks        archRank
	options      Options
	hidden       map[resolve.ID]bool // by modules
	active       map[string]bool     // the NEVRAs of active modules
	packages     map[resolve.ID]*offered
	providers    map[string][]resolve.ID
	names        map[string][]resolve.ID // by name, see called
	requested    map[string]bool         // see acceptArches
	roots        []resolve.ID            // what requests can be met by
	reachable    map[resolve.ID]bool     // see reached
}

var _ resolve.Catalogue = (*Catalogue)(nil)

// An offered package is one that the catalogue knows.
type offered struct {
	*Package
	repository *Repository
	rank       int  // of its architecture
	kept       bool // by Options.Keep
	out        bool // excluded, hidden, or of an architecture that does not run
}

// New returns a catalogue of repositories, whose order decides between equal
// packages. ctx ends the fetching of lists while it is used; it is for one
// goroutine.
func New(ctx context.Context, repositories []*Repository, options Options) (*Catalogue, error) {
	c := newCatalogue(ctx, repositories, options)
	return c, c.hide(options.Modules)
}

func newCatalogue(ctx context.Context, repositories []*Repository, options Options) *Catalogue {
	c := &Catalogue{
		ctx: ctx, repositories: repositories, options: options, ranks: newArchRank(options.Machine),
		packages: map[resolve.ID]*offered{}, providers: map[string][]resolve.ID{}, hidden: map[resolve.ID]bool{},
		names: map[string][]resolve.ID{}, requested: map[string]bool{},
	}
	next := 0
	for _, r := range repositories {
		c.starts = append(c.starts, next)
		next += r.Index.Len()
	}
	return c
}

// Find returns what the catalogue knows of a package, and where it is from.
func (c *Catalogue) Find(id resolve.ID) (*Package, *Repository, error) {
	p, err := c.find(id)
	if err != nil {
		return nil, nil, err
	}
	return p.Package, p.repository, nil
}

func (c *Catalogue) find(id resolve.ID) (*offered, error) {
	if p := c.packages[id]; p != nil {
		return p, nil
	}
	i := sort.SearchInts(c.starts, int(id)+1) - 1
	r := c.repositories[i]
	found, err := r.Index.Package(int(id) - c.starts[i])
	if err != nil {
		return nil, err
	}
	rank, runs := c.ranks[found.Arch]
	p := &offered{Package: found, repository: r, rank: rank, out: !runs || c.hidden[id] || r.hides(found)}
	p.kept = c.options.Keep[p.Name+"."+p.Arch] == p.String()
	c.packages[id] = p
	return p, nil
}

// hides reports whether the repository's configuration leaves the package out.
func (r *Repository) hides(p *Package) bool {
	matches := func(pattern string) bool { return p.form(pattern) >= 0 }
	return slices.ContainsFunc(r.Exclude, matches) || len(r.Include) > 0 && !slices.ContainsFunc(r.Include, matches)
}

// Called returns the places, among packages, of those that a pattern names. There
// are several ways to name a package (dnf(8), "Specifying Packages"); the first
// by which any package is found is the one that was meant: lib*6 is libc6, and
// not each library whose version ends so.
func Called(pattern string, packages []*Package) []int {
	var places []int
	best := -1
	for i, p := range packages {
		form := p.form(pattern)
		if form < 0 || best >= 0 && form > best {
			continue
		}
		if form != best {
			best, places = form, nil
		}
		places = append(places, i)
	}
	return places
}

// form tells by which way of naming a package, in dnf's order, a pattern names
// this one: its number, or -1 for none.
func (p *Package) form(pattern string) int {
	rest, arch, dotted := cutLast(pattern, ".")
	dotted = dotted && matches(arch, p.Arch)
	return slices.Index([]bool{
		dotted && p.isRelease(rest),
		dotted && matches(rest, p.Name),
		matches(pattern, p.Name),
		p.isRelease(pattern),
		p.isVersion(pattern),
		matches(pattern, p.NEVRA()) || matches(pattern, p.Name+"-"+p.Version+"-"+p.Release+"."+p.Arch),
	}, true)
}

// isRelease reports whether a pattern of name, version and release matches.
func (p *Package) isRelease(pattern string) bool {
	rest, release, ok := cutLast(pattern, "-")
	return ok && matches(release, p.Release) && p.isVersion(rest)
}

// isVersion reports whether a pattern of name and version, perhaps with an epoch,
// matches.
func (p *Package) isVersion(pattern string) bool {
	name, version, ok := cutLast(pattern, "-")
	if epoch, after, has := strings.Cut(version, ":"); has {
		ok, version = ok && matches(epoch, strconv.FormatUint(uint64(p.Epoch), 10)), after
	}
	return ok && matches(version, p.Version) && matches(name, p.Name)
}

// matches reports whether a text is a pattern, or matches it as a glob.
func matches(pattern, text string) bool {
	ok, err := path.Match(pattern, text)
	return text == pattern || ok && err == nil
}

// cutLast cuts a text around the last of a separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// Package names a package for messages. Of one name, one is chosen for each
// color, which is 32 or 64 bits (libsolv's pool_arch2color).
func (c *Catalogue) Package(id resolve.ID) (resolve.Package, error) {
	p, err := c.find(id)
	if err != nil {
		return resolve.Package{}, err
	}
	slot := p.Name
	if p.Arch != noarch && is64(p.Arch) != is64(c.options.Machine) {
		slot += ".32"
	}
	return resolve.Package{Name: p.Name, Version: p.String(), Architecture: p.Arch, Slot: slot}, nil
}

// keyed returns the packages of all repositories that a key of the index leads
// to and that are available.
func (c *Catalogue) keyed(key string) ([]resolve.ID, error) {
	all, err := c.indexed(key)
	if err != nil {
		return nil, err
	}
	return c.onOffer(all)
}

// indexed returns the packages of all repositories that a key leads to,
// excluded ones too.
func (c *Catalogue) indexed(key string) ([]resolve.ID, error) {
	var all []resolve.ID
	for i, r := range c.repositories {
		found, err := r.Index.Find(key)
		if err != nil {
			return nil, err
		}
		for _, n := range found {
			all = append(all, resolve.ID(c.starts[i]+n))
		}
	}
	return all, nil
}

func (c *Catalogue) onOffer(ids []resolve.ID) ([]resolve.ID, error) {
	var all []resolve.ID
	for _, id := range ids {
		p, err := c.find(id)
		if err != nil {
			return nil, err
		}
		if !p.out {
			all = append(all, id)
		}
	}
	return all, nil
}

// providing returns the packages that fulfil a relation, in no order that
// means anything, and those that provide its name and do not.
func (c *Catalogue) providing(r relation.Relation) (fits, misfits []resolve.ID, err error) {
	all, err := c.providingName(r.Name)
	for _, id := range all {
		p, err := c.find(id)
		if err != nil {
			return nil, nil, err
		}
		if p.Fulfils(r) {
			fits = append(fits, id)
		} else {
			misfits = append(misfits, id)
		}
	}
	return fits, misfits, err
}

// Fulfils reports whether the package fulfils a relation, of which it provides
// the name. Each provides itself.
func (p *Package) Fulfils(r relation.Relation) bool {
	return r.Matches(relation.Relation{Name: p.Name, Op: relation.Equal, EVR: p.EVR}) ||
		slices.ContainsFunc(p.Provides, r.Matches) || r.IsFile()
}

func (c *Catalogue) providingName(name string) ([]resolve.ID, error) {
	if found, known := c.providers[name]; known {
		return found, nil
	}
	kinds := []string{keyName, keyProvide}
	if strings.HasPrefix(name, "/") {
		kinds = []string{keyProvide, keyFile}
	}
	var all []resolve.ID
	for _, kind := range kinds {
		found, err := c.keyed(kind + name)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if strings.HasPrefix(name, "/") {
		listed, err := c.listed(name)
		if err != nil {
			return nil, err
		}
		all = append(all, listed...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	c.providers[name] = all
	return all, nil
}

// listed asks the full lists of files, unless primary metadata lists all such
// files anyway (createrepo_c's rule).
func (c *Catalogue) listed(name string) ([]resolve.ID, error) {
	if strings.HasPrefix(name, "/etc/") || strings.Contains(name, "bin/") || name == "/usr/lib/sendmail" {
		return nil, nil
	}
	var all []resolve.ID
	for i, r := range c.repositories {
		if r.Lists == nil {
			continue
		}
		found, err := r.Lists.Holders(c.ctx, name)
		if err != nil {
			return nil, err
		}
		for _, n := range found {
			all = append(all, resolve.ID(c.starts[i]+n))
		}
	}
	return c.onOffer(all)
}
