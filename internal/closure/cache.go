package closure

import (
	"context"
	"fmt"

	"smith/internal/elf/loader"
	"smith/internal/tree"
	"smith/record"
)

// linkerCache works out the ld.so.cache by which the image's linker will find
// libraries outside its own folders: the one that ldconfig(8) would write for
// all files on offer. It is nil where no such library is there, and where the
// overlay brings a cache, which then counts.
func (s *selector) linkerCache(ctx context.Context, l *loader.Loader) (*loader.Cache, error) {
	p := s.in.Platform
	if !loader.Known(p.Architecture, p.Variant) {
		return nil, nil
	}
	at, err := s.view.Resolve(loader.CachePath)
	if err == nil && s.view.holder(at.Node) == ofOverlay {
		return nil, nil
	}
	if err := ignoreAbsent(err); err != nil {
		return nil, err
	}
	return l.Cache(ctx, p.Architecture, p.Variant)
}

// keepCache adds the cache to what is kept, of which it then tells, if a kept
// library lies where only the cache leads. One that the parent has stays where
// it says the same.
func (s *selector) keepCache() error {
	if s.cache == nil {
		return nil
	}
	kept := s.cache.Only(func(name string) bool {
		at, err := s.view.Resolve(name)
		return err == nil && (s.items[at.Node] != nil || s.view.holder(at.Node) != ofSource)
	})
	needed, err := s.loader.Needs(kept, s.in.Platform.Architecture, s.in.Platform.Variant)
	if len(needed) == 0 || err != nil {
		return err
	}
	detail := "the linker finds it by the cache alone"
	if n := len(needed) - 1; n > 0 {
		detail += fmt.Sprintf(", and %d more", n)
	}
	at, err := s.view.Lookup(loader.CachePath)
	if err == nil {
		if s.view.holder(at.Node) == ofParent && at.Node.Kind == tree.File {
			if same, err := hasEntries(at.Node, needed); same || err != nil {
				return err
			}
			detail += "; replaces the parent's"
		}
		delete(s.items, at.Node)
	} else if err = ignoreAbsent(err); err != nil {
		return err
	}
	n := tree.NewFile(kept.Bytes(), 0o644)
	n.Origin = &record.Origin{Kind: record.KindSmith}
	if err := s.view.Insert(loader.CachePath, n); err != nil {
		return err
	}
	s.view.own[n] = true
	reason := record.Reason{Rule: record.RuleCache, From: needed[0].Path, Detail: detail}
	s.items[n] = &item{node: n, path: n.Path(), holder: ofSource, reasons: []record.Reason{reason}, wanted: true}
	return nil
}

// hasEntries says whether a file is a cache with the given entries.
func hasEntries(n *tree.Node, entries []loader.CacheEntry) (bool, error) {
	c, err := loader.ReadCacheFile(n)
	return c != nil && c.Has(entries), err
}
