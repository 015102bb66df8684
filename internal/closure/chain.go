package closure

import (
	"path"
	"strings"

	"smith/record"
)

// A why tells the reasons of a path.
type why func(name string) []record.Reason

// maxChain bounds how long a chain is shown; reasons of foreign records may
// even go in a circle.
const maxChain = 32

// chain returns what led to a path, for a reader: the root and where it was
// asked for, then each file that brought the next. A link and what it points
// to count as one. root is the path it begins with, "" where no root is known.
func chain(reasons why, name string) (steps []string, root string) {
	for at := name; len(steps) < maxChain; {
		why := reasons(at)
		if len(why) == 0 {
			steps = append(steps, at)
			break
		}
		first := why[0]
		switch {
		case first.Rule == record.RuleSymlink && first.From != "":
		case first.From == "":
			steps = append(steps, at+" ("+describe(first)+")")
		case first.Rule == record.RuleNeeded:
			steps = append(steps, path.Base(at))
		default:
			steps = append(steps, at)
		}
		if first.From == "" {
			root = at
			break
		}
		at = first.From
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps, root
}

// describe tells a reason in a few words.
func describe(r record.Reason) string {
	switch {
	case r.Detail == "":
		return string(r.Rule)
	case r.From == "" || strings.HasPrefix(r.Detail, string(r.Rule)):
		return r.Detail
	}
	return string(r.Rule) + " " + r.Detail
}
