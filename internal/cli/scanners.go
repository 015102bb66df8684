package cli

import (
	"fmt"
	"strings"

	"smith/internal/distro/osrelease"
	"smith/internal/tree"
)

// A scannerView is what scanners of images know an image by.
type scannerView struct {
	// System is the distribution's name and version in os-release, "" where
	// the image has none.
	System string `json:"system,omitempty"`
	// Databases are the lists of packages that scanners read.
	Databases []string `json:"databases,omitempty"`
}

// scannedPaths are where scanners look for packages: dpkg's database, whole or
// in a file a package (distroless), rpm's in its forms, and apk's.
var scannedPaths = []string{
	"/var/lib/dpkg/status", "/var/lib/dpkg/status.d/*", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db",
	"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db", "/var/lib/rpmmanifest/container-manifest-2", "/lib/apk/db/installed",
}

// scanned finds what scanners will see in an image.
func scanned(t *tree.Tree) (scannerView, error) {
	var v scannerView
	for _, pattern := range scannedPaths {
		paths, err := t.Glob(pattern)
		if err != nil {
			return v, err
		}
		switch {
		case len(paths) == 0:
		case strings.HasSuffix(pattern, "*"):
			v.Databases = append(v.Databases, fmt.Sprintf("%s (%s)", strings.TrimSuffix(pattern, "/*"), count(len(paths), "file")))
		default:
			v.Databases = append(v.Databases, pattern)
		}
	}
	release, err := osrelease.Of(t)
	v.System = release["PRETTY_NAME"]
	return v, err
}

// String tells it to a person.
func (v scannerView) String() string {
	switch {
	case v.System == "" && len(v.Databases) == 0:
		return "no distribution and no packages"
	case len(v.Databases) == 0:
		return v.System + ", no packages"
	case v.System == "":
		return "no distribution, packages in " + strings.Join(v.Databases, ", ")
	}
	return v.System + ", packages in " + strings.Join(v.Databases, ", ")
}
