package pipeline

import (
	"context"
	"errors"
	"sync"

	"smith/internal/closure"
	"smith/internal/event"
	"smith/internal/source"
)

// selectFrom selects the files of the new layer. Where they lack something and
// the source has more than was asked for, such as what scripts of packages make
// or what every system of the distribution has, it selects again with that: no
// relation of a Debian package names a script's /bin/sh, or the commands that the
// script runs. Messages of such an attempt are dropped. It returns the offer that
// was selected from in the end, with an error too.
func selectFrom(ctx context.Context, open *closers, in closure.Input, pkg *source.Offer, system *configuring) (*closure.Selection, *source.Offer, error) {
	relate(ctx, &in, pkg.Packages)
	for pkg.More {
		events := &deferred{Listener: in.Events}
		try := in
		try.Events = events
		selection, err := closure.Select(ctx, try)
		var incomplete *closure.IncompleteError
		if !errors.As(err, &incomplete) && (err != nil || len(selection.Commands) == 0) {
			events.deliver()
			return selection, pkg, err
		}
		more, failed := pkg.Packages.More(ctx)
		if failed != nil {
			return nil, pkg, errors.Join(err, failed)
		}
		open.add(more.Close)
		if more, failed = system.again(more); failed != nil {
			return nil, pkg, errors.Join(err, failed)
		}
		pkg, in.Source, in.Ahead = more, more.Tree, more.Ahead()
		relate(ctx, &in, more.Packages)
	}
	selection, err := selectParts(ctx, in)
	return selection, pkg, err
}

// deferred holds notes and warnings back until the attempt that they are about
// is known to count.
type deferred struct {
	event.Listener
	mu       sync.Mutex
	messages []func()
}

// Note holds a note back.
func (d *deferred) Note(text string) { d.add(func() { d.Listener.Note(text) }) }

// Warn holds a warning back.
func (d *deferred) Warn(text string) { d.add(func() { d.Listener.Warn(text) }) }

func (d *deferred) add(message func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = append(d.messages, message)
}

// deliver passes on what was held back.
func (d *deferred) deliver() {
	for _, message := range d.messages {
		message()
	}
}
