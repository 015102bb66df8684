// Package rpm offers the files of RPM packages: those that a request names and
// all that they need, found in repositories or taken from a lock, verified,
// fetched, and laid out as if they were installed. Nothing of them is executed,
// and neither mock, dnf nor rpm is asked.
package rpm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/packages"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/lock"
	"smith/internal/nearest"
	"smith/internal/network/fetch"
	"smith/internal/oci/image"
	"smith/internal/source"
	"smith/record"
)

// Options say which packages are offered. Requests are what dnf(8) installs:
// names, with versions, globs, files, what packages provide; and paths of .rpm
// files.
type Options struct {
	packages.Options
	// Repositories are where packages are looked for.
	Repositories []yumconfig.Repository
	// Host adds those of the machine.
	Host bool
	// Mock is a configuration of mock that names further repositories, or "".
	Mock string
	// DebugRequests are further packages of debug information.
	DebugRequests []packages.Request
	// Modules are streams of modules to use, "nodejs:20".
	Modules []string
}

// A Source is packages of RPM. It is safe for several platforms at once.
type Source struct {
	Options
	once  sync.Once
	fetch *fetch.Client
	err   error
}

var _ source.Source = (*Source)(nil)

// New returns a source.
func New(o Options) *Source {
	if o.Root == "" {
		o.Root = "/"
	}
	return &Source{Options: o}
}

// start makes what all platforms share.
func (s *Source) start() error {
	s.once.Do(func() {
		network := s.Network
		network.Store, network.Events = s.Store, s.Events
		network.Logins, s.err = fetch.UserLogins()
		s.fetch = fetch.New(network)
	})
	return s.err
}

// Open chooses the packages for a platform and offers their files. A zero
// platform asks for that of the mock configuration, or else for linux with the
// machine's own architecture.
func (s *Source) Open(ctx context.Context, platform ocispec.Platform) (*source.Offer, error) {
	platform, err := s.settled(platform)
	if err != nil {
		return nil, err
	}
	return s.offer(ctx, platform, packages.Listed)
}

// offer offers the packages of a platform, to some depth.
func (s *Source) offer(ctx context.Context, platform ocispec.Platform, depth packages.Depth) (*source.Offer, error) {
	chosen, err := s.choose(ctx, platform)
	if err != nil {
		return nil, err
	}
	set := make([]packages.Package, len(chosen.packages))
	inputs := make([]record.Input, len(chosen.packages))
	byDigest := map[string]*pkg{}
	for i, p := range chosen.packages {
		set[i], inputs[i] = p, p.input()
	}
	all := slices.Concat(chosen.packages, chosen.debug)
	for _, p := range all {
		byDigest[p.digest.String()] = p
	}
	opened, err := packages.New(ctx, set, Rules())
	if err != nil {
		return nil, errors.Join(err, chosen.close())
	}
	offer := &source.Offer{
		Tree: opened.Tree(), Inputs: inputs, Platform: platform,
		Complete: func(in *record.Input) {
			if p := byDigest[in.Digest]; p != nil {
				*in = p.input()
			}
		},
		Scripts: opened.Record,
		Ahead:   opened.Ahead,
		Like: func(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error {
			return chosen.like(ctx, opened, finders, fetch)
		},
		Own:      func() ([]string, error) { return s.own(ctx, opened, chosen.packages) },
		Packages: &knowledge{s, opened, chosen},
		Close:    func() error { return errors.Join(opened.Close(), chosen.close()) },
	}
	offer.Describe = s.describe(offer, all)
	if s.Debug {
		offer.Debug = func(ctx context.Context, wanted map[string][]string) (*source.Debug, error) {
			return s.debug(ctx, chosen, wanted)
		}
	}
	if depth < packages.Complete {
		offer.More = func(ctx context.Context) (*source.Offer, error) {
			opened.Settle() // or what it is at would be done twice
			return s.offer(ctx, platform, opened.Deeper(depth))
		}
	}
	if offer.Tree, err = opened.Deepen(ctx, depth); err != nil {
		return nil, errors.Join(err, offer.Close())
	}
	return offer, nil
}

// settled is the platform that a zero one stands for.
func (s *Source) settled(p ocispec.Platform) (ocispec.Platform, error) {
	if p.Architecture != "" {
		return p, nil
	}
	p.OS, p.Architecture = "linux", runtime.GOARCH
	if s.Mock == "" {
		return p, nil
	}
	c, err := s.mockConfig()
	if err != nil {
		return p, err
	}
	for _, architecture := range []string{"amd64", "386", "arm64", "arm", "ppc64le", "s390x", "riscv64", "loong64"} {
		if repodata.Machine(architecture, "") == c.Machine {
			p.Architecture = architecture
			return p, nil
		}
	}
	return p, fmt.Errorf("%s: smith knows no platform for target_arch %s", s.Mock, c.Machine)
}

// A choice is the set of packages for a platform.
type choice struct {
	packages     []*pkg
	debug        []*pkg        // with debug information of the others
	repositories []*repository // nil where a lock chose
	close        func() error
}

// choose returns the set for a platform: the lock's, or what resolution gives.
func (s *Source) choose(ctx context.Context, platform ocispec.Platform) (*choice, error) {
	if err := s.start(); err != nil {
		return nil, err
	}
	if s.Locked != nil {
		return s.fromLock(platform)
	}
	machine := repodata.Machine(platform.Architecture, platform.Variant)
	if machine == "" || platform.OS != "linux" {
		return nil, fmt.Errorf("%s: there are no RPM packages for this platform", image.PlatformName(platform))
	}
	return s.resolve(ctx, machine, kept(s.Keep[image.PlatformName(platform)]))
}

// kept are the versions that a lock has, by name and architecture.
func kept(l *lock.Platform) map[string]string {
	versions := map[string]string{}
	if l != nil {
		for _, p := range l.Packages {
			versions[p.Name+"."+p.Architecture] = p.Version
		}
	}
	return versions
}
