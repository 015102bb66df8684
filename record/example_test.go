package record_test

import (
	"fmt"

	"smith/record"
)

// The record of an image is the attachment of type MediaType.
func ExampleDecode() {
	r, err := record.Decode([]byte(`{"version": 2, "platform": "linux/amd64", "files": [
		{"path": "/usr/lib/libz.so.1", "type": "file", "size": 121280,
		 "origin": {"kind": "package", "package": {"name": "zlib1g", "version": "1:1.2.13.dfsg-1", "architecture": "amd64", "format": "deb"}},
		 "reasons": [{"rule": "needed", "from": "/usr/sbin/nginx", "detail": "libz.so.1, found by default directory /usr/lib"}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Files {
		fmt.Println(f.Path, "←", f.Origin)
		for _, reason := range f.Reasons {
			fmt.Println(reason.From, reason)
		}
	}
	// Output:
	// /usr/lib/libz.so.1 ← package zlib1g 1:1.2.13.dfsg-1 amd64
	// /usr/sbin/nginx needs libz.so.1, found by default directory /usr/lib
}

func ExamplePackage_PURL() {
	p := record.Package{Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Architecture: "amd64", Format: record.FormatDeb}
	fmt.Println(p.PURL("debian"))
	// Output: pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64
}

func ExampleRuleInfos() {
	for _, info := range record.RuleInfos() {
		if info.Role == record.RoleMetadata {
			fmt.Println(info.Rule)
		}
	}
	// Output:
	// package-database
	// license
	// debuginfo
}
