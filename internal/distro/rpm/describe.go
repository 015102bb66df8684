package rpm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"smith/internal/distro/osrelease"
	"smith/internal/distro/rpm/rpmdb"
	"smith/internal/distro/rpm/rpmfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// Where scanners look: rpm's database, in the place of old and of new
// distributions, and the list of images without rpm.
const (
	databaseOld = "/var/lib/rpm/rpmdb.sqlite"
	databaseNew = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
	manifest    = "/var/lib/rpmmanifest/container-manifest-2"
)

// distribution are the files by which scanners know what the packages are of
// (os-release(5)).
func distribution() []string {
	return []string{
		"/etc/os-release", "/usr/lib/os-release", "/etc/system-release", "/etc/redhat-release", "/etc/centos-release",
		"/etc/rocky-release", "/etc/almalinux-release", "/etc/fedora-release", "/etc/oracle-release", "/etc/SuSE-release",
	}
}

// describe returns what Offer.Describe is for these packages.
func (s *Source) describe(offer *source.Offer, chosen []*pkg) func(context.Context, *tree.Tree, source.Description) (map[string]record.Reason, error) {
	return func(ctx context.Context, image *tree.Tree, d source.Description) (map[string]record.Reason, error) {
		if len(contributing(image, chosen)) == 0 {
			return nil, nil
		}
		w := &description{Description: d, image: image, offered: offer.Tree, reasons: map[string]record.Reason{}}
		if d.Packages {
			if err := w.distribution(); err != nil {
				return nil, err
			}
		}
		used := contributing(image, chosen) // with the package that tells of the distribution
		var all []rpmdb.Package
		defer func() {
			for _, p := range all {
				p.Close()
			}
		}()
		for _, p := range used {
			f, err := p.open(ctx)
			if err != nil {
				return nil, fmt.Errorf("cannot describe %s: %w", p.ID(), err)
			}
			all = append(all, rpmdb.Package{Package: f, Holds: holds(image)})
			if d.Licenses {
				if err := w.licenses(p, f); err != nil {
					return nil, err
				}
			}
		}
		if !d.Packages {
			return w.reasons, nil
		}
		return w.reasons, w.database(all)
	}
}

// holds says of a path whether an image has it.
func holds(image *tree.Tree) func(string) bool {
	return func(path string) bool {
		_, err := image.Lookup(path)
		return err == nil
	}
}

// contributing returns the packages that an image holds files of.
func contributing(image *tree.Tree, chosen []*pkg) []*pkg {
	held := map[string]bool{}
	_ = image.Walk(func(n *tree.Node) error { // the function returns no error
		if n.Origin != nil && n.Origin.Kind == record.KindPackage && n.Kind != tree.Dir {
			held[n.Origin.Digest] = true
		}
		return nil
	})
	var used []*pkg
	for _, p := range chosen {
		if held[p.digest.String()] {
			used = append(used, p)
		}
	}
	return used
}

// A description is what an image is told of the packages that it is made of.
type description struct {
	source.Description
	image, offered *tree.Tree
	reasons        map[string]record.Reason
}

// distribution adds the files that tell of the distribution.
func (d *description) distribution() error {
	for _, name := range distribution() {
		at, err := d.offered.Lookup(name)
		if err != nil {
			continue // not every distribution has all
		}
		reason := record.Reason{Rule: record.RulePackageDatabase, Detail: "tells which distribution the packages are of"}
		if err := d.Insert(d.image, name, at.Node.Copy(), reason, d.reasons); err != nil {
			return err
		}
	}
	return nil
}

// database adds rpm's database and the list of packages.
func (d *description) database(all []rpmdb.Package) error {
	reason := record.Reason{Rule: record.RulePackageDatabase, Detail: fmt.Sprintf("tells scanners of %d packages", len(all))}
	for name, data := range map[string][]byte{d.place(): rpmdb.Database(all), manifest: rpmdb.Manifest(all)} {
		n := tree.NewFile(data, 0o644)
		n.Origin = &record.Origin{Kind: record.KindSmith, Name: "package database"}
		if err := d.Insert(d.image, name, n, reason, d.reasons); err != nil {
			return err
		}
	}
	return nil
}

// place is where the distribution has rpm's database: since Fedora 36, RHEL 10
// and in SUSE's below /usr.
func (d *description) place() string {
	values, err := osrelease.Of(d.offered)
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

// licenses adds the licence files of a package.
func (d *description) licenses(p *pkg, f *rpmfile.Package) error {
	for _, file := range f.Files {
		if file.Flags&rpmfile.License == 0 {
			continue
		}
		at, err := d.offered.Lookup(file.Path)
		if missing, ok := errors.AsType[*tree.PathError](err); ok && missing != nil {
			continue // it lies elsewhere, or is a ghost
		}
		if err != nil {
			return err
		}
		if at.Node.Kind == tree.Dir {
			continue
		}
		n := at.Node.Copy()
		if err := d.Insert(d.image, file.Path, n, record.Reason{Rule: record.RuleLicense, Detail: "a licence of " + p.ID().String()}, d.reasons); err != nil {
			return err
		}
	}
	return nil
}
