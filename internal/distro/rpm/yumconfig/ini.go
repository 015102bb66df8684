// Package yumconfig reads the configuration of yum and dnf: the options of a
// machine, its repositories and variables. It fetches nothing.
package yumconfig

import (
	"fmt"
	"strings"
)

// A Section is a part of a configuration file, its options by name.
type Section struct {
	Name    string
	Options map[string]string
	// Line is that of the section's name.
	Line int
}

// maxConfig bounds the bytes of a configuration.
const maxConfig = 4 << 20

// ParseINI reads sections (dnf.conf(5)): "[name]", "option=value" or "option:
// value", comments of "#" or ";" at the beginning of a line. A line that
// begins with a space goes on with the value before. Of an option that stands
// twice, the last counts.
func ParseINI(text string) ([]*Section, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("a configuration of more than %d bytes", maxConfig)
	}
	var all []*Section
	last, number := "", 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			end := strings.IndexByte(name, ']')
			if end < 0 {
				return nil, fmt.Errorf("line %d: a section's name has no end", number)
			}
			all, last = append(all, &Section{Name: name[:end], Options: map[string]string{}, Line: number}), ""
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("line %d: %.80q comes before any section", number, trimmed)
		}
		options := all[len(all)-1].Options
		if line != strings.TrimLeft(line, " \t") && last != "" {
			options[last] += "\n" + trimmed
			continue
		}
		i := strings.IndexAny(trimmed, "=:")
		if i <= 0 {
			return nil, fmt.Errorf("line %d: %.80q is not an option", number, trimmed)
		}
		last = strings.ToLower(strings.TrimSpace(trimmed[:i]))
		options[last] = strings.TrimSpace(trimmed[i+1:])
	}
	return all, nil
}

// List splits a value at spaces and commas.
func List(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}

// boolean reads what dnf takes for true and false.
func boolean(value string) (is, ok bool) {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on", "enabled", "always":
		return true, true
	case "0", "no", "false", "off", "disabled", "never":
		return false, true
	}
	return false, false
}
