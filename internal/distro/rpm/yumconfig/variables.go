package yumconfig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variables are what "$name" and "${name}" stand for.
type Variables map[string]string

// maxNesting bounds how deeply "${a:-${b}}" nests.
const maxNesting = 20

// Replace replaces the variables in a value (dnf5's "$name", "${name}",
// "${name:-word}" for one that is unset or empty, and "${name:+word}" for one
// that is not; word may hold variables). One that is not known is an error:
// an address that still has it cannot be fetched.
func (v Variables) Replace(value string) (string, error) {
	return v.replace(value, 0)
}

func (v Variables) replace(value string, depth int) (string, error) {
	if depth > maxNesting {
		return "", fmt.Errorf("variables nest more than %d deep", maxNesting)
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(value, '$')
		if i < 0 {
			return b.String() + value, nil
		}
		b.WriteString(value[:i])
		value = value[i+1:]
		text, rest, err := v.variable(value, depth)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		value = rest
	}
}

// variable returns what stands for the variable at the beginning of a text,
// after its "$", and what follows it.
func (v Variables) variable(text string, depth int) (value, rest string, err error) {
	braced, inBraces := strings.CutPrefix(text, "{")
	if !inBraces {
		name := variableName(text)
		if name == "" {
			return "$", text, nil
		}
		value, err = v.known(name)
		return value, text[len(name):], err
	}
	name := variableName(braced)
	after := braced[len(name):]
	switch {
	case name == "" || after == "":
	case after[0] == '}':
		value, err = v.known(name)
		return value, after[1:], err
	case strings.HasPrefix(after, ":-") || strings.HasPrefix(after, ":+"):
		end := closing(after)
		if end < 0 {
			return "", "", fmt.Errorf("${%s%.2s has no closing brace", name, after)
		}
		word := after[2:end]
		set := v[name] != ""
		switch {
		case after[1] == '-' && set:
			value = v[name]
		case after[1] == '-' || set:
			value, err = v.replace(word, depth+1)
		}
		return value, after[end+1:], err
	}
	return "$", text, nil
}

func (v Variables) known(name string) (string, error) {
	if value, ok := v[name]; ok {
		return value, nil
	}
	return "", fmt.Errorf("unknown variable $%s; known are %s", name, strings.Join(slices.Sorted(maps.Keys(v)), ", "))
}

func variableName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		return text
	}
	return text[:end]
}

// closing returns the place of the brace that closes the one before the text,
// or -1.
func closing(text string) int {
	open := 1
	for i := range len(text) {
		switch {
		case text[i] == '{' && i > 0 && text[i-1] == '$':
			open++
		case text[i] == '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// For returns the variables of a machine's architecture, as RPM names it, and
// of a distribution's release.
func For(machine, release string) Variables {
	v := Variables{"arch": machine, "basearch": baseArch(machine)}
	if release != "" {
		major, minor, _ := strings.Cut(release, ".")
		v["releasever"], v["releasever_major"], v["releasever_minor"] = release, major, minor
	}
	return v
}

// baseArch is dnf's $basearch.
func baseArch(machine string) string {
	switch machine {
	case "i686", "i586", "i486":
		return "i386"
	case "armv7hl":
		return "armhfp"
	}
	return machine
}

// readVariables adds the files of a directory: each the value of one variable.
func (v Variables) readVariables(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // there are none
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil && len(data) < maxConfig {
			first, _, _ := strings.Cut(string(data), "\n")
			v[e.Name()] = strings.TrimSpace(first)
		}
	}
}
