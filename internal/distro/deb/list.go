package deb

import (
	"context"
	"fmt"

	"smith/internal/distro/deb/apt"
)

// list asks the archive's lists what the packages hold, so that only those are
// fetched of which a file is wanted. Where the lists are larger than all the
// packages together, these are opened instead: which it is follows from the
// repository alone. Lists that cannot be had are done without; the image is the
// same. A list may be of yesterday's packages: see distro.Source.Doubt.
func (f *family) list(ctx context.Context, set []*pkg) error {
	var asked []apt.Held
	var size int64
	for _, p := range set {
		size += p.Locked.Size
		if p.index != nil {
			asked = append(asked, p.held())
		}
	}
	listing, known, err := f.machine.opener.Listing(asked)
	if err != nil || listing.Size >= size {
		return err
	}
	paths, err := listing.Paths(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		f.Events.Note(fmt.Sprintf("all packages are opened: %v", err))
		return nil
	}
	listed := map[apt.Held]bool{}
	for _, h := range known {
		listed[h] = true
	}
	for _, p := range set {
		if p.index != nil && listed[p.held()] {
			p.paths = paths[p.Locked.Name+" "+p.Locked.Architecture]
		}
	}
	for p := range f.asked(set) {
		p.sure = true
	}
	return nil
}

func (p *pkg) held() apt.Held {
	return apt.Held{Name: p.Locked.Name, Architecture: p.Locked.Architecture, Index: p.index}
}
