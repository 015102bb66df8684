package distro

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/lock"
	"smith/internal/oci/image"
)

// maxParallel is how many packages are fetched and read at once: more than
// there are cores, since most of them wait for the network.
const maxParallel = 16

// Lock returns what is chosen for a platform. Packages are opened for it only
// where the repository's metadata does not vouch for them, or knows them by a
// digest that a lock cannot hold.
func (s *Source) Lock(ctx context.Context, platform ocispec.Platform) (*lock.Platform, error) {
	chosen, _, err := s.choose(ctx, platform, true)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(chosen.Packages, chosen.Debug)
	err = each(ctx, all, func(ctx context.Context, p Package) error {
		if chosen.Unverified {
			c, err := p.Open(ctx)
			if err == nil && c.Close != nil {
				err = c.Close()
			}
			if err != nil {
				return err
			}
		}
		return p.Base().sum(ctx)
	})
	if err = errors.Join(err, chosen.close()); err != nil {
		return nil, err
	}
	l := &lock.Platform{Family: s.family.Format(), Requests: s.wanted()}
	for _, p := range all {
		l.Packages = append(l.Packages, p.Base().locked())
	}
	return l, nil
}

// sum makes sure of the digest that a lock holds, for a package that its
// repository knows by another: openSUSE's have SHA-512.
func (i *Item) sum(ctx context.Context) error {
	if i.Locked.SHA256 != "" {
		return nil
	}
	e, err := i.Fetch(ctx)
	if err != nil {
		return err
	}
	digester := digest.SHA256.Digester()
	_, err = io.Copy(digester.Hash(), io.NewSectionReader(e, 0, e.Size()))
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	i.Locked.SHA256 = digester.Digest().Encoded()
	return nil
}

// Fetch brings the files of what is chosen for a platform to the cache, and
// hands each over, several at once.
func (s *Source) Fetch(ctx context.Context, platform ocispec.Platform, take func(lock.Package, *store.Entry) error) error {
	chosen, _, err := s.choose(ctx, platform, true)
	if err != nil {
		return err
	}
	err = each(ctx, slices.Concat(chosen.Packages, chosen.Debug), func(ctx context.Context, p Package) error {
		e, err := p.Base().Fetch(ctx)
		if err != nil {
			return err
		}
		return errors.Join(take(p.Base().Locked, e), e.Close())
	})
	return errors.Join(err, chosen.close())
}

// each calls do for all packages, several at once. Errors name the package.
func each(ctx context.Context, all []Package, do func(context.Context, Package) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxParallel)
	for _, p := range all {
		group.Go(func() error {
			if err := do(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.ID(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// wanted is what the spec asks for, as a lock records it.
func (s *Source) wanted() lock.Requests {
	wanted := lock.Requests{Recommends: s.Recommends, DebugInfo: s.Debug}
	for _, r := range s.Requests {
		wanted.Packages = append(wanted.Packages, r.Text)
	}
	s.family.AddRequests(&wanted)
	wanted.Sort()
	return wanted
}

// fromLock returns the packages that the lock has for a platform, or an error if
// the spec asks for others; the essential ones only with whole.
func (s *Source) fromLock(platform ocispec.Platform, whole bool) (*Choice, error) {
	name := image.PlatformName(platform)
	l := s.Locked[name]
	if l == nil {
		return nil, fmt.Errorf("smith.lock is out of date: it has no packages for %s; run \"smith lock\" to add them", name)
	}
	if format := s.family.Format(); l.Family != "" && l.Family != format {
		return nil, fmt.Errorf("smith.lock is out of date: it has %s packages for %s, and the spec asks for %s packages; run \"smith lock --update\" to replace them",
			l.Family, name, format)
	}
	if changes := l.Requests.Changes(s.wanted()); changes != "" {
		return nil, fmt.Errorf("smith.lock is out of date: %s; run \"smith lock\" to update it and keep the other versions, or \"smith lock --update\" to renew all of them", changes)
	}
	chosen := &Choice{}
	for _, p := range l.Packages {
		item := s.Item(p, digest.NewDigestFromEncoded(digest.SHA256, p.SHA256), []string{p.URL})
		switch {
		case p.Debug != "":
			chosen.Debug = append(chosen.Debug, s.family.Locked(item))
		case whole || !p.Essential:
			chosen.Packages = append(chosen.Packages, s.family.Locked(item))
		}
	}
	return chosen, nil
}
