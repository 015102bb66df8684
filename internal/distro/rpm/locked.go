package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/lock"
	"smith/internal/oci/image"
)

// maxParallel is how many packages are fetched and read at once.
const maxParallel = 8

// Lock returns what is chosen for a platform. The metadata of a repository
// seldom vouches for its packages, so they are fetched and their signatures
// checked before the lock does.
func (s *Source) Lock(ctx context.Context, platform ocispec.Platform) (*lock.Platform, error) {
	platform, err := s.settled(platform)
	if err != nil {
		return nil, err
	}
	chosen, err := s.choose(ctx, platform)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(chosen.packages, chosen.debug)
	err = each(ctx, all, func(ctx context.Context, p *pkg) error {
		c, err := p.Open(ctx)
		if err != nil {
			return err
		}
		return c.Close()
	})
	if err = errors.Join(err, chosen.close()); err != nil {
		return nil, err
	}
	l := &lock.Platform{Requests: s.wanted()}
	for _, p := range all {
		if p.locked.SHA256 == "" {
			return nil, fmt.Errorf("%s is known by %s, and a lock takes sha256 only", p.nevra, p.digest)
		}
		if p.key != "" {
			p.locked.Key = p.key
		}
		l.Packages = append(l.Packages, p.locked)
	}
	return l, nil
}

// Fetch brings the files of what is chosen for a platform to the cache, and
// hands each over, several at once.
func (s *Source) Fetch(ctx context.Context, platform ocispec.Platform, take func(lock.Package, *store.Entry) error) error {
	platform, err := s.settled(platform)
	if err != nil {
		return err
	}
	chosen, err := s.choose(ctx, platform)
	if err != nil {
		return err
	}
	err = each(ctx, slices.Concat(chosen.packages, chosen.debug), func(ctx context.Context, p *pkg) error {
		e, err := p.fetch(ctx)
		if err != nil {
			return err
		}
		return errors.Join(take(p.locked, e), e.Close())
	})
	return errors.Join(err, chosen.close())
}

// each calls do for all packages, several at once. Errors name the package.
func each(ctx context.Context, all []*pkg, do func(context.Context, *pkg) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxParallel)
	for _, p := range all {
		group.Go(func() error {
			if err := do(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.nevra, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// wanted is what the spec asks for, in the words of a lock.
func (s *Source) wanted() []string {
	var all []string
	for _, r := range s.Requests {
		all = append(all, r.Text)
	}
	if s.Recommends {
		all = append(all, "recommends: true")
	}
	for _, m := range s.Modules {
		all = append(all, "module: "+m)
	}
	if s.Debug {
		all = append(all, lock.Debug)
		for _, r := range s.DebugRequests {
			all = append(all, "debugdeps: "+r.Text)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fromLock returns the packages that the lock has for a platform, if it was
// made for what the spec asks for.
func (s *Source) fromLock(platform ocispec.Platform) (*choice, error) {
	name := image.PlatformName(platform)
	l := s.Locked[name]
	if l == nil {
		return nil, fmt.Errorf("smith.lock does not fit: it has no packages for %s; smith lock --update adds them", name)
	}
	if changes := l.Changes(s.wanted()); changes != "" {
		return nil, fmt.Errorf("smith.lock does not fit: %s; smith lock takes that in and keeps the other versions, smith lock --update renews all", changes)
	}
	chosen := &choice{close: func() error { return nil }}
	for _, locked := range l.Packages {
		p := &pkg{
			source: s, locked: locked, digest: digest.NewDigestFromEncoded(digest.SHA256, locked.SHA256),
			nevra: strings.ReplaceAll(locked.String(), " ", "-"),
		}
		if locked.Debug != "" {
			chosen.debug = append(chosen.debug, p)
		} else {
			chosen.packages = append(chosen.packages, p)
		}
	}
	return chosen, nil
}
