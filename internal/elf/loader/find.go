package loader

import (
	"context"
	"fmt"
)

// Find returns the object that dlopen(3) of a name gives to the code of the
// object at path from, which is taken to be in a process of its own with what
// it needs: an object that is loaded already is found again, and the RPATH or
// RUNPATH of from counts. The Missing is not nil where there is none; it is
// not in the process's Missing of any Load.
func (l *Loader) Find(ctx context.Context, name, from string) (Library, *Missing, error) {
	main, err := l.begin(from)
	if err != nil {
		return Library{}, nil, err
	}
	ld, err := l.linkerFor(main.file)
	if err != nil {
		return Library{}, nil, err
	}
	var s *session
	var found *object
	if ld.musl {
		m := newMusl(l, ld, main)
		if m.isSelf(name) && ld.node != nil {
			return Library{Name: name, Path: ld.path, Node: ld.node, NeededBy: from, Found: "part of the linker", Kind: Dlopen}, nil, nil
		}
		if err = m.load(ctx); err == nil {
			found, err = m.mapObject(main, name, Dlopen)
		}
		s = &m.session
	} else {
		g := newGlibc(l, ld, main)
		if err = g.load(ctx); err == nil {
			found, err = g.mapObject(main, name, Dlopen)
		}
		s = &g.session
	}
	if err != nil {
		return Library{}, nil, fmt.Errorf("cannot look for %s: %w", name, err)
	}
	if found == nil || found.faked {
		return Library{}, &s.missing[len(s.missing)-1], nil
	}
	at := found.Library
	at.Name, at.NeededBy, at.Kind = name, from, Dlopen
	return at, nil, nil
}
