package record

import (
	"strings"
	"testing"
)

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "unexpected end",
		`{"version":9}`:            "its version is 9, this smith reads 1",
		`{"version":1,"files":{}}`: "cannot unmarshal object",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", text, err, want)
		}
	}
}

// What vouched for a file's bytes, by what is known of the input.
func TestVoucher(t *testing.T) {
	r := Record{Inputs: []Input{
		{Kind: "image", Name: "base.tar", Digest: "sha256:9", Note: "TLS vouches for what the tag names"},
		{Kind: "package", Name: "a 1 amd64", Digest: "sha256:1", Repository: "Debian bookworm main", Key: "AB12"},
		{Kind: "package", Name: "a 1 amd64", Digest: "sha256:2", Note: "the file a.deb"},
		{Kind: "host", Name: "host"},
	}}
	for _, c := range []struct{ origin, want string }{
		{"image base.tar sha256:layer", "TLS vouches for what the tag names"},
		{"package a 1 amd64 sha256:1", "Debian bookworm main, key AB12"},
		{"package a 1 amd64 sha256:2", "the file a.deb"},
		{"package a 1 amd64 sha256:3", "none"},
		{"host host ", ""},
		{"smith skeleton ", "none"},
	} {
		kind, rest, _ := strings.Cut(c.origin, " ")
		at := strings.LastIndexByte(rest, ' ')
		got := "none"
		if in := r.Input(&Origin{kind, rest[:at], rest[at+1:]}); in != nil {
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
		{Path: "/bin", Type: "dir", Origin: &Origin{"image", "base.tar", "sha256:1"}},
		{Path: "/sh", Type: "symlink", Link: "bin/tool", Reasons: []Reason{{Rule: "path", Detail: "path in smith.yaml:2"}}},
	}}).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"files":[{"path":"../..","reasons":[{}]}]}`))
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
