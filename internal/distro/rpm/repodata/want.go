package repodata

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// Want returns the clauses of a request as dnf(8) reads it: a package's name,
// with version, release and architecture as far as one likes, and with globs,
// each package of which is wanted; else what a package provides, or a file; or
// a relation such as "bash >= 5" or a rich dependency. Where an available
// package obsoletes the named one, it is taken instead.
func (c *Catalogue) Want(request string) ([]resolve.Clause, error) {
	c.reachable = nil
	r, _ := relation.Parse(request)
	if relation.IsRich(request) {
		r = relation.Relation{Name: request}
	}
	for _, leaf := range leaves(r) {
		fits, _, err := c.providing(leaf)
		if err != nil {
			return nil, err
		}
		c.roots = append(c.roots, fits...)
		c.acceptArches(fits)
	}
	clauses, err := c.want(request)
	for _, clause := range clauses {
		c.roots = append(c.roots, clause.Options...)
	}
	c.reachable = nil
	return clauses, err
}

// acceptArches notes the packages of an inferior architecture that a request can
// be met by: for their names no architecture is better than another.
func (c *Catalogue) acceptArches(ids []resolve.ID) {
	for _, id := range ids {
		if p := c.packages[id]; p.rank > 0 {
			c.requested[p.Name] = true
		}
	}
}

func (c *Catalogue) want(request string) ([]resolve.Clause, error) {
	if relation.IsRich(request) {
		clauses, err := c.clauses("", relation.Relation{Name: request}, nil)
		return clauses, err
	}
	if strings.HasPrefix(request, "@") {
		return nil, fmt.Errorf("%s: groups of packages are not supported: name packages", request)
	}
	named, err := c.named(request)
	if err != nil {
		return nil, err
	}
	if len(named) > 0 {
		return c.wantNamed(request, named)
	}
	r, ok := relation.Parse(request)
	if !ok {
		return nil, fmt.Errorf("%q is neither a package nor a relation", request)
	}
	clauses, err := c.clauses("", r, nil)
	if err != nil || len(clauses[0].Options) > 0 || len(clauses[0].Misfits) > 0 {
		return clauses, err
	}
	return nil, &UnknownError{Request: request, Near: c.near(request)}
}

// An UnknownError says that nothing on offer is called so, or provides it.
type UnknownError struct {
	Request string
	Near    string // a name that is nearly the same, or ""
}

func (e *UnknownError) Error() string {
	if e.Near != "" {
		return fmt.Sprintf("no package is called %s or provides it; %s exists", e.Request, e.Near)
	}
	return fmt.Sprintf("no package is called %s or provides it", e.Request)
}

// near returns a name that only case, or "-" for "_", tells from the request.
func (c *Catalogue) near(request string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }
	for _, r := range c.repositories {
		for name := range r.Index.Names() {
			if plain(name) == plain(request) || plain(name) == "lib"+plain(request) {
				return name
			}
		}
	}
	return ""
}

// wantNamed returns a clause for each name among packages.
func (c *Catalogue) wantNamed(request string, ids []resolve.ID) ([]resolve.Clause, error) {
	byName := map[string][]resolve.ID{}
	var names []string
	for _, id := range ids {
		p, err := c.find(id)
		if err != nil {
			return nil, err
		}
		if byName[p.Name] == nil {
			names = append(names, p.Name)
		}
		byName[p.Name] = append(byName[p.Name], id)
	}
	slices.Sort(names)
	c.acceptArches(ids)
	var clauses []resolve.Clause
	for _, name := range names {
		options := byName[name]
		if name == request {
			obsoleting, err := c.obsoleting(name)
			if err != nil {
				return nil, err
			}
			options = append(options, obsoleting...)
			c.acceptArches(obsoleting)
		}
		ordered, equal, err := c.order(options, nil)
		if err != nil {
			return nil, err
		}
		clauses = append(clauses, resolve.Clause{Text: request, Options: ordered, Equal: equal})
	}
	return clauses, nil
}

// obsoleting returns the packages that obsolete a package of a name.
func (c *Catalogue) obsoleting(name string) ([]resolve.ID, error) {
	candidates, err := c.keyed(keyObsolete + name)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	named, err := c.called(name)
	return slices.DeleteFunc(candidates, func(id resolve.ID) bool {
		p := c.packages[id]
		return p.Name == name || !slices.ContainsFunc(named, func(other resolve.ID) bool { return p.obsoletes(c.packages[other].Package) })
	}), err
}

// named returns the packages that a request names.
func (c *Catalogue) named(request string) ([]resolve.ID, error) {
	names := candidates(request)
	if strings.ContainsAny(request, "*?[") {
		if _, err := path.Match(request, ""); err != nil {
			return nil, fmt.Errorf("%q is not a valid glob: its [ is not closed or is empty", request)
		}
		names = c.globbed(request)
	}
	var all []resolve.ID
	var about []*Package
	for _, name := range names {
		found, err := c.called(name)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			all, about = append(all, id), append(about, c.packages[id].Package)
		}
	}
	var named []resolve.ID
	for _, i := range Called(request, about) {
		named = append(named, all[i])
	}
	return named, nil
}

// candidates are the names that a request could begin with: all of it, or what
// stands before an architecture, a release, a version.
func candidates(request string) []string {
	list := []string{request}
	short := request
	if i := strings.LastIndexByte(request, '.'); i > 0 {
		list = append(list, request[:i])
	}
	for range 2 {
		i := strings.LastIndexByte(short, '-')
		if i <= 0 {
			break
		}
		short = short[:i]
		list = append(list, short)
	}
	return list
}

// globbed returns the names of packages that a glob could be of: the version
// may stand in the glob as well.
func (c *Catalogue) globbed(glob string) []string {
	literal := glob[:strings.IndexAny(glob, "*?[")]
	var names []string
	for _, r := range c.repositories {
		for name := range r.Index.Names() {
			if strings.HasPrefix(name, literal) || strings.HasPrefix(literal, name+"-") || strings.HasPrefix(literal, name+".") {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
