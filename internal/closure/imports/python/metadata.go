package python

import "strings"

// Normalized returns the name of a distribution as names are compared (PEP 503).
func Normalized(name string) string {
	var b strings.Builder
	gap := false
	for _, c := range []byte(strings.ToLower(name)) {
		if c == '-' || c == '_' || c == '.' {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteByte(c)
	}
	return b.String()
}

// Described returns the normalized name of the distribution that an entry of a
// directory of modules describes, by the entry's name: foo_bar-1.0.dist-info,
// foo-1.0-py3.11.egg-info, foo.egg-info.
func Described(entry string) (string, bool) {
	name, ok := strings.CutSuffix(entry, ".dist-info")
	if !ok {
		if name, ok = strings.CutSuffix(entry, ".egg-info"); !ok {
			return "", false
		}
	}
	name, _, _ = strings.Cut(name, "-")
	return Normalized(name), name != ""
}

// maxRequires bounds what one distribution requires.
const maxRequires = 1000

// Requires returns the distributions that a METADATA or PKG-INFO requires in any
// case: those of extras are left out.
func Requires(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || len(names) >= maxRequires {
			break // the description follows
		}
		if rest, ok := strings.CutPrefix(line, "Requires-Dist:"); ok && !strings.Contains(rest, "extra ==") && !strings.Contains(rest, "extra==") {
			names = append(names, requirement(rest))
		}
	}
	return names
}

// RequiresText returns those of a requires.txt, up to its first section.
func RequiresText(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") || len(names) >= maxRequires {
			break
		}
		if name := requirement(line); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// EntryPoint returns the module behind an entry point of an entry_points.txt,
// or "".
func EntryPoint(text, group, name string) string {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] ")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != group || strings.TrimSpace(key) != name {
			continue
		}
		module, _, _ := strings.Cut(value, ":")
		return strings.TrimSpace(module)
	}
	return ""
}
