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

// Family returns the family of packages, deb, rpm or apk, that the values of an
// os-release file stand for, or "" where they name none that is known. ID
// decides before ID_LIKE, whose first known word counts (os-release(5)).
func Family(osRelease map[string]string) string {
	for _, name := range append([]string{osRelease["ID"]}, strings.Fields(osRelease["ID_LIKE"])...) {
		if family := families[name]; family != "" {
			return family
		}
	}
	return ""
}
