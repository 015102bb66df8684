package apt

import (
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/deb/control"
	"smith/internal/network/fetch"
)

// File returns where the file of a package of the index is, with the digest
// that the index vouches for.
func (x *Index) File(p control.Paragraph) (fetch.File, error) {
	f := fetch.File{Name: p.Get("Package") + " " + p.Get("Version")}
	size, err := strconv.ParseInt(p.Get("Size"), 10, 64)
	if err != nil || size <= 0 {
		return f, fmt.Errorf("%s: the index of %s gives no size", f.Name, x.Source)
	}
	f.Size, f.Digest = size, digest.NewDigestFromEncoded(digest.SHA256, p.Get("SHA256"))
	if f.Digest.Validate() != nil {
		return f, fmt.Errorf("%s: the index of %s gives no SHA-256", f.Name, x.Source)
	}
	name := p.Get("Filename")
	if name == "" || path.Clean("/"+name) != "/"+strings.TrimPrefix(name, "./") {
		return f, fmt.Errorf("%s: the index of %s says that its file is %q", f.Name, x.Source, name)
	}
	name = strings.TrimPrefix(name, "./") // in flat repositories
	for _, mirror := range x.Source.Mirrors {
		f.Addresses = append(f.Addresses, mirror+(&url.URL{Path: name}).EscapedPath())
	}
	return f, nil
}
