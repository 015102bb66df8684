package record

import (
	"testing"
)

// What vouched for a file's bytes, by what is known of the input.
func TestVoucher(t *testing.T) {
	a := Package{Name: "a", Version: "1", Architecture: "amd64", Format: FormatDeb}
	r := Record{Inputs: []Input{
		{Kind: "image", Name: "base.tar", Digest: "sha256:9", Note: "TLS vouches for what the tag names"},
		{Kind: "package", Package: a, Digest: "sha256:1", Repository: "Debian bookworm main", Key: "AB12"},
		{Kind: "package", Package: a, Digest: "sha256:2", Note: "the file a.deb"},
		{Kind: "host", Name: "host"},
	}}
	for _, c := range []struct {
		origin Origin
		want   string
	}{
		{Origin{Kind: KindImage, Name: "base.tar", Digest: "sha256:layer"}, "TLS vouches for what the tag names"},
		{Origin{Kind: KindPackage, Package: a, Digest: "sha256:1"}, "Debian bookworm main, key AB12"},
		{Origin{Kind: KindPackage, Package: a, Digest: "sha256:2"}, "the file a.deb"},
		{Origin{Kind: KindPackage, Package: a, Digest: "sha256:3"}, "none"},
		{Origin{Kind: KindHost, Name: "host"}, ""},
		{Origin{Kind: KindSmith, Name: "skeleton"}, "none"},
	} {
		got := "none"
		if in := r.Input(&c.origin); in != nil {
			got = in.Voucher()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.origin, got, c.want)
		}
	}
	if r.Input(nil) != nil {
		t.Error("no origin has an input")
	}
}

// A record of another's image is written back as it was read.
func FuzzDecode(f *testing.F) {
	data, err := (&Record{Version: Version, Files: []File{
		{Path: "/bin", Type: "dir", Origin: &Origin{Kind: KindImage, Name: "base.tar", Digest: "sha256:1"}},
		{Path: "/sh", Type: "symlink", Link: "bin/tool", Reasons: []Reason{{Rule: "path", Detail: "path in smith.yaml:2"}}},
	}}).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"files":[{"path":"../..","reasons":[{}]}]}`))
	f.Add([]byte(version1))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		first, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := again.JSON(); err != nil || string(second) != string(first) {
			t.Errorf("%s became %s: %v", first, second, err)
		}
	})
}
