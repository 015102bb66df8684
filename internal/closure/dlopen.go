package closure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"smith/internal/elf"
	"smith/internal/elf/loader"
	"smith/record"
)

// priorities of dlopen notes (systemd, ELF_DLOPEN_METADATA), the strongest
// first. A note without one is a recommendation.
var priorities = []string{"required", "recommended", "suggested"}

// wanted says whether a note's library is kept where the source has it.
func wanted(priority, least string) bool {
	if least == "" {
		least = "recommended"
	}
	at := slices.Index(priorities, priority)
	return at >= 0 && at <= slices.Index(priorities, least)
}

// dlopenNotes brings the libraries that a file says it loads by name. Of a
// note's sonames the first that is found is the one that it will get; a note of
// lower priority than the spec asks for is listed as a suspect.
func dlopenNotes(ctx context.Context, s *selector, it *item, out *outcome) error {
	f, err := s.loader.ELF(it.node)
	if err != nil {
		return s.unreadable(it, err)
	}
	for _, note := range f.DlopenNotes {
		l, err := findFirst(ctx, s.loader, note.Sonames, it.path)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		detail := fmt.Sprintf("%s, %s for %s", l.Name, note.Priority, feature(note))
		if !wanted(note.Priority, s.in.Dlopen) {
			out.suspects = append(out.suspects, suspect{l.Node, record.Finding{Name: l.Name, From: it.path, Detail: detail}})
			continue
		}
		out.needs(edge{to: l.Path, names: note.Sonames, reason: record.Reason{Rule: record.RuleDlopen, From: it.path, Detail: detail}})
	}
	return nil
}

func feature(n elf.DlopenNote) string {
	if n.Feature == "" {
		return "a feature"
	}
	return strings.TrimSpace(n.Feature + " " + n.Description)
}

// findFirst returns the first of several names that dlopen(3) would find, or
// nil.
func findFirst(ctx context.Context, l *loader.Loader, names []string, from string) (*loader.Library, error) {
	for _, name := range names {
		found, missing, err := l.Find(ctx, name, from)
		if err != nil {
			return nil, err
		}
		if missing == nil {
			return &found, nil
		}
	}
	return nil, nil
}

// dlopenNotes checks that what notes require is there.
func (c *checker) dlopenNotes(ctx context.Context) error {
	for _, n := range c.files {
		if c.headers[n] == nil {
			continue
		}
		for _, note := range c.headers[n].DlopenNotes {
			if note.Priority != "required" || len(note.Sonames) == 0 {
				continue
			}
			found, err := findFirst(ctx, c.loader, note.Sonames, n.Path())
			if err != nil {
				return err
			}
			if found == nil {
				c.problem(Problem{Name: note.Sonames[0], From: n.Path(), Text: "not found; the file's dlopen note requires one of " +
					strings.Join(note.Sonames, ", ") + " for " + feature(note)})
			}
		}
	}
	return nil
}
