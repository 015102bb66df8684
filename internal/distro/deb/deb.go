// Package deb offers the files of Debian packages: those that a request names
// and all that they need, found in repositories or taken from a lock, verified,
// fetched, and laid out as if they were installed. Nothing of them is executed.
package deb

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/packages"
	"smith/internal/nearest"
	"smith/internal/network/fetch"
	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/record"
)

// Options say which packages are offered. Requests are names as apt-get(8) takes
// them, and paths of .deb files.
type Options struct {
	packages.Options
	// Repositories are where packages are looked for; none is those of the
	// machine.
	Repositories []Repository
}

// A Source is packages of Debian. It is safe for several platforms at once.
type Source struct {
	Options
	once    sync.Once
	machine *machine
	err     error
	doubts  doubts
}

var _ source.Listed = (*Source)(nil)

// New returns a source.
func New(o Options) *Source {
	if o.Root == "" {
		o.Root = "/"
	}
	return &Source{Options: o}
}

// Open chooses the packages for a platform and offers their files. A zero
// platform asks for linux with the machine's own architecture.
func (s *Source) Open(ctx context.Context, platform ocispec.Platform) (*source.Offer, error) {
	return s.offer(ctx, settled(platform), packages.Listed)
}

// offer offers the packages asked for with what they relate to, to some depth;
// where it is complete, with the essential ones beside them.
func (s *Source) offer(ctx context.Context, platform ocispec.Platform, depth packages.Depth) (*source.Offer, error) {
	chosen, err := s.choose(ctx, platform, depth == packages.Complete)
	if err != nil {
		return nil, err
	}
	set := make([]packages.Package, len(chosen.packages))
	inputs := make([]record.Input, len(chosen.packages))
	for i, p := range chosen.packages {
		set[i], inputs[i] = p, p.input()
	}
	opened, err := packages.New(ctx, set, Rules())
	if err != nil {
		return nil, err
	}
	s.doubts.watch(opened)
	architecture, err := Architecture(platform)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	offer := &source.Offer{
		Tree: opened.Tree(), Inputs: inputs, Platform: platform, Close: opened.Close,
		Own:      func() ([]string, error) { return s.own(opened, chosen.packages) },
		Scripts:  opened.Record,
		Ahead:    opened.Ahead,
		Packages: &knowledge{s, opened, chosen.packages, architecture},
		Like: func(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error {
			return s.like(ctx, opened, chosen.packages, architecture, finders, fetch)
		},
	}
	offer.Describe = s.describe(offer, slices.Concat(chosen.packages, chosen.debug), func(ctx context.Context) ([]*pkg, error) {
		all, err := s.choose(ctx, platform, true)
		return all.packages, err
	})
	if s.Debug {
		offer.Debug = func(ctx context.Context, wanted map[string][]string) (*source.Debug, error) {
			return chosen.offerDebug(ctx, wanted)
		}
	}
	if depth < packages.Complete {
		offer.More = func(ctx context.Context) (*source.Offer, error) {
			opened.Settle() // or what it is at would be done twice
			return s.offer(ctx, platform, opened.Deeper(depth))
		}
	}
	if offer.Tree, err = opened.Deepen(ctx, depth); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return offer, nil
}

// settled is the platform that a zero one stands for.
func settled(p ocispec.Platform) ocispec.Platform {
	if p.Architecture == "" {
		p.OS, p.Architecture = "linux", runtime.GOARCH
	}
	return p
}

// A choice is the set of packages for a platform.
type choice struct {
	packages []*pkg
	debug    []*pkg // with debug information of the others
}

// choose returns the set for a platform: the lock's, or what resolution gives;
// with whole the essential packages are in it.
func (s *Source) choose(ctx context.Context, platform ocispec.Platform, whole bool) (choice, error) {
	s.once.Do(func() { s.machine, s.err = newMachine(s.Options) })
	if s.err != nil {
		return choice{}, s.err
	}
	if s.Locked != nil {
		return s.fromLock(platform, whole)
	}
	architecture, err := Architecture(platform)
	if err != nil {
		return choice{}, err
	}
	return s.resolve(ctx, architecture, s.Keep[image.PlatformName(platform)], whole)
}

// A machine is what the configuration says, read once for all platforms.
type machine struct {
	sources     []*apt.Source
	preferences *apt.Preferences
	fetch       *fetch.Client
	opener      *apt.Opener
}

func newMachine(o Options) (*machine, error) {
	m := &machine{preferences: &apt.Preferences{}}
	logins, err := fetch.UserLogins()
	if err != nil {
		return nil, err
	}
	network := o.Network
	network.Store, network.Events, network.Logins = o.Store, o.Events, logins
	host, err := m.configure(o)
	if err != nil && o.Locked == nil {
		return nil, err // a lock says all that a repository would
	}
	if host != nil {
		network.Logins, network.Proxy = append(logins, host.Logins...), host.Proxy
	}
	m.fetch = fetch.New(network)
	m.opener = &apt.Opener{Fetch: m.fetch, Store: o.Store, Events: o.Events, Now: time.Now()}
	return m, nil
}

// configure reads the repositories. The machine's configuration is read where
// they ask for it, and where somebody has to say which keys are trusted.
func (m *machine) configure(o Options) (*apt.Host, error) {
	native, err := Architecture(settled(ocispec.Platform{}))
	if err != nil {
		native = "amd64" // only names such as $(ARCH) in the machine's sources
	}
	host, hostErr := apt.ReadHost(o.Root, native, o.Events)
	repositories := o.Repositories
	if len(repositories) == 0 {
		repositories = []Repository{{Host: true}}
	}
	for _, r := range repositories {
		switch {
		case r.Host && hostErr != nil:
			return host, hostErr
		case r.Host:
			m.sources = append(m.sources, host.Sources...)
			if m.preferences, err = host.Preferences(); err != nil {
				return host, err
			}
		default:
			sources, err := r.sources(o, host)
			if err != nil {
				return host, err
			}
			m.sources = append(m.sources, sources...)
		}
	}
	return host, nil
}
