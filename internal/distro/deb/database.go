package deb

import (
	"context"
	"crypto/md5" //nolint:gosec // the form of the database, no protection
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"smith/internal/distro"
	"smith/internal/tree"
)

// statusDir is where images without dpkg tell scanners of their packages: a
// file for each with its control fields, and NAME.md5sums beside it.
const statusDir = "/var/lib/dpkg/status.d/"

// Distribution returns the files by which scanners know what the packages are
// of (os-release(5)), and the essential package that holds them.
func (f *family) Distribution() (paths []string, holder string) {
	return []string{"/etc/os-release", "/usr/lib/os-release", "/etc/debian_version", "/etc/lsb-release"}, "base-files"
}

// Licenses returns the copyright file of a package (Debian Policy, 12.5).
func (f *family) Licenses(_ context.Context, p distro.Package) ([]string, error) {
	return []string{"/usr/share/doc/" + p.ID().Name + "/copyright"}, nil
}

// Database returns the control fields of packages and the sums of their files.
func (f *family) Database(ctx context.Context, of distro.DatabaseOf) ([]distro.Entry, error) {
	var entries []distro.Entry
	named := map[string]bool{}
	for _, in := range of.Packages {
		file, err := in.Package.(*pkg).open(ctx) //nolint:forcetypeassert // see debs
		if err != nil {
			return nil, fmt.Errorf("cannot describe %s: %w", in.ID(), err)
		}
		name := in.ID().Name
		if _, err := of.Image.Lookup(statusDir + name); err == nil || named[name] {
			name += ":" + in.ID().Architecture // of several architectures
		}
		named[name] = true
		own, err := StatusEntries(name, in.ID().String(), file.Control.String(), file.MD5Sums(), in.Files)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("cannot describe %s: %w", in.ID(), err)
		}
		entries = append(entries, own...)
	}
	return entries, nil
}

// StatusEntries returns the entries of the database for one package, of which
// an image holds files. known are the MD5 sums that the package tells, by its
// own paths.
func StatusEntries(name, title, fields string, known map[string]string, files []*tree.Node) ([]distro.Entry, error) {
	sums, err := sums(files, known)
	if err != nil {
		return nil, err
	}
	if !strings.Contains("\n"+fields, "\nStatus:") {
		fields = strings.TrimRight(fields, "\n") + "\nStatus: install ok installed\n"
	}
	detail := "tells scanners of " + title
	return []distro.Entry{
		{Path: statusDir + name, Data: []byte(fields), Detail: detail},
		{Path: statusDir + name + ".md5sums", Data: []byte(sums), Detail: detail},
	}, nil
}

// sums returns the MD5 sums of the files as deb-md5sums(5) has them. known are
// those that the package tells, by its own paths.
func sums(files []*tree.Node, known map[string]string) (string, error) {
	var b strings.Builder
	for _, n := range files {
		if n.Kind != tree.File {
			continue
		}
		sum := known[n.Path()]
		if sum == "" {
			sum = known[strings.TrimPrefix(n.Path(), "/usr")] // before the merge of /usr
		}
		if len(sum) != hex.EncodedLen(md5.Size) {
			r, err := n.Open()
			if err != nil {
				return "", err
			}
			h := md5.New() //nolint:gosec // see above
			_, err = io.Copy(h, r)
			if err = errors.Join(err, r.Close()); err != nil {
				return "", err
			}
			sum = hex.EncodeToString(h.Sum(nil))
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, strings.TrimPrefix(n.Path(), "/"))
	}
	return b.String(), nil
}
