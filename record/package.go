package record

import (
	"strconv"
	"strings"
)

// A Format is a format of packages, which decides how their names and versions
// are read.
type Format string

// The formats of packages.
const (
	FormatDeb Format = "deb"
	FormatRPM Format = "rpm"
	FormatAPK Format = "apk"
)

// Formats returns all formats.
func Formats() []Format { return []Format{FormatDeb, FormatRPM, FormatAPK} }

// A Package is one package of a distribution. It is comparable; the zero value
// is no package.
type Package struct {
	Name string `json:"name"`
	// Version is the whole version as the distribution writes it, with the
	// epoch where it has one: "1:1.2.13.dfsg-1".
	Version string `json:"version,omitempty"`
	// Architecture is the distribution's word: "amd64" or "all" of Debian,
	// "x86_64" or "noarch" of RPM.
	Architecture string `json:"architecture,omitempty"`
	Format       Format `json:"format,omitempty"`
}

// IsZero reports whether p is no package.
func (p Package) IsZero() bool { return p == Package{} }

// String returns the name, version and architecture, for a reader.
func (p Package) String() string {
	return strings.TrimRight(p.Name+" "+p.Version+" "+p.Architecture, " ")
}

// PURL returns the package URL (https://github.com/package-url/purl-spec) of a
// package of a distribution, such as "debian" or "fedora", by the ID of its
// os-release(5); "" where the package's format is unknown.
func (p Package) PURL(distribution string) string {
	if p.Name == "" || p.Format == "" {
		return ""
	}
	version, qualifiers := p.Version, []string{}
	if p.Architecture != "" {
		qualifiers = append(qualifiers, "arch="+escapePURL(p.Architecture))
	}
	// The types deb and apk keep the epoch in the version, rpm has a qualifier.
	if epoch, rest, ok := strings.Cut(version, ":"); ok && p.Format == FormatRPM {
		if _, err := strconv.ParseUint(epoch, 10, 32); err == nil {
			version, qualifiers = rest, append(qualifiers, "epoch="+epoch)
		}
	}
	url := "pkg:" + string(p.Format) + "/"
	if distribution != "" {
		url += escapePURL(strings.ToLower(distribution)) + "/"
	}
	name := p.Name
	if p.Format != FormatRPM { // names of RPM packages are case sensitive
		name = strings.ToLower(name)
	}
	url += escapePURL(name)
	if version != "" {
		url += "@" + escapePURL(version)
	}
	if len(qualifiers) > 0 {
		url += "?" + strings.Join(qualifiers, "&")
	}
	return url
}

// escapePURL percent-encodes a component as the purl specification asks: all
// but letters, digits and ".-_~:".
func escapePURL(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte(".-_~:", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
