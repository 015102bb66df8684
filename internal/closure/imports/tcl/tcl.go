// Package tcl reads which packages a Tcl script requires and what it runs
// (package(n), source(n), exec(n)), and what an index of packages offers
// (pkg_mkIndex(n)).
package tcl

import (
	"strings"

	"smith/internal/closure/imports"
)

// Read returns what a script refers to, in its order. A command is looked at
// wherever it may begin: at a line, after a semicolon, a bracket or a brace.
func Read(src []byte) []imports.Reference {
	if len(src) > imports.MaxSize {
		return []imports.Reference{{Kind: imports.Computed, Name: "a script of more than 4 MB", Line: 1}}
	}
	var list imports.List
	for number, line := range lines(src) {
		for _, part := range strings.FieldsFunc(line, func(c rune) bool { return c == ';' || c == '[' || c == ']' || c == '{' || c == '}' }) {
			words := strings.Fields(part)
			if len(words) < 2 {
				continue
			}
			ref := reference(words, line)
			ref.Line = number + 1
			ref.Optional = strings.Contains(line, "catch") && ref.Kind != imports.Computed
			list.Add(ref)
		}
	}
	return list.Compact()
}

// lines returns the lines of a script without those that are comments.
func lines(src []byte) []string {
	all := strings.Split(string(src), "\n")
	for i, line := range all {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			all[i] = ""
		}
	}
	return all
}

// reference returns what the words of a command refer to.
func reference(words []string, line string) imports.Reference {
	isName := func(w string) bool { return !strings.ContainsAny(w, "$\\\"',()?*") && !strings.HasSuffix(w, ":") }
	switch words[0] {
	case "package":
		if words[1] != "require" || len(words) < 3 {
			break
		}
		name := words[2]
		if name == "-exact" && len(words) > 3 {
			name = words[3]
		}
		if isName(name) {
			return imports.Reference{Kind: imports.Module, Name: name}
		}
		return imports.Reference{Kind: imports.Computed, Name: "package require " + name}
	case "source", "load":
		if isName(words[1]) {
			return imports.Reference{Kind: imports.File, Name: words[1]}
		}
	case "file": // source [file join [file dirname [info script]] name.tcl]
		if words[1] == "join" && strings.Contains(line, "source") && strings.Contains(line, "info script") {
			return imports.Reference{Kind: imports.Computed, Name: "source [file join …]"}
		}
	case "exec":
		for _, w := range words[1:] {
			if strings.HasPrefix(w, "-") {
				continue
			}
			if isName(w) && !strings.ContainsAny(w, "|<>&") {
				return imports.Reference{Kind: imports.Command, Name: w, Late: true}
			}
			break
		}
	}
	return imports.Reference{}
}

// maxOffers bounds how many packages an index may offer.
const maxOffers = 10000

// ReadIndex returns the names of the packages that a pkgIndex.tcl offers.
func ReadIndex(src []byte) []string {
	if len(src) > imports.MaxSize {
		return nil
	}
	var names []string
	for _, line := range lines(src) {
		for rest := line; len(names) < maxOffers; {
			_, after, found := strings.Cut(rest, "package ifneeded ")
			if !found {
				break
			}
			words := strings.Fields(after)
			if len(words) > 0 && !strings.ContainsAny(words[0], "$[") {
				names = append(names, strings.Trim(words[0], `"{}`))
			}
			rest = after
		}
	}
	return names
}
