package deb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/distro/deb/apt"
	"smith/internal/lock"
	"smith/internal/oci/image"
)

// Lock returns what is chosen for a platform, without opening any package of a
// repository.
func (s *Source) Lock(ctx context.Context, platform ocispec.Platform) (*lock.Platform, error) {
	chosen, err := s.choose(ctx, settled(platform), true)
	if err != nil {
		return nil, err
	}
	l := &lock.Platform{Requests: s.wanted()}
	for _, p := range slices.Concat(chosen.packages, chosen.debug) {
		l.Packages = append(l.Packages, p.locked)
	}
	return l, nil
}

// Fetch brings the files of what is chosen for a platform to the cache, and
// hands each over, several at once.
func (s *Source) Fetch(ctx context.Context, platform ocispec.Platform, take func(lock.Package, *store.Entry) error) error {
	chosen, err := s.choose(ctx, settled(platform), true)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, p := range slices.Concat(chosen.packages, chosen.debug) {
		group.Go(func() error {
			e, err := p.fetch(ctx)
			if err != nil {
				return err
			}
			return errors.Join(take(p.locked, e), e.Close())
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
	if s.Debug {
		all = append(all, lock.Debug)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fromLock returns the packages that the lock has for a platform, if it was
// made for what the spec asks for; the essential ones only with whole.
func (s *Source) fromLock(platform ocispec.Platform, whole bool) (choice, error) {
	name := image.PlatformName(platform)
	l := s.Locked[name]
	if l == nil {
		return choice{}, fmt.Errorf("smith.lock does not fit: it has no packages for %s; smith lock --update adds them", name)
	}
	if changes := l.Changes(s.wanted()); changes != "" {
		return choice{}, fmt.Errorf("smith.lock does not fit: %s; smith lock takes that in and keeps the other versions, smith lock --update renews all", changes)
	}
	var chosen choice
	for _, p := range l.Packages {
		switch {
		case p.Debug != "":
			chosen.debug = append(chosen.debug, &pkg{source: s, locked: p})
		case whole || !p.Essential:
			chosen.packages = append(chosen.packages, &pkg{source: s, locked: p})
		}
	}
	return chosen, nil
}

// pinned returns preferences that keep the versions of a lock before those of
// the machine. A version that nobody offers any more pins nothing.
func (m *machine) pinned(keep *lock.Platform) (*apt.Preferences, error) {
	if keep == nil || len(keep.Packages) == 0 {
		return m.preferences, nil
	}
	var pins strings.Builder
	for _, p := range keep.Packages {
		fmt.Fprintf(&pins, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", p.Name, p.Version)
	}
	all := &apt.Preferences{}
	if err := all.Read(strings.NewReader(pins.String())); err != nil {
		return nil, err
	}
	all.Append(m.preferences)
	return all, nil
}
