package closure

import (
	"context"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// hwcaps brings the variants of kept libraries that glibc prefers on newer
// processors, from the subfolder glibc-hwcaps of the library's own (ld.so(8),
// "The dynamic linker … hardware capabilities"). Without the key the base
// library serves every processor.
func hwcaps(_ context.Context, s *selector, out *outcome) error {
	if !s.in.AllHwcaps {
		return nil
	}
	for _, it := range s.sorted() {
		if it.node.Kind == tree.Dir || !strings.Contains(it.node.Name(), ".so") {
			continue
		}
		variants, err := it.node.Parent().Child("glibc-hwcaps")
		if err != nil {
			return err
		}
		if variants == nil || variants.Kind != tree.Dir {
			continue
		}
		levels, err := variants.Children()
		if err != nil {
			return err
		}
		for _, level := range levels {
			reason := record.Reason{Rule: record.RuleHwcaps, From: it.path, Detail: "variant for " + level.Name()}
			out.needs(edge{to: level.Path() + "/" + it.node.Name(), reason: reason})
		}
	}
	return nil
}
