package lock

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// written is the form that readers of diffs see.
const written = `# Written by smith lock; smith lock --update moves it on.
version: 1
platforms:
  linux/amd64:
    requests:
    - curl=7.88.1-10
    - nginx
    packages:
    - name: curl
      version: 7.88.1-10
      architecture: amd64
      url: http://mirror.example.org/pool/c/curl.deb
      size: 7
      sha256: ` + sum + `
      repository: Debian bookworm main
      key: '0123'
    - name: nginx
      version: '1.22'
      architecture: all
      url: ./nginx.deb
      size: 0
      sha256: ` + sum + `
    images:
    - reference: base.tar
      digest: sha256:` + sum + `
`

func TestEncode(t *testing.T) {
	l := &Lock{Version: 1, Platforms: map[string]*Platform{"linux/amd64": {
		Requests: []string{"nginx", "curl=7.88.1-10"},
		Packages: []Package{
			{"nginx", "1.22", "all", "./nginx.deb", 0, sum, false, "", "", "", ""},
			{"curl", "7.88.1-10", "amd64", "http://mirror.example.org/pool/c/curl.deb", 7, sum, false, "Debian bookworm main", "0123", "", ""},
		},
		Images: []Image{{"base.tar", "sha256:" + sum}},
	}}}
	got, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(written, string(got)); d != "" {
		t.Error(d)
	}
	path := filepath.Join(t.TempDir(), "smith.lock")
	if err := l.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(l, read); d != "" {
		t.Error(d)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// What is said of locks that cannot be read, whole.
func TestMistakes(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"version: 1\n", "version: 2\n"}:       "it is of version 2, and this smith knows 1",
		{"name: curl", "nam: curl"}:            "line 9: a lock has no key nam",
		{"name: curl", "name:"}:                "platform linux/amd64: package  7.88.1-10 amd64 lacks a name, version, architecture or url",
		{"sha256: " + sum, "sha256: e3"}:       `platform linux/amd64: package curl 7.88.1-10 amd64: sha256 "e3" is none`,
		{"size: 7", "size: -7"}:                "platform linux/amd64: package curl 7.88.1-10 amd64: size -7 is none",
		{"    requests", "  x:\n    requests"}: "platform linux/amd64 is empty",
	} {
		file := filepath.Join(t.TempDir(), "smith.lock")
		if err := os.WriteFile(file, []byte(strings.Replace(written, change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(file)
		if want = "cannot read " + file + ": " + want + "; smith lock --update makes it anew"; err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", change, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "smith.lock")
	if _, err := ReadFile(file); !Absent(err) {
		t.Error(err)
	}
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(file); err == nil || err.Error() != "cannot read "+file+": it is larger than 67108864 bytes; smith lock --update makes it anew" {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(written))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Decode(data)
		if err != nil {
			return
		}
		again, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again); err != nil {
			t.Errorf("what was written cannot be read: %v\n%s", err, again)
		}
	})
}
