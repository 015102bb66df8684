package deb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
	"smith/internal/distro/deb/control"
	"smith/internal/distro/resolve"
	"smith/internal/lock"
	"smith/internal/nearest"
)

// Resolve asks the repositories for the requests and all that they need. The
// versions to keep stay where they can. The essential packages, which nothing
// of Debian's names as a relation, are added where the whole set is wanted.
func (f *family) Resolve(ctx context.Context, q distro.Query) (*distro.Choice, error) {
	architecture, err := Architecture(q.Platform)
	if err != nil {
		return nil, err
	}
	requests, files, err := f.requests(ctx, architecture, q.Wanted(f.Requests))
	if err != nil {
		return nil, err
	}
	offers, closeAll, err := f.offers(ctx, requests, architecture)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	if len(files) > 0 {
		list := make(apt.Files, len(files))
		for i, f := range files {
			list[i] = f.paragraph
		}
		offers = append([]*apt.Offer{{Packages: list}}, offers...)
	}
	r := resolution{family: f, query: q, files: files, catalogue: apt.NewCatalogue(offers, f.machine.pinned(q.Keep), architecture, f.Recommends)}
	all, err := r.all(ctx, requests, offers)
	if err != nil {
		return nil, err
	}
	chosen := &distro.Choice{Repositories: &repositories{f, architecture}}
	for _, p := range all {
		chosen.Packages = append(chosen.Packages, p)
	}
	if f.Debug {
		chosen.Debug, err = r.debug(offers, all)
	}
	return chosen, err
}

// A resolution is one of a platform.
type resolution struct {
	family    *family
	query     distro.Query
	files     []*debFile
	catalogue *apt.Catalogue
}

// all returns the packages that satisfy the requests, and the essential ones
// beside them where the whole set is wanted.
func (r *resolution) all(ctx context.Context, requests []apt.Request, offers []*apt.Offer) ([]*pkg, error) {
	all, err := r.solve(ctx, requests, func(c resolve.Choice) string { return "the spec asks for " + c.Text })
	if err != nil {
		return nil, err
	}
	if !r.query.Whole {
		if r.query.NoLists {
			return all, nil
		}
		return all, r.family.list(ctx, all)
	}
	names, err := apt.Essential(offers)
	if err != nil {
		return nil, err
	}
	return r.complete(ctx, all, names)
}

// solve returns the packages that meet the requests. wanted tells why one that
// was requested is in the set.
func (r *resolution) solve(ctx context.Context, requests []apt.Request, wanted func(resolve.Choice) string) ([]*pkg, error) {
	solution, err := r.catalogue.Resolve(ctx, requests)
	if err != nil {
		return nil, err
	}
	var all []*pkg
	for _, id := range solution.IDs() {
		v, err := r.catalogue.Version(id)
		if err != nil {
			return nil, err
		}
		p, err := r.family.chosen(v, r.files)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.Locked.String(), b.Locked.String()) })
	return all, r.tell(solution, wanted)
}

// complete adds the essential packages, and what they relate to, to a set,
// which stays as it is. Those that cannot stand beside it are left out.
func (r *resolution) complete(ctx context.Context, set []*pkg, essential []string) ([]*pkg, error) {
	var requests []apt.Request
	there := map[string]bool{}
	for _, p := range set {
		there[p.Locked.Name] = true
		request := apt.Request{Name: p.Locked.Name, Version: p.Locked.Version}
		if p.Locked.Architecture != "all" {
			request.Architecture = p.Locked.Architecture
		}
		requests = append(requests, request)
	}
	for _, name := range essential {
		if !there[name] {
			requests = append(requests, apt.Request{Name: name})
		}
	}
	all, err := r.solve(ctx, requests, func(c resolve.Choice) string {
		if strings.Contains(c.Text, "=") {
			return "it is in the set already"
		}
		return "it is essential to the distribution"
	})
	var unsolvable *resolve.Unsolvable
	if errors.As(err, &unsolvable) {
		return set, nil
	}
	for _, p := range all {
		p.Locked.Essential = !slices.ContainsFunc(set, func(q *pkg) bool { return q.Locked.SHA256 == p.Locked.SHA256 })
	}
	return all, err
}

// requests reads what is asked for. A file asks for the version that it holds.
func (f *family) requests(ctx context.Context, architecture string, wanted []distro.Request) ([]apt.Request, []*debFile, error) {
	var requests []apt.Request
	var files []*debFile
	for _, r := range wanted {
		if !r.File {
			request, err := apt.ParseRequest(r.Text)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", r.Where, err)
			}
			if a := request.Architecture; a != "" && !isArchitecture(a) {
				return nil, nil, fmt.Errorf("%s: %s: %s is no architecture of Debian: a version is asked for with %s=VERSION, an image with type: oci",
					r.Where, r.Text, a, request.Name)
			}
			request.Where = r.Where
			requests = append(requests, request)
			continue
		}
		file, err := f.readFile(ctx, r.Text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.Where, err)
		}
		p := file.paragraph
		if of := p.Get("Architecture"); of != "all" && of != architecture {
			return nil, nil, fmt.Errorf("%s: %s is a package for %s, and the image is for %s", r.Where, r.Text, of, architecture)
		}
		if !control.IsName(p.Get("Package")) {
			return nil, nil, fmt.Errorf("%s: %s: invalid package name %q", r.Where, r.Text, p.Get("Package"))
		}
		requests = append(requests, apt.Request{Name: p.Get("Package"), Version: p.Get("Version"), Where: r.Where})
		files = append(files, file)
	}
	return requests, files, nil
}

// offers opens the lists of packages for an architecture, and for the others
// that requests name.
func (f *family) offers(ctx context.Context, requests []apt.Request, architecture string) ([]*apt.Offer, func(), error) {
	architectures := []string{architecture}
	for _, r := range requests {
		if a := r.Architecture; a != "" && a != "all" && a != "any" && !slices.Contains(architectures, a) {
			architectures = append(architectures, a)
		}
	}
	var offers []*apt.Offer
	var opened []*apt.Index
	closeAll := func() {
		for _, x := range opened {
			x.Close()
		}
	}
	for _, a := range architectures {
		indexes, err := f.machine.opener.Open(ctx, f.machine.sources, a)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		opened = append(opened, indexes...)
		for _, x := range indexes {
			offers = append(offers, x.Offer())
		}
	}
	return offers, closeAll, nil
}

// chosen is a package of the solution, as the first that offers it has it.
func (f *family) chosen(v *apt.Version, files []*debFile) (*pkg, error) {
	p := &pkg{family: f, relations: v.Paragraph}
	locked := lock.Package{Name: v.Name, Version: v.Version, Architecture: v.Architecture}
	x, isIndex := v.Offers[0].Packages.(*apt.Index)
	if !isIndex {
		for _, file := range files {
			if file.paragraph.Get("Package") == v.Name && file.paragraph.Get("Version") == v.Version {
				locked.URL, locked.Size, locked.SHA256 = file.path, file.size, file.digest.Encoded()
				p.Item = f.Item(locked, file.digest, nil)
				return p, nil
			}
		}
		return nil, fmt.Errorf("%s %s: none of the files that are asked for holds it", v.Name, v.Version)
	}
	file, err := x.File(v.Paragraph)
	if err != nil {
		return nil, err
	}
	p.index = x
	locked.URL, locked.Size, locked.SHA256 = file.Addresses[0], file.Size, file.Digest.Encoded()
	locked.Key, locked.Repository = x.Release.Key, x.Repository()
	p.Item = f.Item(locked, file.Digest, file.Addresses)
	return p, nil
}

// tell notes why each package is in the set.
func (r *resolution) tell(solution *resolve.Solution, wanted func(resolve.Choice) string) error {
	for _, c := range solution.Choices {
		v, err := r.catalogue.Version(c.ID)
		if err != nil {
			return err
		}
		why := wanted(c)
		if c.By != resolve.None {
			by, err := r.catalogue.Version(c.By)
			if err != nil {
				return err
			}
			why = by.Name + " " + c.Text
		}
		if !r.catalogue.Preferred(v) {
			why += "; no set of the preferred versions goes together"
		}
		r.family.Events.Note(fmt.Sprintf("%s %s %s: %s", v.Name, v.Version, v.Architecture, why))
	}
	return nil
}

// repositories are those of an architecture.
type repositories struct {
	family       *family
	architecture string
}

// Search shows finders what the repositories' lists tell.
func (r *repositories) Search(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error {
	opener := r.family.machine.opener
	indexes, err := opener.Open(ctx, r.family.machine.sources, r.architecture)
	if err != nil {
		return err
	}
	defer func() {
		for _, x := range indexes {
			x.Close()
		}
	}()
	return opener.Like(ctx, indexes, finders, fetch)
}

// Close does nothing: indexes are open only while they are asked.
func (r *repositories) Close() error { return nil }
