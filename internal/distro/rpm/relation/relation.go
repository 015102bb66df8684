package relation

import "strings"

// An Op is how a relation compares versions; the bits can be joined.
type Op uint8

// The bits of an Op. None of them means any version.
const (
	Less Op = 1 << iota
	Greater
	Equal
)

// Ops are the ways to write an Op, in specs and in repository metadata.
var ops = map[string]Op{
	"<": Less, "<=": Less | Equal, "=": Equal, ">=": Greater | Equal, ">": Greater,
	"LT": Less, "LE": Less | Equal, "EQ": Equal, "GE": Greater | Equal, "GT": Greater,
	"==": Equal, "=<": Less | Equal, "=>": Greater | Equal,
}

// ParseOp reads "<", "<=", "=", ">=", ">", or the words of repository metadata
// such as "GE"; "" is any version.
func ParseOp(text string) (op Op, ok bool) {
	op, ok = ops[text]
	return op, ok || text == ""
}

// String writes the operator as spec files do.
func (o Op) String() string {
	return [...]string{"", "<", ">", "<>", "=", "<=", ">=", "<=>"}[o&7]
}

// A Relation is a name, and which versions of it.
type Relation struct {
	Name string
	Op   Op
	EVR  EVR // where Op is not 0
}

// String writes the relation as a spec file does.
func (r Relation) String() string {
	if r.Op == 0 {
		return r.Name
	}
	return r.Name + " " + r.Op.String() + " " + r.EVR.String()
}

// Matches says whether a capability that a package provides fulfils the
// relation: the names are equal and the ranges overlap. One without a version
// matches any (rpm's rpmdsCompare and rpmverOverlap).
func (r Relation) Matches(provided Relation) bool {
	if r.Name != provided.Name {
		return false
	}
	if r.Op == 0 || provided.Op == 0 {
		return true
	}
	a, b := provided.EVR, r.EVR
	switch c := a.CompareReleases(b); {
	case c == 0 && a.Release == "" && b.Release != "" && provided.Op&Equal != 0,
		c == 0 && b.Release == "" && a.Release != "" && r.Op&Equal != 0:
		return true // any release
	case c < 0:
		return provided.Op&Greater != 0 || r.Op&Less != 0
	case c > 0:
		return provided.Op&Less != 0 || r.Op&Greater != 0
	}
	return provided.Op&r.Op != 0
}

// IsFile says whether the relation names a path, which the packages that hold
// it fulfil.
func (r Relation) IsFile() bool { return strings.HasPrefix(r.Name, "/") }

// Parse reads "name", or "name op version".
func Parse(text string) (Relation, bool) {
	fields := strings.Fields(text)
	switch len(fields) {
	case 1:
		return Relation{Name: fields[0]}, true
	case 3:
		op, ok := ParseOp(fields[1])
		return Relation{fields[0], op, ParseEVR(fields[2])}, ok && op != 0
	}
	return Relation{}, false
}
