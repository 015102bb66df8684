// Package debfile reads Debian binary packages (deb(5)): each is read once, as
// a stream, into the cache, under the digest of the .deb. It knows what stands
// in one package and nothing of others; nothing of it is executed.
package debfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/unpacked"
	"smith/internal/distro/deb/control"
	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// Buckets of the cache, by the digest of the .deb: its files, and the members
// of its control.tar as JSON. Of a package that was read, both are there.
const (
	dataBucket    = "deb"
	controlBucket = "deb-control"
)

// A File is a package in the cache, open for reading. The nodes that Entries
// returned can be read until Close.
type File struct {
	// Digest is that of the .deb.
	Digest digest.Digest
	// Control is the paragraph of the control file.
	Control control.Paragraph
	members map[string][]byte
	archive *unpacked.Archive
}

// Open returns a package from the cache, and brings it there first where it is
// absent: what open returns is read to its end, once, and has to have the
// digest. Errors do not name the package.
func Open(ctx context.Context, st *store.Store, d digest.Digest, open func(context.Context) (io.ReadCloser, error)) (*File, error) {
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return nil, fmt.Errorf("digest %.80q: only sha256 is supported", d)
	}
	f, err := known(st, d)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	r, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return read(ctx, st, r, d)
}

// known returns a package that is in the cache.
func known(st *store.Store, d digest.Digest) (*File, error) {
	data, err := st.Load(controlBucket, d.String())
	if err != nil {
		return nil, err
	}
	var members map[string][]byte
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("cannot read the control files of %s in the cache: %w", d, err)
	}
	f, err := newFile(d, members)
	if err != nil {
		return nil, err
	}
	f.archive, err = unpacked.Open(st, dataBucket, d.String())
	return f, err
}

func newFile(d digest.Digest, members map[string][]byte) (*File, error) {
	paragraph, err := control.NewReader(bytes.NewReader(members["control"])).Next()
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return &File{Digest: d, Control: paragraph, members: members}, nil
}

// Entries returns the files of the package in their order. All nodes are new
// and have the given origin.
func (f *File) Entries(origin *record.Origin) ([]tree.Entry, error) { return f.archive.Entries(origin) }

// Scripts returns the maintainer scripts that run when the package is installed
// for the first time, in their order, with what dpkg calls them with
// (deb-preinst(5), deb-postinst(5), dpkg(1) "Internal environment").
func (f *File) Scripts() []scriptlet.Script {
	var all []scriptlet.Script
	for _, s := range []scriptlet.Script{
		{Name: "preinst", Args: []string{"install"}, Before: true},
		{Name: "postinst", Args: []string{"configure", ""}},
	} {
		data, ok := f.members[s.Name]
		if !ok {
			continue
		}
		s.Text = string(data)
		s.Env = map[string]string{
			"DPKG_MAINTSCRIPT_NAME": s.Name, "DPKG_MAINTSCRIPT_PACKAGE": f.Control.Get("Package"), "DPKG_ROOT": "", "DPKG_ADMINDIR": "/var/lib/dpkg",
		}
		s.Answers = f.answers()
		if architecture := f.Control.Get("Architecture"); architecture != "all" {
			s.Env["DPKG_MAINTSCRIPT_ARCH"] = architecture
		}
		all = append(all, s)
	}
	return all
}

// answers returns the default answers of debconf's questions that the package
// brings (debconf-devel(7), "THE TEMPLATES FILE").
func (f *File) answers() map[string]string {
	all := map[string]string{}
	for r := control.NewReader(bytes.NewReader(f.members["templates"])); ; {
		p, err := r.Next()
		if err != nil {
			return all
		}
		if name := p.Get("Template"); name != "" {
			all[name] = p.Get("Default")
		}
	}
}

// Triggers returns the directives of the package's triggers file
// (deb-triggers(5)), without comments.
func (f *File) Triggers() []string { return lines(f.members["triggers"]) }

// Conffiles returns the paths of the configuration files (deb-conffiles(5))
// that the package holds.
func (f *File) Conffiles() []string {
	var paths []string
	for _, line := range lines(f.members["conffiles"]) {
		if strings.HasPrefix(line, "/") { // a flag may stand before the path
			paths = append(paths, line)
		}
	}
	return paths
}

// MD5Sums returns the sums of the package's files (deb-md5sums(5)), in hex, by
// their absolute paths.
func (f *File) MD5Sums() map[string]string {
	sums := map[string]string{}
	for _, line := range lines(f.members["md5sums"]) {
		if sum, name, ok := strings.Cut(line, "  "); ok {
			sums[tree.Clean(name)] = sum
		}
	}
	return sums
}

// lines returns what is no comment and not blank.
func lines(data []byte) []string {
	var all []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	return all
}

// Close lets go of the cache entry.
func (f *File) Close() error { return f.archive.Close() }
