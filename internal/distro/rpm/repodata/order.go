package repodata

import (
	"cmp"
	"slices"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// order sorts packages that fulfil a relation by dnf's policy (libsolv's
// policy_filter_unwanted), best first, and returns how many of the first are
// equal to it. hints are the packages that the one with the
// relation recommends or suggests.
func (c *Catalogue) order(ids []resolve.ID, hints map[resolve.ID]hint) (ordered []resolve.ID, equal int, err error) {
	options := make([]option, len(ids))
	for i, id := range ids {
		p, err := c.find(id)
		if err != nil {
			return nil, 0, err
		}
		options[i] = option{offered: p, id: id, hint: hints[id]}
		if options[i].superseded, err = c.superseded(p); err != nil {
			return nil, 0, err
		}
	}
	if options, err = c.withoutInferior(options); err != nil {
		return nil, 0, err
	}
	markArches(options)
	markObsolete(options)
	slices.SortFunc(options, option.compareVersions)
	for i := 1; i < len(options); i++ {
		options[i].older = options[i].Name == options[i-1].Name
	}
	slices.SortFunc(options, option.compare)
	for rest := options; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].tier() == rest[0].tier() {
			n++
		}
		markProvided(rest[:n])
		rest = rest[n:]
	}
	slices.SortStableFunc(options, option.compare)
	for _, o := range options {
		ordered = append(ordered, o.id)
		if o.tier() == options[0].tier() {
			equal++
		}
	}
	return ordered, equal, nil
}

// A hint is how a package favors another one.
type hint int

const (
	suggested hint = 1 + iota
	recommended
)

// An option is a package that fulfils a relation.
type option struct {
	*offered
	id   resolve.ID
	hint hint
	// fit is the rank of the architecture among the options of a priority: 0 is
	// the best of them and noarch.
	fit      int
	obsolete bool // another option obsoletes it
	older    bool // another option is a better one of its name
	// superseded says that a better one of its name is on offer, whether or not
	// that fulfils the relation.
	superseded bool
	// outdone counts how often a better option provides the same in a newer
	// version.
	outdone int
}

// markArches notes which options have the best architecture of their priority
// (libsolv's prune_to_best_arch).
func markArches(options []option) {
	best := map[int]int{} // by priority
	for _, o := range options {
		if least, known := best[o.repository.Priority]; o.Arch != noarch && (!known || o.rank < least) {
			best[o.repository.Priority] = o.rank
		}
	}
	for i := range options {
		if o := &options[i]; o.Arch != noarch {
			o.fit = o.rank - best[o.repository.Priority]
		}
	}
}

// compareVersions sorts the packages of one name together, the best first.
func (o option) compareVersions(b option) int {
	return cmp.Or(
		strings.Compare(o.Name, b.Name),
		cmpBool(b.kept, o.kept),
		cmp.Compare(o.repository.Priority, b.repository.Priority),
		cmp.Compare(o.fit, b.fit),
		b.Compare(o.EVR),
		cmp.Compare(o.repository.Cost, b.repository.Cost),
		cmp.Compare(o.id, b.id),
	)
}

// A tier is what makes options equal.
type tier struct {
	kept                        bool
	priority, fit               int
	obsolete, older, superseded bool
	hint                        hint
	outdone                     int
}

func (o option) tier() tier {
	return tier{o.kept, o.repository.Priority, o.fit, o.obsolete, o.older, o.superseded, o.hint, o.outdone}
}

func (o option) compare(b option) int {
	return cmp.Or(
		cmpBool(b.kept, o.kept),
		cmp.Compare(o.repository.Priority, b.repository.Priority),
		cmp.Compare(o.fit, b.fit),
		cmpBool(o.obsolete, b.obsolete),
		cmpBool(o.older, b.older),
		cmpBool(b.hint == recommended, o.hint == recommended),
		cmp.Compare(b.hint, o.hint),
		cmp.Compare(o.outdone, b.outdone),
		cmpBool(o.superseded, b.superseded),
		o.compareVersions(b),
	)
}

// cmpBool sorts false first.
func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// markObsolete marks the options that another one obsoletes.
func markObsolete(options []option) {
	for i := range options {
		o := &options[i]
		o.obsolete = slices.ContainsFunc(options, func(other option) bool { return other.obsoletes(o.Package) })
	}
}

// obsoletes reports whether p takes the place of other. Obsoletes go by the names
// of packages, not by what they provide.
func (p *Package) obsoletes(other *Package) bool {
	self := relation.Relation{Name: other.Name, Op: relation.Equal, EVR: other.EVR}
	return p.Name != other.Name && slices.ContainsFunc(p.Obsoletes, func(r relation.Relation) bool { return r.Matches(self) })
}

// superseded reports whether a better package of the name and architecture is
// on offer: one of a repository with a better priority, or a newer one
// (libsolv's dislike_old_versions).
func (c *Catalogue) superseded(p *offered) (bool, error) {
	if p.kept {
		return false, nil
	}
	ids, err := c.called(p.Name)
	return slices.ContainsFunc(ids, func(id resolve.ID) bool {
		o := c.packages[id]
		return o.Arch == p.Arch && cmp.Or(cmp.Compare(o.repository.Priority, p.repository.Priority), p.Compare(o.EVR)) < 0
	}), err
}

// markProvided counts, for each name that several options provide in a single
// version, by how many newer versions an option is outdone (libsolv's
// sort_by_common_dep): java-17 comes before java-8 where both provide "java".
func markProvided(options []option) {
	type provided struct {
		option int
		relation.Relation
	}
	byName := map[string][]provided{}
	for i := range options {
		self := relation.Relation{Name: options[i].Name, Op: relation.Equal, EVR: options[i].EVR}
		for _, r := range append([]relation.Relation{self}, options[i].Provides...) {
			if r.Op&relation.Greater == 0 && r.Op != 0 && !isHash(r) {
				byName[r.Name] = append(byName[r.Name], provided{i, r})
			}
		}
	}
	for _, all := range byName {
		newestFirst := func(a, b provided) int { return cmp.Or(b.EVR.CompareReleases(a.EVR), cmp.Compare(b.Op, a.Op)) }
		slices.SortStableFunc(all, newestFirst)
		outdone := 0
		for i, p := range all {
			if i > 0 && p.option != all[i-1].option && newestFirst(all[i-1], p) < 0 {
				outdone++
			}
			options[p.option].outdone += outdone
		}
	}
}

// isHash reports whether the version looks like a digest, which has no order.
func isHash(r relation.Relation) bool {
	text := r.EVR.String()
	return r.Op == relation.Equal && len(text) >= 4 && strings.Trim(text, "0123456789abcdef") == ""
}
