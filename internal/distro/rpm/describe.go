package rpm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"smith/internal/distro"
	"smith/internal/distro/osrelease"
	"smith/internal/distro/rpm/rpmdb"
	"smith/internal/distro/rpm/rpmfile"
	"smith/internal/tree"
)

// Where scanners look: rpm's database, in the place of old and of new
// distributions, and the list of images without rpm.
const (
	databaseOld = "/var/lib/rpm/rpmdb.sqlite"
	databaseNew = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
	manifest    = "/var/lib/rpmmanifest/container-manifest-2"
)

// Distribution returns the files by which scanners know what the packages are
// of (os-release(5)). The package that holds them has another name in each
// distribution.
func (f *family) Distribution() (paths []string, holder string) {
	return []string{
		"/etc/os-release", "/usr/lib/os-release", "/etc/system-release", "/etc/redhat-release", "/etc/centos-release",
		"/etc/rocky-release", "/etc/almalinux-release", "/etc/fedora-release", "/etc/oracle-release", "/etc/SuSE-release",
	}, ""
}

// Licenses returns the files that a package marks as licenses.
func (f *family) Licenses(ctx context.Context, p distro.Package) ([]string, error) {
	opened, err := p.(*pkg).open(ctx) //nolint:forcetypeassert // see rpms
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range opened.Files {
		if file.Flags&rpmfile.License != 0 {
			names = append(names, file.Path)
		}
	}
	return names, opened.Close()
}

// Database returns rpm's database and the list of packages.
func (f *family) Database(ctx context.Context, image, offered *tree.Tree, all []distro.Installed) (entries []distro.Entry, err error) {
	var opened []rpmdb.Package
	defer func() {
		for _, p := range opened {
			err = errors.Join(err, p.Close())
		}
	}()
	for _, p := range all {
		file, err := p.Package.(*pkg).open(ctx) //nolint:forcetypeassert // see rpms
		if err != nil {
			return nil, fmt.Errorf("cannot describe %s: %w", p.ID(), err)
		}
		opened = append(opened, rpmdb.Package{Package: file, Holds: holds(image)})
	}
	detail := fmt.Sprintf("tells scanners of %d packages", len(opened))
	return []distro.Entry{
		{Path: place(offered), Data: rpmdb.Database(opened), Detail: detail},
		{Path: manifest, Data: rpmdb.Manifest(opened), Detail: detail},
	}, nil
}

// holds reports of a path whether an image has it.
func holds(image *tree.Tree) func(string) bool {
	return func(path string) bool {
		_, err := image.Lookup(path)
		return err == nil
	}
}

// place is where the distribution has rpm's database: since Fedora 36, RHEL 10
// and in SUSE's below /usr.
func place(offered *tree.Tree) string {
	values, err := osrelease.Of(offered)
	if err != nil {
		return databaseOld
	}
	var version int
	if _, err := fmt.Sscan(values["VERSION_ID"], &version); err != nil {
		version = 0
	}
	like := values["ID"] + " " + values["ID_LIKE"]
	switch {
	case strings.Contains(like, "suse"),
		values["ID"] == "fedora" && version >= 36,
		strings.Contains(like, "rhel") && version >= 10:
		return databaseNew
	}
	return databaseOld
}
