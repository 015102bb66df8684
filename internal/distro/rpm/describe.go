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

// Database returns rpm's database and the list of packages, with the packages
// of the layers below.
func (f *family) Database(ctx context.Context, of distro.DatabaseOf) (entries []distro.Entry, err error) {
	var opened []rpmdb.Package
	defer func() {
		for _, p := range opened {
			err = errors.Join(err, p.Close())
		}
	}()
	for _, p := range of.Packages {
		file, err := p.Package.(*pkg).open(ctx) //nolint:forcetypeassert // see rpms
		if err != nil {
			return nil, fmt.Errorf("cannot describe %s: %w", p.ID(), err)
		}
		opened = append(opened, rpmdb.Package{Package: file, Holds: holds(of.Image, of.Below)})
	}
	below, err := databaseBelow(of.Below)
	if err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("tells scanners of %d packages", len(opened))
	at := place(of.Offered)
	if below.path != "" {
		at = below.path
		detail += ", and of those of the parent"
	}
	return []distro.Entry{
		{Path: at, Data: rpmdb.Database(opened, below.headers), Detail: detail, Extends: below.path != ""},
		{Path: manifest, Data: rpmdb.Manifest(opened, below.list), Detail: detail, Extends: len(below.list) > 0},
	}, nil
}

// A parentDatabase is what the layers below say of RPM packages.
type parentDatabase struct {
	path    string // of the database, "" where there is none
	headers []*rpmfile.Header
	list    []byte
}

// maxDatabase bounds the databases that are read whole: that of a system with
// 5,000 packages has 300 MB.
const maxDatabase = 512 << 20

// databaseBelow reads the databases of the layers below. A database in another
// form than SQLite's, as before Fedora 33 and RHEL 9, is left as it is.
func databaseBelow(t *tree.Tree) (parentDatabase, error) {
	var below parentDatabase
	if t == nil {
		return below, nil
	}
	for _, name := range []string{databaseNew, databaseOld} {
		at, err := t.Resolve(name)
		if err != nil || at.Node.Kind != tree.File {
			continue
		}
		data, err := at.Node.ReadAll(maxDatabase)
		if err == nil {
			below.headers, err = rpmdb.Read(data)
		}
		if err != nil {
			return below, fmt.Errorf("cannot add packages to %s of the parent: %w (with package-database: false none are added)", name, err)
		}
		below.path = name
		break
	}
	at, err := t.Resolve(manifest)
	if err != nil || at.Node.Kind != tree.File {
		return below, nil //nolint:nilerr // the parent has no list
	}
	below.list, err = at.Node.ReadAll(maxDatabase)
	return below, err
}

// holds returns whether an image has a path.
func holds(trees ...*tree.Tree) func(string) bool {
	return func(path string) bool {
		for _, t := range trees {
			if t == nil {
				continue
			}
			if _, err := t.Lookup(path); err == nil {
				return true
			}
		}
		return false
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
