package record

import (
	"fmt"
	"testing"
)

// The purl of packages of each format, by the specification's own examples
// where it has one (https://github.com/package-url/purl-spec).
func TestPURL(t *testing.T) {
	for _, c := range []struct {
		p                  Package
		distribution, want string
	}{
		{Package{"curl", "7.50.3-1", "i386", FormatDeb}, "debian", "pkg:deb/debian/curl@7.50.3-1?arch=i386"},
		{Package{"zlib1g", "1:1.2.13.dfsg-1+b1", "amd64", FormatDeb}, "Debian", "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1%2Bb1?arch=amd64"},
		{Package{"libstdc++6", "12.2.0-14~deb12u1", "amd64", FormatDeb}, "debian", "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14~deb12u1?arch=amd64"},
		{Package{"curl", "7.50.3-1.fc25", "i386", FormatRPM}, "fedora", "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386"},
		{Package{"Xvfb", "1:1.2-3.el9", "x86_64", FormatRPM}, "rocky", "pkg:rpm/rocky/Xvfb@1.2-3.el9?arch=x86_64&epoch=1"},
		{Package{"apk", "2.12.9-r3", "x86", FormatAPK}, "alpine", "pkg:apk/alpine/apk@2.12.9-r3?arch=x86"},
		{Package{"Odd", "", "", FormatDeb}, "", "pkg:deb/odd"},
		{Package{"app", "1", "amd64", ""}, "debian", ""},
		{Package{}, "debian", ""},
	} {
		if got := c.p.PURL(c.distribution); got != c.want {
			t.Errorf("%s: got %q, want %q", c.p, got, c.want)
		}
	}
}

// Packages and origins in words.
func TestStrings(t *testing.T) {
	p := Package{Name: "nginx", Version: "1.22.1-9", Architecture: "amd64", Format: FormatDeb}
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{p, "nginx 1.22.1-9 amd64"},
		{Package{Name: "nginx"}, "nginx"},
		{Origin{Kind: KindPackage, Package: p}, "package nginx 1.22.1-9 amd64"},
		{Origin{Kind: KindSmith, Script: "postinst", Package: p}, "smith postinst of nginx 1.22.1-9 amd64"},
		{Origin{Kind: KindSmith, Name: "copyright", Package: p}, "smith copyright of nginx 1.22.1-9 amd64"},
		{Origin{Kind: KindSmith}, "smith"},
		{Origin{Kind: KindHost, Name: "host"}, "host"},
		{Origin{Kind: KindImage, Name: "base.tar"}, "image base.tar"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
