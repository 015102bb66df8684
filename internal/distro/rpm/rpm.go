// Package rpm is the family of RPM packages: it parses requests as dnf(8) takes
// them, resolves them over repositories configured for yum, dnf or mock, reads
// and verifies .rpm files, and writes rpm's database for scanners. Neither mock,
// dnf nor rpm is executed.
package rpm

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro"
	"smith/internal/distro/packages"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/internal/oci/image"
	"smith/record"
)

// Options say which packages are offered. Requests are what dnf(8) installs:
// names, with versions, globs, files, what packages provide; and paths of .rpm
// files.
type Options struct {
	distro.Options
	// Repositories are where packages are looked for.
	Repositories []yumconfig.Repository
	// Host adds those of the machine.
	Host bool
	// Mock is a configuration of mock that names further repositories, or "".
	Mock string
	// DebugRequests are further packages of debug information.
	DebugRequests []distro.Request
	// Modules are streams of modules to use, "nodejs:20".
	Modules []string
}

// A family is RPM packages from certain repositories.
type family struct {
	*distro.Source
	options Options
	client  *fetch.Client
}

var _ distro.Family = (*family)(nil)

// New returns a source of RPM packages.
func New(o Options) *distro.Source { return newFamily(o).Source }

func newFamily(o Options) *family {
	f := &family{options: o}
	f.Source = distro.New(o.Options, f)
	return f
}

// Format is that of RPM packages.
func (f *family) Format() record.Format { return record.FormatRPM }

// Start makes the client.
func (f *family) Start(network fetch.Options) (*fetch.Client, error) {
	logins, err := fetch.UserLogins()
	if err != nil {
		return nil, err
	}
	network.Logins = logins
	f.client = fetch.New(network)
	if network.Offline {
		return f.client, nil
	}
	return f.client, f.connectLocked()
}

// Platform returns the platform that a zero one stands for: that of the mock
// configuration, or else linux on the machine's own architecture.
func (f *family) Platform(p ocispec.Platform) (ocispec.Platform, error) {
	p, err := f.settled(p)
	if err == nil && (repodata.Machine(p.Architecture, p.Variant) == "" || p.OS != "linux") {
		err = fmt.Errorf("%s: there are no RPM packages for this platform", image.PlatformName(p))
	}
	return p, err
}

func (f *family) settled(p ocispec.Platform) (ocispec.Platform, error) {
	if p.Architecture != "" {
		return p, nil
	}
	p.OS, p.Architecture = "linux", runtime.GOARCH
	if f.options.Mock == "" {
		return p, nil
	}
	c, err := f.mockConfig()
	if err != nil {
		return p, err
	}
	for _, architecture := range []string{"amd64", "386", "arm64", "arm", "ppc64le", "s390x", "riscv64", "loong64"} {
		if repodata.Machine(architecture, "") == c.Machine {
			p.Architecture = architecture
			return p, nil
		}
	}
	return p, fmt.Errorf("%s: smith knows no platform for target_arch %s", f.options.Mock, c.Machine)
}

// Rules are rpm's.
func (f *family) Rules() packages.Rules { return Rules() }

// AddRequests adds the modules and the further packages of debug information.
func (f *family) AddRequests(to *lock.Requests) {
	to.Modules = append(to.Modules, f.options.Modules...)
	if f.Debug {
		for _, r := range f.options.DebugRequests {
			to.DebugDeps = append(to.DebugDeps, r.Text)
		}
	}
}

// Locked returns the package of a lock.
func (f *family) Locked(item *distro.Item) distro.Package { return &pkg{Item: item, family: f} }

// Newest returns the version of a package that the repositories have now.
func (f *family) Newest(ctx context.Context, p lock.Package) (string, error) {
	architecture := p.Architecture
	if architecture == "noarch" {
		architecture = repodata.Machine(runtime.GOARCH, "")
	}
	configured, err := f.repositories(architecture)
	if err != nil {
		return "", err
	}
	opened, err := f.openAll(ctx, configured)
	if err != nil {
		return "", err
	}
	version, err := f.newest(ctx, p, opened, repodata.Options{Machine: architecture, Modules: f.options.Modules})
	return version, errors.Join(err, opened.Close())
}

func (f *family) newest(ctx context.Context, p lock.Package, opened repositories, options repodata.Options) (string, error) {
	offered, _, _ := opened.offered()
	catalogue, err := repodata.New(ctx, offered, options)
	if err != nil {
		return "", err
	}
	clauses, err := catalogue.Want(p.Name)
	if err != nil {
		return "", err
	}
	for _, c := range clauses {
		for _, id := range c.Options {
			if about, _, err := catalogue.Find(id); err == nil && about.Name == p.Name {
				return about.String(), nil
			}
		}
	}
	return "", nil
}
