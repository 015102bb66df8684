// Package relation is what RPM packages say of each other: versions and their
// order, names with ranges of versions, and rich dependencies. It knows no
// packages.
package relation

import (
	"cmp"
	"strconv"
	"strings"
)

// An EVR is a version: epoch, version, release. Where a package or relation
// gives no epoch it is 0; where a relation gives no release, Release is "".
type EVR struct {
	Epoch            uint32
	Version, Release string
}

// ParseEVR reads "[epoch:]version[-release]".
func ParseEVR(text string) EVR {
	var v EVR
	if epoch, rest, ok := strings.Cut(text, ":"); ok {
		if n, err := strconv.ParseUint(epoch, 10, 32); err == nil || epoch == "" {
			v.Epoch, text = uint32(n), rest
		}
	}
	v.Version = text
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		v.Version, v.Release = text[:i], text[i+1:]
	}
	return v
}

// String writes the version as rpm does, without an epoch of 0.
func (v EVR) String() string {
	text := v.Version
	if v.Release != "" {
		text += "-" + v.Release
	}
	if v.Epoch != 0 {
		text = strconv.FormatUint(uint64(v.Epoch), 10) + ":" + text
	}
	return text
}

// Compare orders versions: the result is below 0 where v is the older one,
// above 0 where it is the newer one. One without a release is older than any
// with one.
func (v EVR) Compare(other EVR) int {
	return cmp.Or(v.CompareReleases(other), cmpBool(v.Release != "", other.Release != ""))
}

// CompareReleases compares as relations do: releases count only where both
// versions have one.
func (v EVR) CompareReleases(other EVR) int {
	c := cmp.Or(cmp.Compare(v.Epoch, other.Epoch), Compare(v.Version, other.Version))
	if c != 0 || v.Release == "" || other.Release == "" {
		return c
	}
	return Compare(v.Release, other.Release)
}

// Compare orders two versions or two releases (rpm's rpmvercmp; its
// docs/man/rpm-version.7): runs of digits by their value, runs of letters by
// their bytes, digits after letters, anything else only separates. "~" sorts
// before everything, the end too; "^" after the end, and before everything
// else.
func Compare(a, b string) int {
	if a == b {
		return 0
	}
	for {
		a, b = skip(a), skip(b)
		switch {
		case starts(a, '~') || starts(b, '~'):
			if c := cmpBool(starts(b, '~'), starts(a, '~')); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		case starts(a, '^') || starts(b, '^'):
			if c, decided := compareCaret(a, b); decided {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		case a == "" || b == "":
			return cmpBool(a != "", b != "")
		}
		var c int
		if c, a, b = compareRun(a, b); c != 0 {
			return c
		}
	}
}

// compareCaret compares what begins with "^" on either side.
func compareCaret(a, b string) (result int, decided bool) {
	switch {
	case a == "":
		return -1, true
	case b == "":
		return 1, true
	case !starts(a, '^'):
		return 1, true
	case !starts(b, '^'):
		return -1, true
	}
	return 0, false
}

// compareRun compares the runs of digits or letters that both begin with, and
// returns what follows them.
func compareRun(a, b string) (int, string, string) {
	class := letter
	if digit(a[0]) {
		class = digit
	}
	runA, restA := run(a, class)
	runB, restB := run(b, class)
	if runB == "" { // of another class: digits are newer
		return cmpBool(digit(a[0]), !digit(a[0])), "", ""
	}
	if digit(a[0]) {
		runA, runB = strings.TrimLeft(runA, "0"), strings.TrimLeft(runB, "0")
		if c := cmp.Compare(len(runA), len(runB)); c != 0 {
			return c, "", ""
		}
	}
	return strings.Compare(runA, runB), restA, restB
}

func run(s string, class func(byte) bool) (head, rest string) {
	n := 0
	for n < len(s) && class(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// skip drops what only separates.
func skip(s string) string {
	for s != "" && !digit(s[0]) && !letter(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

func starts(s string, c byte) bool { return s != "" && s[0] == c }
func digit(c byte) bool            { return '0' <= c && c <= '9' }
func letter(c byte) bool           { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
