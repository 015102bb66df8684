package control

import (
	"fmt"
	"strings"
)

// A scanner reads one relation from its beginning.
type scanner string

func (s *scanner) rest() string { return strings.TrimSpace(string(*s)) }

// take skips space and then the text, if it comes next.
func (s *scanner) take(text string) bool {
	rest, found := strings.CutPrefix(s.rest(), text)
	if found {
		*s = scanner(rest)
	}
	return found
}

// word returns the name that comes next, or "".
func (s *scanner) word() string {
	rest := s.rest()
	end := strings.IndexAny(rest, " \t\n:()[]<>=")
	if end < 0 {
		end = len(rest)
	}
	*s = scanner(rest[end:])
	return rest[:end]
}

// until returns what stands before the text, and skips both.
func (s *scanner) until(text string) (string, bool) {
	before, after, found := strings.Cut(string(*s), text)
	if found {
		*s = scanner(after)
	}
	return before, found
}

// restrictions reads "[ARCHITECTURE...]" and "<PROFILE...>..." and tells
// whether they hold for the architecture without any build profile.
func (s *scanner) restrictions(architecture string) (bool, error) {
	holds := true
	if s.take("[") {
		list, found := s.until("]")
		if !found {
			return false, fmt.Errorf("no closing bracket")
		}
		holds = architectureListed(strings.Fields(list), architecture)
	}
	lists, profiles := 0, false
	for ; s.take("<"); lists++ {
		list, found := s.until(">")
		if !found {
			return false, fmt.Errorf("no closing angle bracket")
		}
		profiles = profiles || allNegated(strings.Fields(list))
	}
	return holds && (lists == 0 || profiles), nil
}

// architectureListed tells whether a list such as "amd64 linux-any" or
// "!i386 !hurd-any" holds for the architecture (Debian Policy, 7.1).
func architectureListed(list []string, architecture string) bool {
	negated := false
	for _, pattern := range list {
		pattern, negated = strings.CutPrefix(pattern, "!")
		if architectureMatches(pattern, architecture) {
			return !negated
		}
	}
	return negated
}

// architectureMatches tells whether the pattern ("amd64", "any", "linux-any",
// "any-amd64") covers the architecture. One without a dash is Linux's.
func architectureMatches(pattern, architecture string) bool {
	if pattern == "any" || pattern == architecture {
		return true
	}
	system, cpu, found := strings.Cut(pattern, "-")
	if !found {
		return false
	}
	ownSystem, ownCPU, found := strings.Cut(architecture, "-")
	if !found {
		ownSystem, ownCPU = "linux", architecture
	}
	return (system == "any" || system == ownSystem) && (cpu == "any" || cpu == ownCPU)
}

// allNegated tells whether a list of profiles such as "!nocheck !cross" holds
// where no profile is active.
func allNegated(profiles []string) bool {
	for _, p := range profiles {
		if !strings.HasPrefix(p, "!") {
			return false
		}
	}
	return true
}
