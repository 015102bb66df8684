package reference

import "strings"

// packageFamily returns the family of packages that a spec's type asks for,
// or "".
func packageFamily(typ string) string {
	switch typ {
	case "mock", "rpm":
		return "rpm"
	case "deb", "apk":
		return typ
	}
	return ""
}

// families are the distributions by which os-release's ID and ID_LIKE tell
// the family.
var families = map[string]string{
	"debian": "deb", "ubuntu": "deb",
	"fedora": "rpm", "rhel": "rpm", "centos": "rpm", "rocky": "rpm", "almalinux": "rpm", "ol": "rpm", "amzn": "rpm",
	"suse": "rpm", "opensuse": "rpm", "sles": "rpm", "azurelinux": "rpm", "mariner": "rpm", "photon": "rpm",
	"mageia": "rpm", "openEuler": "rpm",
	"alpine": "apk", "wolfi": "apk", "chainguard": "apk", "postmarketos": "apk",
}

// Family returns the family of packages, deb, rpm or apk, that an os-release
// file stands for, or "" where it names none that is known. ID decides before
// ID_LIKE, whose first known word counts; of two lines with the same key the
// last does (os-release(5)).
func Family(osRelease []byte) string {
	var id, like string
	for line := range strings.SplitSeq(string(osRelease), "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ID":
			id = unquote(value)
		case "ID_LIKE":
			like = unquote(value)
		}
	}
	for _, name := range append([]string{id}, strings.Fields(like)...) {
		if family := families[name]; family != "" {
			return family
		}
	}
	return ""
}

// unquote takes one pair of quotes away. The values of ID and ID_LIKE hold
// nothing that a shell would treat specially.
func unquote(value string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(value) >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}
