package control

import (
	"fmt"
	"strings"
)

// An Operator compares the versions on offer with the version of a relation
// (deb-control(5), "Depends").
type Operator string

// The operators. "<" and ">", which are obsolete, are read as "<=" and ">=",
// as dpkg does.
const (
	AnyVersion   Operator = ""
	Earlier      Operator = "<<"
	EarlierEqual Operator = "<="
	ExactlyEqual Operator = "="
	LaterEqual   Operator = ">="
	Later        Operator = ">>"
)

// A Relation names packages: "libc6:any (>= 2.36)".
type Relation struct {
	Name string
	// Architecture is what stands after the colon: an architecture, "any",
	// "native", or "".
	Architecture string
	Operator     Operator
	Version      string
}

// Allows tells whether the version on offer fulfils the relation.
func (r Relation) Allows(version string) bool {
	if r.Operator == AnyVersion {
		return true
	}
	c := CompareVersions(version, r.Version)
	switch r.Operator {
	case Earlier:
		return c < 0
	case EarlierEqual:
		return c <= 0
	case LaterEqual:
		return c >= 0
	case Later:
		return c > 0
	default:
		return c == 0
	}
}

// String returns the relation as it stands in a field.
func (r Relation) String() string {
	s := r.Name
	if r.Architecture != "" {
		s += ":" + r.Architecture
	}
	if r.Operator != AnyVersion {
		s += " (" + string(r.Operator) + " " + r.Version + ")"
	}
	return s
}

// Alternatives are relations of which one must hold: "a | b (>= 2)".
type Alternatives []Relation

// String returns the alternatives as they stand in a field.
func (a Alternatives) String() string {
	texts := make([]string, len(a))
	for i, r := range a {
		texts[i] = r.String()
	}
	return strings.Join(texts, " | ")
}

// ParseRelations reads a field such as Depends, Provides or Conflicts of a
// package for that architecture. A relation that is restricted to other
// architectures ("[i386]") or to a build profile ("<cross>"; none is active)
// is left out.
func ParseRelations(text, architecture string) ([]Alternatives, error) {
	var all []Alternatives
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		var alternatives Alternatives
		for one := range strings.SplitSeq(part, "|") {
			r, applies, err := parseRelation(one, architecture)
			if err != nil {
				return nil, fmt.Errorf("bad relation %.100q: %w", strings.TrimSpace(part), err)
			}
			if applies {
				alternatives = append(alternatives, r)
			}
		}
		if len(alternatives) > 0 {
			all = append(all, alternatives)
		}
	}
	return all, nil
}

// parseRelation reads one alternative and tells whether its restrictions hold.
func parseRelation(text, architecture string) (r Relation, applies bool, err error) {
	s := scanner(text)
	r.Name = s.word()
	if s.take(":") {
		if r.Architecture = s.word(); r.Architecture == "" {
			return r, false, fmt.Errorf("no architecture after the colon")
		}
	}
	if r.Name == "" {
		return r, false, fmt.Errorf("no name of a package")
	}
	if s.take("(") {
		if err := r.parseVersion(&s); err != nil {
			return r, false, err
		}
	}
	applies, err = s.restrictions(architecture)
	if err == nil && s.rest() != "" {
		err = fmt.Errorf("%.40q is out of place", s.rest())
	}
	return r, applies, err
}

// parseVersion reads what stands in the parentheses, and the closing one.
func (r *Relation) parseVersion(s *scanner) error {
	inner, found := s.until(")")
	if !found {
		return fmt.Errorf("no closing parenthesis")
	}
	inner = strings.TrimSpace(inner)
	version := strings.TrimLeft(inner, "<>=")
	switch operator := Operator(inner[:len(inner)-len(version)]); operator {
	case Earlier, EarlierEqual, ExactlyEqual, LaterEqual, Later:
		r.Operator = operator
	case "<":
		r.Operator = EarlierEqual
	case ">":
		r.Operator = LaterEqual
	case AnyVersion:
		// deb-control(5) wants an operator; dpkg reads none as "=".
		r.Operator = ExactlyEqual
	default:
		return fmt.Errorf("operator %q is none of <<, <=, =, >=, >>", operator)
	}
	r.Version = strings.TrimSpace(version)
	if r.Version == "" || strings.ContainsAny(r.Version, " \t\n(<>=") {
		return fmt.Errorf("%.40q is no version", r.Version)
	}
	return nil
}
