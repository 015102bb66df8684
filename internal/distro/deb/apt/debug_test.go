package apt

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/deb/control"
)

const debugPackages = `Package: jq-dbgsym
Source: jq
Version: 1-1
Architecture: amd64
Build-Ids: aa bb

Package: jq-dbgsym
Version: 1-2
Architecture: amd64

Package: jq-dbgsym
Version: 1-1
Architecture: arm64

Package: libc6-dbg
Source: glibc
Version: 2.36-9
Architecture: amd64
Build-Ids: cc

Package: libc6-prof
Source: glibc (2.36-9)
Version: 2.36-9+b1
Architecture: amd64
Build-Ids: dd

Package: glibc-doc
Source: glibc
Version: 2.36-9
Architecture: amd64
`

func TestDebug(t *testing.T) {
	x, err := writeTestIndex(t, debugPackages)
	if err != nil {
		t.Fatal(err)
	}
	offers := []*Offer{{Packages: Files{}}, {Packages: x}}
	for text, want := range map[string]string{
		"Package: jq\nVersion: 1-1\nArchitecture: amd64\n":                                  "jq-dbgsym 1-1",
		"Package: jq\nVersion: 1-2\nArchitecture: amd64\n":                                  "jq-dbgsym 1-2",
		"Package: jq\nVersion: 1-3\nArchitecture: amd64\n":                                  "",
		"Package: jq\nVersion: 1-2\nArchitecture: arm64\n":                                  "",
		"Package: libc6\nSource: glibc\nVersion: 2.36-9\nArchitecture: amd64\n":             "libc6-dbg 2.36-9, libc6-prof 2.36-9+b1",
		"Package: libc6\nSource: glibc (2.36-9)\nVersion: 2.36-9+b2\nArchitecture: amd64\n": "libc6-dbg 2.36-9, libc6-prof 2.36-9+b1",
		"Package: libc6\nSource: glibc\nVersion: 2.37-1\nArchitecture: amd64\n":             "",
	} {
		p, err := control.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		found, err := Debug(offers, p)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range found {
			names = append(names, v.Name+" "+v.Version)
		}
		if d := cmp.Diff(want, strings.Join(names, ", ")); d != "" {
			t.Errorf("%s(-want +got):\n%s", text, d)
		}
	}
}
