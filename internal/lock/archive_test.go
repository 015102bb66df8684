package lock

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddresses(t *testing.T) {
	p := Package{"a", "1:2", "all", "http://mirror.example.org/debian/pool/main/a/a_1%3a2_all.deb", 1, sum, false, "", "", "", ""}
	got := Addresses([]string{
		"https://example.org/by/{sha256}?as={file}", "https://snapshot.example.org/archive/debian/20250520T000000Z/",
		"kept", "/kept", "https://example.org/{name}/{version}/{architecture}/{path}", "other/{file}",
	}, "/project", p)
	want := []string{
		"https://example.org/by/" + sum + "?as=a_1%3a2_all.deb",
		"https://snapshot.example.org/archive/debian/20250520T000000Z/pool/main/a/a_1%3a2_all.deb",
		"file:///project/kept/sha256/" + sum, "file:///kept/sha256/" + sum,
		"https://example.org/a/1:2/all/pool/main/a/a_1%3a2_all.deb",
		"file:///project/other/a_1%253a2_all.deb",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
