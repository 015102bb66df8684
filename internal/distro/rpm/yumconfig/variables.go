package yumconfig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Variables are what "$name" and "${name}" stand for.
type Variables map[string]string

var variableForm = regexp.MustCompile(`\$(\{[A-Za-z0-9_]+\}|[A-Za-z0-9_]+)`)

// Replace replaces the variables in a value. One that is not known is an
// error, for an address that still has it leads nowhere.
func (v Variables) Replace(value string) (string, error) {
	var unknown string
	text := variableForm.ReplaceAllStringFunc(value, func(match string) string {
		name := strings.Trim(match[1:], "{}")
		if known, ok := v[name]; ok {
			return known
		}
		unknown = name
		return match
	})
	if unknown != "" {
		known := slices.Sorted(maps.Keys(v))
		return "", fmt.Errorf("the variable $%s is not known; known are %s", unknown, strings.Join(known, ", "))
	}
	return text, nil
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

// readVariables adds the files of a folder: each the value of one variable.
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
