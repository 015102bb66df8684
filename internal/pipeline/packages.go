package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/deb"
	"smith/internal/distro/packages"
	"smith/internal/reference"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// names returns the spec's packages as references, all of them of one source.
func (p *plan) names(c reference.Context) ([]reference.Reference, error) {
	names := p.Spec.Packages
	if len(names) == 0 && p.Spec.Type == "host" {
		names = []string{""}
	}
	var all []reference.Reference
	for i, name := range names {
		r, err := reference.Parse(name, c)
		if err != nil {
			return nil, fmt.Errorf("%s: package: %w", p.place("packages", i), err)
		}
		if i > 0 && (r.Family == "" || r.Family != all[0].Family) {
			return nil, fmt.Errorf("%s: package: %s and %s: several packages must be of one distribution's kind; an image or host stands alone",
				p.place("packages", i), all[0], r)
		}
		if r.Decided != "" && (i == 0 || r.Decided != all[0].Decided) {
			p.Events.Note(r.String() + ": " + r.Decided)
		}
		all = append(all, r)
	}
	return all, nil
}

// packages returns the source of a distribution's packages.
func (p *plan) packages(all []reference.Reference) (source.Source, error) {
	switch all[0].Family {
	case "deb":
		return p.debPackages(all)
	case "rpm":
		return p.rpmPackages(all)
	}
	return nil, fmt.Errorf("%s: package: %s is a package of the %s family (%s), which this smith cannot read yet; use an image (base.tar.gz, oci:DIR) or type: host",
		p.place("packages", 0), all[0], all[0].Family, decided(all[0]))
}

// packageOptions are what every source of packages is told.
func (p *plan) packageOptions(all []reference.Reference) packages.Options {
	o := packages.Options{
		Debug: p.debugInfo() != "", Recommends: p.Spec.Recommends, Archives: p.Spec.Archives, Dir: p.Dir,
		Network: p.Network, Store: p.Store, Events: p.Events,
	}
	if p.Lock != nil {
		o.Locked = p.Lock.Platforms
	}
	if p.Keep != nil {
		o.Keep = p.Keep.Platforms
	}
	for i, r := range all {
		o.Requests = append(o.Requests, request(r, p.place("packages", i)))
	}
	return o
}

// request asks for a package.
func request(r reference.Reference, where string) packages.Request {
	if r.Kind == reference.Local {
		return packages.Request{Text: r.Path, File: true, Where: where}
	}
	return packages.Request{Text: r.Name, Where: where}
}

func (p *plan) debPackages(all []reference.Reference) (source.Source, error) {
	o := deb.Options{Options: p.packageOptions(all)}
	for i, r := range p.Spec.Repositories {
		if len(r.RPM) > 0 || r.Mirrorlist != "" || r.Metalink != "" {
			return nil, fmt.Errorf("%s: it is a repository of RPM packages, and %s is a package of Debian", p.place("repositories", i), all[0])
		}
		o.Repositories = append(o.Repositories, deb.Repository{
			Host: r.Host, Mirrors: r.Deb, Suites: r.Suites, Components: r.Components, Architectures: r.Architectures,
			Keys: r.SignedBy, Trusted: r.Trusted, AnyDate: !r.CheckValidUntil, Where: p.place("repositories", i),
		})
	}
	return deb.New(o), nil
}

// packaged is the kind of inputs and origins that are packages.
const packaged = "package"

// contributing leaves out the packages that no file of the image is of.
func contributing(inputs []record.Input, files []record.File) []record.Input {
	used := map[string]bool{}
	for _, f := range files {
		if f.Origin != nil {
			used[f.Origin.Digest] = true
		}
	}
	return slices.DeleteFunc(inputs, func(in record.Input) bool { return in.Kind == packaged && !used[in.Digest] })
}

// packageList names the packages that a record has, a line each, sorted:
// "zlib1g 1:1.2.13 amd64".
func packageList(r *record.Record) string {
	var names []string
	for _, in := range r.Inputs {
		if in.Kind == packaged {
			names = append(names, in.Name+"\n")
		}
	}
	slices.Sort(names)
	return strings.Join(names, "")
}

// dateByPackages dates what packages offer by the newest file that is kept:
// that follows from the packages alone, not from when a repository was made.
func (j *job) dateByPackages(files *tree.Tree) error {
	return files.Walk(func(n *tree.Node) error {
		if n.Origin != nil && n.Origin.Kind == packaged && n.ModTime.After(j.pkg.Created) {
			j.pkg.Created = n.ModTime
		}
		return nil
	})
}
