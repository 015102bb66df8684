package pipeline

import (
	"context"
	"errors"
	"sync"

	"smith/internal/closure"
	"smith/internal/event"
)

// selectFrom works out the files of the new layer. Where they lack something
// and the source has more than was asked for, what scripts of packages make, or
// every system of the distribution has, it is done again with that: a script's
// /bin/sh is in no relation of a Debian package. What such a try told is
// forgotten then.
func (j *job) selectFrom(ctx context.Context, in closure.Input) (*closure.Selection, error) {
	for j.pkg.More != nil {
		told := &held{Listener: j.Events}
		in.Events = told
		selection, err := closure.Select(ctx, in)
		var incomplete *closure.IncompleteError
		if !errors.As(err, &incomplete) {
			told.release()
			return selection, err
		}
		more, failed := j.pkg.More(ctx)
		if failed != nil {
			return nil, errors.Join(err, failed)
		}
		if more.Close != nil {
			j.opened = append(j.opened, more.Close)
		}
		own := j.pkg.Own
		j.pkg = more
		j.pkg.Own = own
		in.Source, in.Ahead = more.Tree, more.Ahead
	}
	return j.selectParts(ctx, in)
}

// held keeps what a Listener is told until it is known to be true.
type held struct {
	event.Listener
	mu   sync.Mutex
	told []func()
}

// Note keeps a note.
func (h *held) Note(text string) { h.keep(func() { h.Listener.Note(text) }) }

// Warn keeps a warning.
func (h *held) Warn(text string) { h.keep(func() { h.Listener.Warn(text) }) }

func (h *held) keep(tell func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, tell)
}

// release tells what was kept.
func (h *held) release() {
	for _, tell := range h.told {
		tell()
	}
}
