package apt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"smith/internal/distro/resolve"
	"smith/internal/nearest"
)

// A Request asks for a package: "NAME[:ARCHITECTURE][=VERSION|/SUITE]".
type Request struct {
	Name, Architecture, Version, Suite string
	// Where tells the reader where it stands, "" where nobody wrote it.
	Where string
}

// ParseRequest reads a request as apt-get(8) writes it.
func ParseRequest(word string) (Request, error) {
	var r Request
	rest, version, versioned := strings.Cut(word, "=")
	if !versioned {
		rest, r.Suite, _ = strings.Cut(rest, "/")
	}
	r.Version = version
	var qualified bool
	r.Name, r.Architecture, qualified = strings.Cut(rest, ":")
	switch {
	case versioned && version == "", strings.HasSuffix(word, "/"), qualified && r.Architecture == "", !isName(r.Name), strings.Contains(r.Suite, ":"):
		return r, fmt.Errorf("%q asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", word)
	}
	return r, nil
}

// isName reports whether a package can be called so (Debian Policy, 5.6.7), upper
// case included, which some have.
func isName(s string) bool {
	return s != "" && !strings.ContainsRune("+-._", rune(s[0])) && !strings.ContainsFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("+-._", c))
	})
}

// String returns the request as it is written.
func (r Request) String() string {
	s := r.Name
	if r.Architecture != "" {
		s += ":" + r.Architecture
	}
	if r.Version != "" {
		s += "=" + r.Version
	}
	if r.Suite != "" {
		s += "/" + r.Suite
	}
	return s
}

// wanted turns requests into clauses. A version that a request names takes the
// place of the candidate, for everything that relates to the package.
func (c *Catalogue) wanted(requests []Request) ([]resolve.Clause, error) {
	for _, r := range requests {
		if err := c.setCandidate(r); err != nil {
			return nil, r.failed(err)
		}
	}
	var clauses []resolve.Clause
	for _, r := range requests {
		clause, err := c.want(r)
		if err != nil {
			return nil, r.failed(err)
		}
		clauses = append(clauses, clause)
	}
	return clauses, nil
}

// failed tells where the request stands that cannot be met.
func (r Request) failed(err error) error {
	if r.Where == "" {
		return err
	}
	return fmt.Errorf("%s: %w", r.Where, err)
}

// setCandidate makes the newest version that fits the request the candidate.
func (c *Catalogue) setCandidate(r Request) error {
	if r.Version == "" && r.Suite == "" {
		return nil
	}
	g, err := c.group(r.Name)
	if err != nil {
		return err
	}
	for _, v := range g.versions {
		if c.asked(v, r) {
			g.candidates[c.architecture(v)] = v
			return nil
		}
	}
	return nil // the clause will say what is on offer instead
}

// asked reports whether the request means the version.
func (c *Catalogue) asked(v *Version, r Request) bool {
	return c.suits(v, cmp.Or(r.Architecture, c.native), c.native) &&
		(r.Version == "" || r.Version == v.Version) && (r.Suite == "" || v.from(r.Suite))
}

// from reports whether a suite or codename of that name offers the version.
func (v *Version) from(suite string) bool {
	return slices.ContainsFunc(v.Offers, func(o *Offer) bool {
		return o.Release != nil && (suite == o.Release.Suite || suite == o.Release.Codename)
	})
}

func (c *Catalogue) want(r Request) (resolve.Clause, error) {
	g, err := c.group(r.Name)
	if err != nil {
		return resolve.Clause{}, err
	}
	versions, virtual := g.versions, len(g.versions) == 0
	if virtual {
		if versions, err = c.bearing(r.Name); err != nil {
			return resolve.Clause{}, err
		}
	}
	if len(versions) == 0 {
		return resolve.Clause{}, fmt.Errorf("no package on offer is called %s or provides that%s", r.Name, c.near(r.Name))
	}
	clause := c.sort(versions, r.Name, func(v *Version) bool { return c.asked(v, r) }).clause(c.wide)
	clause.Text = r.String()
	switch {
	case virtual:
		err = c.onlyOne(r, clause.Options)
	case len(clause.Options) > 0 && (r.Version != "" || r.Suite != ""):
		clause.Options = clause.Options[:1]
	}
	return clause, err
}

// onlyOne refuses a name that several packages provide, as apt does.
func (c *Catalogue) onlyOne(r Request, options []resolve.ID) error {
	var names []string
	for _, id := range options {
		names = append(names, c.versions[id].Name)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 1 {
		return fmt.Errorf("%s is a virtual package; ask for one of those that provide it: %s", r, strings.Join(names, ", "))
	}
	return nil
}

// near asks whether a package of a like name is meant.
func (c *Catalogue) near(name string) string {
	var known []string
	for _, o := range c.offers {
		if x, ok := o.Packages.(*Index); ok {
			known = slices.AppendSeq(known, x.Names())
		}
	}
	slices.Sort(known)
	return nearest.Hint(name, slices.Values(slices.Compact(known)))
}
