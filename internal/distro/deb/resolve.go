package deb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/distro/deb/apt"
	"smith/internal/distro/resolve"
	"smith/internal/lock"
)

// resolve asks the repositories for the requests and all that they need.
// The versions to keep stay where they can. With whole the essential packages
// are added, which nothing of Debian's names as a relation.
func (s *Source) resolve(ctx context.Context, architecture string, keep *lock.Platform, whole bool) (choice, error) {
	requests, files, err := s.requests(ctx, architecture)
	if err != nil {
		return choice{}, err
	}
	offers, closeAll, err := s.offers(ctx, requests, architecture)
	if err != nil {
		return choice{}, err
	}
	defer closeAll()
	if len(files) > 0 {
		list := make(apt.Files, len(files))
		for i, f := range files {
			list[i] = f.paragraph
		}
		offers = append([]*apt.Offer{{Packages: list}}, offers...)
	}
	preferences, err := s.machine.pinned(keep)
	if err != nil {
		return choice{}, err
	}
	r := resolution{source: s, files: files, catalogue: apt.NewCatalogue(offers, preferences, architecture, s.Recommends)}
	var chosen choice
	chosen.packages, err = r.all(ctx, requests, offers, whole)
	if err == nil && s.Debug {
		chosen.debug, err = r.debug(offers, chosen.packages)
	}
	return chosen, err
}

// A resolution is one of a platform.
type resolution struct {
	source    *Source
	files     []*debFile
	catalogue *apt.Catalogue
}

// all returns the packages that meet the requests, with whole the essential
// ones beside them.
func (r *resolution) all(ctx context.Context, requests []apt.Request, offers []*apt.Offer, whole bool) ([]*pkg, error) {
	all, err := r.solve(ctx, requests, func(c resolve.Choice) string { return "the spec asks for " + c.Text })
	if err != nil {
		return nil, err
	}
	if !whole {
		return all, r.source.list(ctx, all)
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
		p, err := r.source.chosen(v, r.files)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.locked.String(), b.locked.String()) })
	return all, r.tell(solution, wanted)
}

// complete adds the essential packages, and what they relate to, to a set,
// which stays as it is. Those that cannot stand beside it are left out.
func (r *resolution) complete(ctx context.Context, set []*pkg, essential []string) ([]*pkg, error) {
	var requests []apt.Request
	there := map[string]bool{}
	for _, p := range set {
		there[p.locked.Name] = true
		request := apt.Request{Name: p.locked.Name, Version: p.locked.Version}
		if p.locked.Architecture != "all" {
			request.Architecture = p.locked.Architecture
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
		p.locked.Essential = !slices.ContainsFunc(set, func(q *pkg) bool { return q.locked.SHA256 == p.locked.SHA256 })
	}
	return all, err
}

// requests reads what is asked for. A file asks for the version that it holds.
func (s *Source) requests(ctx context.Context, architecture string) ([]apt.Request, []*debFile, error) {
	var requests []apt.Request
	var files []*debFile
	for _, r := range s.Requests {
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
		f, err := s.readFile(ctx, r.Text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.Where, err)
		}
		p := f.paragraph
		if of := p.Get("Architecture"); of != "all" && of != architecture {
			return nil, nil, fmt.Errorf("%s: %s is a package for %s, and the image is for %s", r.Where, r.Text, of, architecture)
		}
		requests = append(requests, apt.Request{Name: p.Get("Package"), Version: p.Get("Version"), Where: r.Where})
		files = append(files, f)
	}
	return requests, files, nil
}

// offers opens the lists of packages for an architecture, and for the others
// that requests name.
func (s *Source) offers(ctx context.Context, requests []apt.Request, architecture string) ([]*apt.Offer, func(), error) {
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
		indexes, err := s.machine.opener.Open(ctx, s.machine.sources, a)
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
func (s *Source) chosen(v *apt.Version, files []*debFile) (*pkg, error) {
	p := &pkg{source: s, relations: v.Paragraph}
	p.locked = lock.Package{Name: v.Name, Version: v.Version, Architecture: v.Architecture}
	x, isIndex := v.Offers[0].Packages.(*apt.Index)
	if !isIndex {
		for _, f := range files {
			if f.paragraph.Get("Package") == v.Name && f.paragraph.Get("Version") == v.Version {
				p.locked.URL, p.locked.Size, p.locked.SHA256 = f.path, f.size, f.digest.Encoded()
				return p, nil
			}
		}
		return nil, fmt.Errorf("%s %s: none of the files that are asked for holds it", v.Name, v.Version)
	}
	file, err := x.File(v.Paragraph)
	if err != nil {
		return nil, err
	}
	p.addresses, p.index = file.Addresses, x
	p.locked.URL, p.locked.Size, p.locked.SHA256 = file.Addresses[0], file.Size, file.Digest.Encoded()
	p.locked.Key, p.locked.Repository = x.Release.Key, x.Repository()
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
		r.source.Events.Note(fmt.Sprintf("%s %s %s: %s", v.Name, v.Version, v.Architecture, why))
	}
	return nil
}

// onOffer says what to do where a locked package is found nowhere.
func (s *Source) onOffer(ctx context.Context, p lock.Package) string {
	const advice = "smith lock --update %s takes %s; or name a place that keeps old packages with archives"
	if s.Network.Offline {
		return fmt.Sprintf(advice, p.Name, "what the repositories have now")
	}
	version, err := s.candidate(ctx, p)
	if err != nil || version == "" {
		return fmt.Sprintf(advice, p.Name, "what the repositories have now")
	}
	return fmt.Sprintf("%s %s is on offer now: "+advice, p.Name, version, p.Name, "it")
}

// candidate returns the version of a package that the repositories have now.
func (s *Source) candidate(ctx context.Context, p lock.Package) (string, error) {
	options := s.Options
	options.Locked = nil
	now := New(options)
	var err error
	if now.machine, err = newMachine(options); err != nil {
		return "", err
	}
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
