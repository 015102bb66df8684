// Package distro is the one source for packages of distributions: what is the
// same whatever their format stands here once. It asks a family for the set of
// packages, or takes the set from a lock, keeps versions, fetches files, lays
// the set out as one tree (package packages), and knows what the set has beside
// its files: relations, metadata for scanners, debug information, who on offer
// holds a path. Nothing of a package is executed.
//
// # How to add a family
//
// A family is one directory beside deb and rpm. It gives two types and a
// constructor:
//
//   - a type that embeds *Item and implements Package: Paths returns what the
//     repository's lists say that the package holds, if they do, and Open reads
//     the fetched file (Item.Fetch) into the cache, verifies it and returns its
//     entries and scripts;
//   - a type that implements Family: parse the requests, read the configured
//     repositories and resolve (package resolve is the solver), say which
//     relations of the set are satisfied by which packages, and write the
//     metadata that scanners read;
//   - New(Options) *distro.Source, which calls distro.New.
//
// Then package reference learns how the family's packages are named, package
// pipeline calls its constructor for that family, and test/ builds a small
// repository with the distribution's own tools to compare with. Nothing else
// may depend on the family: if something must, the interface here lacks it.
package distro

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/distro/packages"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/nearest"
	"smith/internal/network/fetch"
	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// Options are what every source of packages is given, whatever the family.
type Options struct {
	// Requests are the packages to offer, with all that they need.
	Requests []Request
	// Recommends takes recommended packages too.
	Recommends bool
	// Debug looks for the packages with the debug information of the others.
	Debug bool
	// Locked are the packages to use, by platform, in place of what the
	// repositories have now; nil asks the repositories.
	Locked map[string]*lock.Platform
	// Keep are packages, by platform, whose versions stay where they can.
	Keep map[string]*lock.Platform
	// Archives are where files are asked for that no mirror has: see
	// lock.Addresses.
	Archives []string
	// Dir is the directory that relative paths are resolved against.
	Dir string
	// Root is where the machine's configuration lies; "" is "/".
	Root string
	// Network says how files are fetched; the source sets its Logins and Proxy
	// as the machine has them.
	Network fetch.Options
	Store   *store.Store
	Events  event.Listener
}

// A Request is one package that is asked for.
type Request struct {
	// Text is the request as it is written.
	Text string
	// File reports whether it is the path of a package's file.
	File bool
	// Where names the place for the reader: "smith.yaml:2".
	Where string
	// Data reports whether the package is wanted for data that the spec names in
	// another way, such as a bundle: it is not one that was asked for by name, and
	// repositories may lack it.
	Data bool
}

// A Family is a format of packages and its repositories.
type Family interface {
	// Format is that of the packages.
	Format() record.Format
	// Platform returns the platform that is meant by a zero one, or an error for
	// one that the family has no packages for.
	Platform(p ocispec.Platform) (ocispec.Platform, error)
	// Start reads the configuration that all platforms share. It is called once,
	// before all other methods but Platform, and returns the client that fetches
	// packages, made with these options.
	Start(network fetch.Options) (*fetch.Client, error)
	// Resolve chooses the packages that the requests call for.
	Resolve(ctx context.Context, q Query) (*Choice, error)
	// Locked returns the package of a lock.
	Locked(item *Item) Package
	// AddRequests adds what only this family can ask for to what a lock records.
	AddRequests(to *lock.Requests)
	// Newest returns the version of a package that the repositories have now, ""
	// where they have none.
	Newest(ctx context.Context, p lock.Package) (string, error)
	// Rules are those for paths that several packages hold.
	Rules() packages.Rules
	// List describes packages of a set and their relations. held returns what
	// the tree has of one.
	List(ctx context.Context, set []Package, held func(Package) ([]string, error)) ([]source.Package, error)
	Describer
	// DebugInfo returns which of the packages with debug information hold that
	// of the wanted ones.
	DebugInfo(ctx context.Context, wanted []Wanted, debug []Package) (*Debug, error)
}

// A Describer writes what scanners read.
type Describer interface {
	// Distribution returns the paths that identify the distribution, the most
	// important one first, and the name of the package that holds them on every
	// system, "" where there is none of one name.
	Distribution() (paths []string, holder string)
	// Licenses returns the paths of the license files of a package.
	Licenses(ctx context.Context, p Package) ([]string, error)
	// Database returns the database of the packages that an image holds files
	// of.
	Database(ctx context.Context, of DatabaseOf) ([]Entry, error)
}

// A DatabaseOf is an image whose database is wanted.
type DatabaseOf struct {
	// Image holds the files of the new layer, Offered is the tree that they were
	// chosen from, Below is what the layers below hold, or nil.
	Image, Offered, Below *tree.Tree
	// Packages are those that Image holds files of.
	Packages []Installed
}

// An Installed package is one that an image holds files of, sorted by path.
type Installed struct {
	Package
	Files []*tree.Node
}

// An Entry is a file of a package database.
type Entry struct {
	Path string
	Data []byte
	// Detail says what it tells, for the record.
	Detail string
	// Extends reports whether Data is that of the layers below, and more.
	Extends bool
}

// A Wanted package is one whose debug information is wanted, with the build ids
// of its files, "" for a file without one.
type Wanted struct {
	Package
	BuildIDs []string
}

// Debug is the answer of a family: packages, and what to say of those that
// have no debug information on offer, by the digests of their files.
type Debug struct {
	Packages []Package
	Absent   map[string]string
}

// A Query is what a family resolves.
type Query struct {
	Platform ocispec.Platform
	// Keep are packages whose versions stay where they can, or nil.
	Keep *lock.Platform
	// Whole adds the packages that every system of the distribution has and that
	// no relation names.
	Whole bool
	// WithoutData leaves out the requests for data.
	WithoutData bool
	// NoLists forbids lists of contents: one was seen to be wrong.
	NoLists bool
}

// Wanted returns those of some requests that are to be resolved.
func (q Query) Wanted(all []Request) []Request {
	return slices.DeleteFunc(slices.Clone(all), func(r Request) bool { return r.Data && q.WithoutData })
}

// A Choice is the set of packages for a platform.
type Choice struct {
	// Packages are the set, sorted by name.
	Packages []Package
	// Debug are packages with the debug information of the others.
	Debug []Package
	// Unverified reports whether the packages must be opened, and so their
	// signatures checked, before a lock may vouch for them: the metadata does
	// not.
	Unverified bool
	// Repositories are those that the packages are from; nil where a lock chose.
	Repositories Repositories
}

// Repositories are open as long as the offer is.
type Repositories interface {
	// Search shows finders what the lists of contents tell: those in the cache
	// and, with fetch, those of moderate size.
	Search(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error
	Close() error
}

func (c *Choice) close() error {
	if c.Repositories == nil {
		return nil
	}
	return c.Repositories.Close()
}

// A Source is packages of a distribution. It is safe for several platforms at
// once.
type Source struct {
	Options
	family Family
	once   sync.Once
	client *fetch.Client
	err    error
	doubts doubts
}

var _ source.Listed = (*Source)(nil)

// New returns a source of a family's packages.
func New(o Options, family Family) *Source {
	if o.Root == "" {
		o.Root = "/"
	}
	return &Source{Options: o, family: family}
}

// start makes what all platforms share.
func (s *Source) start() error {
	s.once.Do(func() {
		network := s.Network
		network.Store, network.Events = s.Store, s.Events
		s.client, s.err = s.family.Start(network)
	})
	return s.err
}

// Open chooses the packages for a platform and offers their files. A zero
// platform asks for the one that the family's configuration is for, or else for
// linux on the machine's own architecture.
func (s *Source) Open(ctx context.Context, platform ocispec.Platform) (*source.Offer, error) {
	return s.offer(ctx, platform, packages.Listed)
}

// offer offers the packages of a platform, to some depth.
func (s *Source) offer(ctx context.Context, platform ocispec.Platform, depth packages.Depth) (*source.Offer, error) {
	chosen, platform, err := s.choose(ctx, platform, depth == packages.Complete)
	if err != nil {
		return nil, err
	}
	opened, err := packages.New(ctx, set(chosen.Packages), s.family.Rules())
	if err != nil {
		return nil, errors.Join(err, chosen.close())
	}
	s.doubts.watch(opened)
	o := &offered{source: s, choice: chosen, set: opened, platform: platform, depth: depth}
	offer := &source.Offer{Platform: platform, Packages: o, More: depth < packages.Complete, Closer: o}
	for _, p := range chosen.Packages {
		offer.Inputs = append(offer.Inputs, p.Base().input())
	}
	if offer.Tree, err = opened.Deepen(ctx, depth); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	o.tree = offer.Tree
	return offer, nil
}

// set returns packages as the set that they are laid out from.
func set(all []Package) []packages.Package {
	out := make([]packages.Package, len(all))
	for i, p := range all {
		out[i] = p
	}
	return out
}

// choose returns the set for a platform: the lock's, or what resolution gives;
// with whole, the packages that every system has are in it.
func (s *Source) choose(ctx context.Context, platform ocispec.Platform, whole bool) (*Choice, ocispec.Platform, error) {
	platform, err := s.family.Platform(platform)
	if err != nil {
		return nil, platform, err
	}
	if err := s.start(); err != nil {
		return nil, platform, err
	}
	if s.Locked != nil {
		c, err := s.fromLock(platform, whole)
		return c, platform, err
	}
	q := Query{Platform: platform, Keep: s.Keep[image.PlatformName(platform)], Whole: whole, NoLists: s.doubts.isWrong()}
	c, err := s.family.Resolve(ctx, q)
	if err != nil && ctx.Err() == nil && slices.ContainsFunc(s.Requests, func(r Request) bool { return r.Data }) {
		// What lacks the data says so when it is looked for.
		q.WithoutData = true
		c, err = s.family.Resolve(ctx, q)
	}
	return c, platform, err
}

// byDigest finds a package by the digest of its file.
func byDigest(all []Package, d string) Package {
	i := slices.IndexFunc(all, func(p Package) bool { return p.Base().Digest == digest.Digest(d) })
	if i < 0 {
		return nil
	}
	return all[i]
}
