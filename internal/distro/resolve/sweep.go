package resolve

import "slices"

// A sweeper walks what was chosen once more, with all choices known, and
// keeps what is called for. The search leaves packages behind that it chose
// for a relation which a later choice fulfils too.
type sweeper struct {
	*solver
	kept    map[variable]bool
	choices []Choice
}

// sweep returns the solution. Dropping a package breaks nothing: relations
// that it fulfilled alone keep it, conflicts and conditions only fall away.
func (s *solver) sweep() *Solution {
	w := &sweeper{solver: s, kept: map[variable]bool{}}
	more := true
	for more {
		more = w.certain(false) || w.certain(true) || w.preferred(false) || w.preferred(true)
	}
	return &Solution{Choices: w.choices}
}

// certain keeps what is the only chosen option of a relation, and tells
// whether there was any.
func (w *sweeper) certain(weak bool) bool {
	before := len(w.choices)
	w.each(func(r *relation) bool {
		if r.clause.Weak == weak {
			if chosen := w.fulfilling(r); len(chosen) == 1 {
				w.keep(chosen[0], r)
			}
		}
		return true
	})
	return len(w.choices) > before
}

// preferred keeps the best chosen option of the first relation that lacks
// one, and reports whether there was any.
func (w *sweeper) preferred(weak bool) bool {
	before := len(w.choices)
	w.each(func(r *relation) bool {
		if r.clause.Weak == weak {
			if chosen := w.fulfilling(r); len(chosen) > 0 {
				best := chosen[0]
				if w.minimize {
					best = w.sufficient(chosen)
				}
				w.keep(best, r)
				return false
			}
		}
		return true
	})
	return len(w.choices) > before
}

// sufficient returns the first of some options, or, where that one brings
// another of them along, the other: it fulfils the relation by itself. libsolv
// finds such packages in the same way, as it minimizes its answer.
func (w *sweeper) sufficient(options []variable) variable {
	best := options[0]
	for range options {
		along := w.along(best)
		i := slices.IndexFunc(options, func(v variable) bool { return v != best && along[v] })
		if i < 0 || w.along(options[i])[best] {
			break
		}
		best = options[i]
	}
	return best
}

// along returns the packages that are certain to be kept if v is.
func (w *sweeper) along(v variable) map[variable]bool {
	brought := map[variable]bool{v: true}
	for todo := []variable{v}; len(todo) > 0; {
		v, todo = todo[len(todo)-1], todo[:len(todo)-1]
		for _, r := range slices.Concat(w.all[v].relations, w.conditional) {
			if next := w.only(r, brought); next != nobody {
				brought[next] = true
				todo = append(todo, next)
			}
		}
	}
	return brought
}

// only returns the single chosen option of a relation that what is kept and
// what is brought call for and do not fulfil.
func (w *sweeper) only(r *relation, brought map[variable]bool) variable {
	missing := func(v variable) bool { return v != nobody && !w.kept[v] && !brought[v] }
	if missing(r.owner) || slices.ContainsFunc(r.unless, missing) {
		return nobody
	}
	only := nobody
	for _, v := range r.options {
		switch {
		case w.kept[v] || brought[v] || w.chosen(v) && only != nobody:
			return nobody
		case w.chosen(v):
			only = v
		}
	}
	return only
}

// each calls do for the relations of nobody and of what is kept, also of what
// do keeps, until it returns false.
func (w *sweeper) each(do func(*relation) bool) {
	for _, r := range w.wanted {
		if !do(r) {
			return
		}
	}
	for at := 0; at < len(w.choices); {
		v := w.known[w.choices[at].ID]
		at++
		for _, r := range w.all[v].relations {
			if !do(r) {
				return
			}
		}
	}
	for _, r := range w.conditional {
		if !do(r) {
			return
		}
	}
}

// fulfilling returns the chosen options of a relation that is called for and
// that nothing kept fulfils.
func (w *sweeper) fulfilling(r *relation) []variable {
	if r.owner != nobody && !w.kept[r.owner] {
		return nil
	}
	for _, v := range r.unless {
		if !w.kept[v] {
			return nil
		}
	}
	var chosen []variable
	for _, v := range r.options {
		if w.kept[v] {
			return nil
		}
		if w.chosen(v) {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

func (w *sweeper) keep(v variable, r *relation) {
	w.kept[v] = true
	by := None
	if r.owner != nobody {
		by = w.all[r.owner].id
	}
	w.choices = append(w.choices, Choice{ID: w.all[v].id, By: by, Text: r.clause.Text})
}
