package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/lock"
	"smith/internal/nearest"
)

// Resolve asks the repositories for the requests and all that they need. The
// versions to keep stay where they can. The metadata of a repository seldom
// vouches for its packages, so a lock opens them and checks their signatures.
func (f *family) Resolve(ctx context.Context, q distro.Query) (*distro.Choice, error) {
	machine := repodata.Machine(q.Platform.Architecture, q.Platform.Variant)
	files, err := f.openFiles(ctx, machine)
	if err != nil {
		return nil, err
	}
	defer files.close()
	configured, err := f.repositories(machine)
	if err != nil {
		return nil, err
	}
	opened, err := f.openAll(ctx, configured)
	if err != nil {
		return nil, err
	}
	chosen := &distro.Choice{Repositories: opened, Unverified: true}
	options := repodata.Options{Machine: machine, Recommends: f.Recommends, Modules: f.options.Modules, Keep: kept(q.Keep)}
	if err := f.fill(ctx, chosen, q.Wanted(f.Requests), options, opened, files); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return chosen, nil
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

// offered returns repositories as the catalogue takes them, those of debug
// information apart.
func (all repositories) offered() (offered, debug []*repodata.Repository, byOffer map[*repodata.Repository]*repository) {
	byOffer = map[*repodata.Repository]*repository{}
	for _, r := range all {
		o := &repodata.Repository{
			Name: r.ID, Index: r.index, Priority: r.Priority, Cost: r.Cost, Exclude: r.Exclude, Include: r.Include, Lists: r,
			Modules: r.modules, ModuleHotfixes: r.ModuleHotfixes,
		}
		byOffer[o] = r
		if r.Debug {
			debug = append(debug, o)
		} else {
			offered = append(offered, o)
		}
	}
	return offered, debug, byOffer
}

// fill solves the requests, and adds the packages of the solution.
func (f *family) fill(ctx context.Context, chosen *distro.Choice, requests []distro.Request, options repodata.Options, opened repositories, files *localFiles) error {
	offered, debug, byOffer := opened.offered()
	if files.repository != nil {
		offered = slices.Insert(offered, 0, files.repository)
	}
	catalogue, err := repodata.New(ctx, offered, options)
	if err != nil {
		return err
	}
	wanted, err := wants(requests, catalogue, files)
	if err != nil {
		return err
	}
	solution, err := resolve.Solve(ctx, catalogue, wanted, resolve.Options{Minimize: true})
	if err != nil {
		return err
	}
	var all []*pkg
	for _, id := range solution.IDs() {
		p, from, err := catalogue.Find(id)
		if err != nil {
			return err
		}
		one := f.chosen(p, byOffer[from], files)
		one.noModule = !catalogue.InActiveModule(p)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.Locked.String(), b.Locked.String()) })
	chosen.Packages = general(all)
	if err := f.tell(catalogue, solution); err != nil {
		return err
	}
	if f.Debug {
		if catalogue, err = repodata.New(ctx, append(offered, debug...), options); err != nil {
			return err
		}
		found, err := f.findDebug(catalogue, all, byOffer, files)
		if err != nil {
			return err
		}
		chosen.Debug = general(found)
	}
	return openLists(ctx, all)
}

// wants returns the clauses of requests.
func wants(requests []distro.Request, catalogue *repodata.Catalogue, files *localFiles) ([]resolve.Clause, error) {
	var wanted []resolve.Clause
	for _, r := range requests {
		text := r.Text
		if r.File {
			text = files.names[r.Text]
		}
		clauses, err := catalogue.Want(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Where, err)
		}
		wanted = append(wanted, clauses...)
	}
	return wanted, nil
}

// chosen is a package of the solution.
func (f *family) chosen(p *repodata.Package, from *repository, files *localFiles) *pkg {
	c := &pkg{family: f, repository: from, about: p}
	locked := lock.Package{Name: p.Name, Version: p.String(), Architecture: p.Arch, Size: p.Size}
	var addresses []string
	if from == nil {
		locked.URL = files.paths[p.Digest]
	} else {
		addresses = from.addresses(p.Base, p.Location)
		locked.URL, locked.Key, locked.Repository = addresses[0], from.key, from.ID
		if from.key == "" && !from.GPGCheck {
			locked.Vouched = from.vouched + ", gpgcheck is off"
		}
	}
	if p.Digest.Algorithm() == "sha256" {
		locked.SHA256 = p.Digest.Encoded()
	}
	c.Item = f.Item(locked, p.Digest, addresses)
	return c
}

// tell notes why each package is in the set.
func (f *family) tell(catalogue *repodata.Catalogue, solution *resolve.Solution) error {
	for _, c := range solution.Choices {
		p, _, err := catalogue.Find(c.ID)
		if err != nil {
			return err
		}
		why := "the spec asks for " + c.Text
		if c.By != resolve.None {
			by, _, err := catalogue.Find(c.By)
			if err != nil {
				return err
			}
			why = by.Name + " " + c.Text
		}
		f.Events.Note(fmt.Sprintf("%s: %s", p.NEVRA(), why))
	}
	return nil
}

// openLists opens the lists of files of the repositories that packages are
// from, where they are smaller than the packages together: then fetching only
// those packages that files are kept of saves more than the lists cost.
func openLists(ctx context.Context, chosen []*pkg) error {
	packages, lists := int64(0), int64(0)
	seen := map[*repository]bool{}
	for _, p := range chosen {
		packages += p.Locked.Size
		if r := p.repository; r != nil && !seen[r] {
			seen[r] = true
			lists += r.repomd.Data["filelists"].Size
		}
	}
	if lists > packages {
		return nil
	}
	for _, p := range chosen {
		if p.repository != nil {
			if err := p.repository.openLists(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxSearched bounds the bytes of filelists that are fetched for the sake of a
// message.
const maxSearched = 16 << 20

// Search shows finders what the lists of repositories tell: those of programs
// and configuration, which are open anyway, and the full ones where they are
// open too or, with fetch, not large.
func (all repositories) Search(ctx context.Context, finders []*nearest.PathFinder, fetch bool) error {
	for _, r := range all {
		if r.Debug {
			continue // no image lacks what is in it
		}
		if fetch && r.repomd.Data["filelists"].Size <= maxSearched {
			if err := r.openLists(ctx); err != nil {
				return err
			}
		}
		err := r.index.Like(ctx, finders)
		if r.lists != nil {
			err = errors.Join(err, r.lists.Like(ctx, finders))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
