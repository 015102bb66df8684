package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro"
	"smith/internal/distro/deb"
	"smith/internal/reference"
	"smith/internal/source"
	"smith/record"
)

// names returns the spec's packages as references, all of them of one source.
func (b *Builder) names(r Request) ([]reference.Reference, error) {
	names := r.Spec.Packages
	if len(names) == 0 && r.Spec.Type == "host" {
		names = []string{""}
	}
	var all []reference.Reference
	for i, name := range names {
		ref, err := reference.Parse(name, r.context())
		if err != nil {
			return nil, fmt.Errorf("%s: package: %w", r.place("packages", i), err)
		}
		if i > 0 && (ref.Family == "" || ref.Family != all[0].Family) {
			return nil, fmt.Errorf("%s: package: %s and %s: several packages must be of one distribution's kind; an image or host stands alone",
				r.place("packages", i), all[0], ref)
		}
		if ref.Decided != "" && (i == 0 || ref.Decided != all[0].Decided) {
			b.Events.Note(ref.String() + ": " + ref.Decided)
		}
		all = append(all, ref)
	}
	return all, nil
}

// packages returns the source of a distribution's packages.
func (b *Builder) packages(r Request, all []reference.Reference) (source.Source, error) {
	switch all[0].Family {
	case "deb":
		return b.debPackages(r, all)
	case "rpm":
		return b.rpmPackages(r, all)
	}
	return nil, fmt.Errorf("%s: package: %s is a package of the %s family (%s), which this smith cannot read yet; use an image (base.tar.gz, oci:DIR) or type: host",
		r.place("packages", 0), all[0], all[0].Family, decided(all[0]))
}

// packageOptions are what every source of packages is told.
func (b *Builder) packageOptions(r Request, all []reference.Reference) distro.Options {
	o := distro.Options{
		Debug: r.debugInfo() != "", Recommends: r.Spec.Recommends, Archives: r.Spec.Archives, Dir: r.Dir,
		Network: b.Network, Store: b.Store, Events: b.Events,
	}
	if r.Lock != nil {
		o.Locked = r.Lock.Platforms
	}
	if r.Keep != nil {
		o.Keep = r.Keep.Platforms
	}
	for i, ref := range all {
		o.Requests = append(o.Requests, request(ref, r.place("packages", i)))
	}
	for i, name := range r.Spec.Bundles {
		if p := closure.BundlePackage(name, record.Format(all[0].Family)); p != "" {
			o.Requests = append(o.Requests, distro.Request{Text: p, Data: true, Where: r.place("bundles", i)})
		}
	}
	return o
}

// request asks for a package.
func request(r reference.Reference, where string) distro.Request {
	if r.Kind == reference.Local {
		return distro.Request{Text: r.Path, File: true, Where: where}
	}
	return distro.Request{Text: r.Name, Where: where}
}

func (b *Builder) debPackages(r Request, all []reference.Reference) (source.Source, error) {
	o := deb.Options{Options: b.packageOptions(r, all)}
	for i, repo := range r.Spec.Repositories {
		if len(repo.RPM) > 0 || repo.Mirrorlist != "" || repo.Metalink != "" {
			return nil, fmt.Errorf("%s: it is a repository of RPM packages, and %s is a package of Debian", r.place("repositories", i), all[0])
		}
		o.Repositories = append(o.Repositories, deb.Repository{
			Host: repo.Host, Mirrors: repo.Deb, Suites: repo.Suites, Components: repo.Components, Architectures: repo.Architectures,
			Keys: repo.SignedBy, Trusted: repo.Trusted, AnyDate: !repo.CheckValidUntil, Where: r.place("repositories", i),
		})
	}
	return deb.New(o), nil
}

// contributing leaves out the packages that no file of the image is of.
func contributing(inputs []record.Input, files []record.File) []record.Input {
	used := map[string]bool{}
	for _, f := range files {
		if f.Origin != nil {
			used[f.Origin.Digest] = true
		}
	}
	return slices.DeleteFunc(inputs, func(in record.Input) bool { return in.Kind == record.KindPackage && !used[in.Digest] })
}

// packageList names the packages that a record has, a line each, sorted:
// "zlib1g 1:1.2.13 amd64".
func packageList(r *record.Record) string {
	var names []string
	for _, in := range r.Inputs {
		if in.Kind == record.KindPackage {
			names = append(names, in.Package.String()+"\n")
		}
	}
	slices.Sort(names)
	return strings.Join(names, "")
}
