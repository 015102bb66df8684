// Package deb is the family of Debian packages: it parses requests as apt-get(8)
// takes them, resolves them over apt's repositories, reads .deb files, and
// writes dpkg's metadata for scanners.
package deb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
	"smith/internal/distro/packages"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/record"
)

// Options say which packages are offered. Requests are names as apt-get(8) takes
// them, and paths of .deb files.
type Options struct {
	distro.Options
	// Repositories are where packages are looked for; none is those of the
	// machine.
	Repositories []Repository
}

// A family is Debian packages from certain repositories.
type family struct {
	*distro.Source
	repositories []Repository
	machine      *machine
}

var _ distro.Family = (*family)(nil)

// New returns a source of Debian packages.
func New(o Options) *distro.Source { return newFamily(o).Source }

func newFamily(o Options) *family {
	f := &family{repositories: o.Repositories}
	f.Source = distro.New(o.Options, f)
	return f
}

// Format is that of Debian packages.
func (f *family) Format() record.Format { return record.FormatDeb }

// Platform returns the platform that a zero one stands for.
func (f *family) Platform(p ocispec.Platform) (ocispec.Platform, error) {
	p = settled(p)
	_, err := Architecture(p)
	return p, err
}

// Start reads the configuration of repositories.
func (f *family) Start(network fetch.Options) (*fetch.Client, error) {
	var err error
	f.machine, err = newMachine(f.Options, f.repositories, network, f.Options.Locked != nil)
	if err != nil {
		return nil, err
	}
	return f.machine.fetch, nil
}

// Rules are dpkg's.
func (f *family) Rules() packages.Rules { return Rules() }

// AddRequests adds nothing: all requests are packages.
func (f *family) AddRequests(*lock.Requests) {}

// Locked returns the package of a lock. Other mirrors of its repository may hold
// it too.
func (f *family) Locked(item *distro.Item) distro.Package {
	item.Addresses = f.machine.mirrored(item.Locked.URL)
	return &pkg{Item: item, family: f}
}

// A machine is what the configuration says, read once for all platforms.
type machine struct {
	sources     []*apt.Source
	preferences *apt.Preferences
	fetch       *fetch.Client
	opener      *apt.Opener
}

// newMachine reads the configuration. With optional, one that cannot be read is
// done without: a lock says all that a repository would.
func newMachine(o distro.Options, repositories []Repository, network fetch.Options, optional bool) (*machine, error) {
	m := &machine{preferences: &apt.Preferences{}}
	logins, err := fetch.UserLogins()
	if err != nil {
		return nil, err
	}
	network.Logins = logins
	host, err := m.configure(o, repositories)
	if err != nil && !optional {
		return nil, err
	}
	if host != nil {
		network.Logins, network.Proxy = append(logins, host.Logins...), host.Proxy
	}
	m.fetch = fetch.New(network)
	if host != nil {
		if err := m.connect(o, host); err != nil {
			return nil, err
		}
	}
	m.opener = &apt.Opener{Fetch: m.fetch, Store: o.Store, Events: o.Events, Now: time.Now()}
	return m, nil
}

// configure reads the repositories. The machine's configuration is read where
// they ask for it, and where trusted keys must be taken from it.
func (m *machine) configure(o distro.Options, repositories []Repository) (*apt.Host, error) {
	native, err := Architecture(settled(ocispec.Platform{}))
	if err != nil {
		native = "amd64" // only names such as $(ARCH) in the machine's sources
	}
	host, hostErr := apt.ReadHost(o.Root, native, o.Events)
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

// connect has the mirrors fetched as the machine's apt would.
func (m *machine) connect(o distro.Options, host *apt.Host) error {
	for _, s := range m.sources {
		for _, mirror := range append(slices.Clone(s.Mirrors), s.List) {
			c, err := host.Connection(mirror)
			if c.Insecure {
				o.Events.Warn(fmt.Sprintf("%s: the server's certificate is not checked (apt's Verify-Peer is off)", s.Where))
			}
			if err == nil {
				err = m.fetch.Connect(mirror, c)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.Where, err)
			}
		}
	}
	return nil
}

// mirrored returns an address that a lock has, and behind it those of the same
// file at the other mirrors of its repository.
func (m *machine) mirrored(address string) []string {
	all := []string{address}
	for _, s := range m.sources {
		for _, mirror := range s.Mirrors {
			name, here := strings.CutPrefix(address, mirror)
			if !here {
				continue
			}
			for _, other := range s.Mirrors {
				if at := other + name; !slices.Contains(all, at) {
					all = append(all, at)
				}
			}
		}
	}
	return all
}

// pinned returns preferences that take the versions of a lock before those that
// the machine prefers. A version that is no longer available pins nothing.
func (m *machine) pinned(keep *lock.Platform) *apt.Preferences {
	if keep == nil {
		return m.preferences
	}
	all := &apt.Preferences{}
	for _, p := range keep.Packages {
		all.Keep(p.Name, p.Version, p.Architecture)
	}
	all.Append(m.preferences)
	return all
}

// Newest returns the version of a package that the repositories have now.
func (f *family) Newest(ctx context.Context, p lock.Package) (string, error) {
	network := f.Network
	network.Store, network.Events = f.Store, f.Events
	machine, err := newMachine(f.Options, f.repositories, network, false)
	if err != nil {
		return "", err
	}
	now := &family{Source: f.Source, machine: machine}
	native := p.Architecture
	if native == "all" {
		if native, err = Architecture(settled(ocispec.Platform{})); err != nil {
			return "", err
		}
	}
	offers, closeAll, err := now.offers(ctx, nil, native)
	if err != nil {
		return "", err
	}
	defer closeAll()
	catalogue := apt.NewCatalogue(offers, now.machine.preferences, native, false)
	solution, err := catalogue.Resolve(ctx, []apt.Request{{Name: p.Name}})
	if err != nil {
		return "", err
	}
	for _, c := range solution.Choices {
		if v, err := catalogue.Version(c.ID); err == nil && v.Name == p.Name {
			return v.Version, nil
		}
	}
	return "", nil
}
