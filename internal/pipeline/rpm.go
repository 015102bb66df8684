package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"smith/internal/distro"
	"smith/internal/distro/rpm"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/reference"
	"smith/internal/smithfile"
	"smith/internal/source"
)

// rpmPackages returns the source of RPM packages.
func (b *Builder) rpmPackages(r Request, all []reference.Reference) (source.Source, error) {
	o := rpm.Options{Options: b.packageOptions(r, all), Modules: r.Spec.Modules}
	if m := r.Spec.Mock; m != nil {
		o.Mock = m.Config
		for i, name := range m.Deps {
			o.Requests = append(o.Requests, distro.Request{Text: name, Where: r.place("mock.deps", i)})
		}
		if o.Debug {
			var err error
			if o.DebugRequests, err = debugRequests(r, m.DebugDeps); err != nil {
				return nil, err
			}
		}
		if o.Mock == "" && len(r.Spec.Repositories) == 0 && r.exists(mockDefault) {
			o.Mock = mockDefault
		}
	}
	o.Host = len(r.Spec.Repositories) == 0 && o.Mock == ""
	for i := range r.Spec.Repositories {
		if err := rpmRepository(&o, r, i); err != nil {
			return nil, fmt.Errorf("%s: %w", r.place("repositories", i), err)
		}
	}
	return rpm.New(o), nil
}

// debugRequests are further packages of debug information, names or files.
func debugRequests(r Request, names []string) ([]distro.Request, error) {
	var all []distro.Request
	for i, name := range names {
		where := r.place("mock.debugdeps", i)
		ref, err := reference.Parse(name, reference.Context{Type: "rpm", Stat: r.stat})
		if err != nil {
			return nil, fmt.Errorf("%s: mock.debugdeps: %w", where, err)
		}
		all = append(all, request(ref, where))
	}
	return all, nil
}

// mockDefault is the configuration that mock takes where none is named.
const mockDefault = "/etc/mock/default.cfg"

func (r Request) exists(name string) bool {
	_, err := r.stat(name)
	return err == nil
}

// rpmRepository adds a repository of the spec to the options.
func rpmRepository(o *rpm.Options, from Request, i int) error {
	r := from.Spec.Repositories[i]
	switch {
	case len(r.Deb) > 0:
		return errors.New("it is a repository of Debian packages, and the packages are RPM's")
	case r.Host:
		o.Host = true
		return nil
	case len(r.RPM) == 0 && r.Mirrorlist == "" && r.Metalink == "":
		return errors.New("it needs an address: {rpm: https://mirror.example.org/os/, gpgkey: KEY}, or a mirrorlist or metalink")
	}
	o.Repositories = append(o.Repositories, yumconfig.Repository{
		ID: repositoryName(r, i), BaseURLs: r.RPM, Mirrorlist: r.Mirrorlist, Metalink: r.Metalink,
		Keys: r.GPGKey, GPGCheck: r.GPGCheck, RepoGPGCheck: r.RepoGPGCheck,
		Priority: cmp.Or(r.Priority, yumconfig.DefaultPriority), Cost: cmp.Or(r.Cost, yumconfig.DefaultCost),
		Exclude: r.Exclude, Include: r.IncludePkgs, ModuleHotfixes: r.ModuleHotfixes, Where: from.place("repositories", i),
	})
	return nil
}

// repositoryName is how a repository of the spec is called: by the host and
// path of its address, or by the last of the folders that it lies in.
func repositoryName(r smithfile.Repository, i int) string {
	for _, address := range append(slices.Clone(r.RPM), r.Metalink, r.Mirrorlist) {
		u, err := url.Parse(address)
		switch {
		case err != nil:
		case u.Host != "":
			return strings.Trim(u.Host+u.Path, "/")
		case strings.Trim(u.Path, "/") != "":
			return path.Base(u.Path)
		}
	}
	return fmt.Sprintf("repository %d", i+1)
}
