package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/packages"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/lock"
)

// resolve asks the repositories for the requests and all that they need. The
// versions to keep stay where they can.
func (s *Source) resolve(ctx context.Context, machine string, keep map[string]string) (*choice, error) {
	files, err := s.openFiles(ctx, machine)
	if err != nil {
		return nil, err
	}
	defer files.close()
	configured, err := s.repositories(machine)
	if err != nil {
		return nil, err
	}
	opened, err := s.openAll(ctx, configured)
	if err != nil {
		return nil, err
	}
	chosen := &choice{repositories: opened, close: func() error { return closeAll(opened) }}
	if err := s.fill(ctx, chosen, repodata.Options{Machine: machine, Recommends: s.Recommends, Modules: s.Modules, Keep: keep}, opened, files); err != nil {
		return nil, errors.Join(err, chosen.close())
	}
	return chosen, nil
}

// fill solves the requests, and adds the packages of the solution.
func (s *Source) fill(ctx context.Context, chosen *choice, options repodata.Options, opened []*repository, files *localFiles) error {
	var offered, debug []*repodata.Repository
	if files.repository != nil {
		offered = append(offered, files.repository)
	}
	byOffer := map[*repodata.Repository]*repository{}
	for _, r := range opened {
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
	catalogue, err := repodata.New(ctx, offered, options)
	if err != nil {
		return err
	}
	wanted, err := wants(s.Requests, catalogue, files)
	if err != nil {
		return err
	}
	solution, err := resolve.Solve(ctx, catalogue, wanted, resolve.Options{})
	if err != nil {
		return err
	}
	for _, id := range solution.IDs() {
		p, from, err := catalogue.Find(id)
		if err != nil {
			return err
		}
		chosen.packages = append(chosen.packages, s.chosen(p, byOffer[from], files))
	}
	slices.SortFunc(chosen.packages, func(a, b *pkg) int { return strings.Compare(a.locked.String(), b.locked.String()) })
	if err := s.tell(catalogue, solution); err != nil {
		return err
	}
	if s.Debug {
		if catalogue, err = repodata.New(ctx, append(offered, debug...), options); err != nil {
			return err
		}
		if chosen.debug, err = s.findDebug(catalogue, chosen.packages, byOffer, files); err != nil {
			return err
		}
	}
	return openLists(ctx, chosen.packages)
}

// wants returns the clauses of requests.
func wants(requests []packages.Request, catalogue *repodata.Catalogue, files *localFiles) ([]resolve.Clause, error) {
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
func (s *Source) chosen(p *repodata.Package, from *repository, files *localFiles) *pkg {
	c := &pkg{source: s, repository: from, digest: p.Digest, nevra: p.NEVRA(), about: p}
	c.locked = lock.Package{Name: p.Name, Version: p.String(), Architecture: p.Arch, Size: p.Size}
	if from == nil {
		c.locked.URL = files.paths[p.Digest]
	} else {
		c.addresses = from.addresses(p.Base, p.Location)
		c.locked.URL, c.locked.Key, c.locked.Repository = c.addresses[0], from.key, from.ID
		if from.key == "" && !from.GPGCheck {
			c.locked.Vouched = from.vouched + ", gpgcheck is off"
		}
	}
	if p.Digest.Algorithm() == "sha256" {
		c.locked.SHA256 = p.Digest.Encoded()
	}
	return c
}

// tell notes why each package is in the set.
func (s *Source) tell(catalogue *repodata.Catalogue, solution *resolve.Solution) error {
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
		s.Events.Note(fmt.Sprintf("%s: %s", p.NEVRA(), why))
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
		packages += p.locked.Size
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
