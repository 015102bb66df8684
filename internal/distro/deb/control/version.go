package control

import (
	"cmp"
	"strings"
)

// CompareVersions compares two versions in the order of deb-version(7): it is
// negative where a is older than b, 0 where they are equal. Text that is no
// version has a place in the order too.
func CompareVersions(a, b string) int {
	aEpoch, a := splitEpoch(a)
	bEpoch, b := splitEpoch(b)
	aUpstream, aRevision := splitRevision(a)
	bUpstream, bRevision := splitRevision(b)
	return cmp.Or(
		compareDigits(aEpoch, bEpoch),
		comparePart(aUpstream, bUpstream),
		comparePart(aRevision, bRevision),
	)
}

func splitEpoch(v string) (epoch, rest string) {
	if epoch, rest, found := strings.Cut(v, ":"); found {
		return epoch, rest
	}
	return "", v
}

func splitRevision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// comparePart compares runs of other characters and runs of digits by turns.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			if c := weight(a) - weight(b); c != 0 {
				return c
			}
			a, b = skip(a), skip(b)
		}
		aRun, bRun := digits(a), digits(b)
		if c := compareDigits(a[:aRun], b[:bRun]); c != 0 {
			return c
		}
		a, b = a[aRun:], b[bRun:]
	}
	return 0
}

// weight orders the first character: "~" before the end, the end and digits
// before letters, letters before all others.
func weight(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case letter(s[0]):
		return int(s[0])
	default:
		return int(s[0]) + 256
	}
}

func skip(s string) string {
	if s == "" {
		return s
	}
	return s[1:]
}

// compareDigits compares numbers of any length; none is 0.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// digits returns the number of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
