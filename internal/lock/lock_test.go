package lock

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/golden"
	"smith/record"
)

const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// testLock returns a lock that has every field.
func testLock() *Lock {
	return &Lock{Version: Version, Platforms: map[string]*Platform{
		"linux/amd64": {
			Family: record.FormatDeb,
			Requests: Requests{
				Packages: []string{"nginx", "curl=7.88.1-10", "nginx"}, Modules: []string{"nodejs:20"}, DebugDeps: []string{"curl-dbg"},
				Recommends: true, DebugInfo: true,
			},
			Packages: []Package{
				{Name: "nginx", Version: "1.22", Architecture: "all", URL: "./nginx.deb", SHA256: sum, Vouched: "the spec trusts the repository"},
				{
					Name: "curl", Version: "7.88.1-10", Architecture: "amd64", URL: "http://mirror.example.org/pool/c/curl.deb", Size: 7, SHA256: sum,
					Repository: "Debian bookworm main", Key: "0123", Essential: true,
				},
				{Name: "curl-dbg", Version: "7.88.1-10", Architecture: "amd64", URL: "http://mirror.example.org/pool/c/curl-dbg.deb", Size: 8, SHA256: sum, Debug: "curl"},
			},
		},
		"linux/arm64": {Images: []Image{{"base.tar", "sha256:" + sum}}},
	}}
}

func encoded(t testing.TB) string {
	t.Helper()
	data, err := testLock().Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEncode(t *testing.T) {
	texts := golden.New(t)
	texts.Add("smith.lock", encoded(t))
	l := testLock()
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

// A lock of version 1 is read as one of the current version.
func TestVersion1(t *testing.T) {
	texts := golden.New(t)
	for _, name := range []string{"deb", "rpm", "image"} {
		l, err := ReadFile(filepath.Join("testdata", "version1", name+".lock"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		texts.Add(name, string(data))
	}
	_, err := Decode([]byte("version: 1\nplatforms:\n  linux/amd64:\n    family: deb\n"))
	texts.Error("a key of version 2", err)
}

// Each kind of request that differs is named.
func TestRequestChanges(t *testing.T) {
	texts := golden.New(t)
	all := testLock().Platforms["linux/amd64"].Requests
	texts.Add("none", all.Changes(all))
	texts.Add("more", Requests{}.Changes(all))
	texts.Add("less", all.Changes(Requests{}))
	texts.Add("others", Requests{Packages: []string{"a"}, Modules: []string{"a:1"}}.Changes(Requests{Packages: []string{"b"}, Modules: []string{"a:2"}}))
}

func TestMistakes(t *testing.T) {
	texts := golden.New(t)
	for _, tt := range []struct{ name, old, new string }{
		{"version", "version: 2\n", "version: 3\n"},
		{"no version", "version: 2\n", ""},
		{"version in words", "version: 2\n", "version: two\n"},
		{"unknown key", "name: curl", "nam: curl"},
		{"no name", "name: curl", "name:"},
		{"sha256", "sha256: " + sum, "sha256: e3"},
		{"size", "size: 7", "size: -7"},
		{"empty platform", "  linux/arm64", "  x:\n  linux/arm64"},
		{"no family", "    family: deb\n", ""},
		{"unknown family", "family: deb", "family: tar"},
	} {
		file := filepath.Join(t.TempDir(), "smith.lock")
		if err := os.WriteFile(file, []byte(strings.Replace(encoded(t), tt.old, tt.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(file)
		if err == nil {
			t.Fatal(tt.name)
		}
		texts.Add(tt.name, strings.ReplaceAll(err.Error(), file, "smith.lock"))
	}
	file := filepath.Join(t.TempDir(), "smith.lock")
	if _, err := ReadFile(file); !Absent(err) {
		t.Error(err)
	}
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	_, err := ReadFile(file)
	if err == nil {
		t.Fatal("a file of any size was read")
	}
	texts.Add("too large", strings.ReplaceAll(err.Error(), file, "smith.lock"))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(encoded(f)))
	for _, name := range []string{"deb", "rpm", "image"} {
		data, err := os.ReadFile(filepath.Join("testdata", "version1", name+".lock"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
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
			t.Errorf("the encoded lock cannot be decoded: %v\n%s", err, again)
		}
	})
}
