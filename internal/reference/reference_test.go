package reference

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/osrelease"
)

// files are what is there.
var files = fstest.MapFS{
	"base.tar.gz":       {},
	"base.tar":          {},
	"base.tgz":          {},
	"image":             {},
	"odd:name":          {},
	"odd.tar:name":      {},
	"a.deb":             {},
	"a.rpm":             {},
	"a.apk":             {},
	"layout/oci-layout": {},
	"d/oci-layout":      {},
	"x:y/oci-layout":    {},
	"folder.tar/file":   {},
	"folder/file":       {},
	"up/base":           {},
	"pipe.tar":          {Mode: fs.ModeNamedPipe},
	"locked.tar":        {},
	"abs/base":          {},
}

// stat is os.Stat over files: "/" and ".." lead to folders of their own.
func stat(name string) (fs.FileInfo, error) {
	name = strings.TrimPrefix(name, "./")
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		name = "abs/" + rest
	}
	if rest, ok := strings.CutPrefix(name, "../"); ok {
		name = "up/" + rest
	}
	if name == "locked.tar" {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return files.Stat(name)
}

const (
	absent   = " is not there; a name of this form is a file and never pulled"
	noLayout = " is no OCI layout: it has no file oci-layout"
	hub      = "a short name with type: oci is Docker Hub's"
	onDebian = "this machine is of the deb family"
	digest   = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// names are what Parse makes of a name with a type on a Debian machine.
var names = []struct {
	typ, name string
	want      Reference
	err       string
}{
	// Files.
	{"", "base.tar.gz", Reference{Kind: Archive, Path: "base.tar.gz"}, ""},
	{"", "base.tar", Reference{Kind: Archive, Path: "base.tar"}, ""},
	{"", "base.tgz:12", Reference{Kind: Archive, Path: "base.tgz", Tag: "12"}, ""},
	{"oci", "base.tar:12-slim", Reference{Kind: Archive, Path: "base.tar", Tag: "12-slim"}, ""},
	{"", "base.tar:example.org/team/app:1.2", Reference{Kind: Archive, Path: "base.tar", Tag: "example.org/team/app:1.2"}, ""},
	{"", "base.tar:", Reference{}, `"" is no tag of an image in base.tar`},
	{"", "base.tar:a b", Reference{}, `"a b" is no tag of an image in base.tar`},
	{"", "base.tar:../b", Reference{}, `"../b" is no tag of an image in base.tar`},
	{"", "./image", Reference{Kind: Archive, Path: "./image"}, ""},
	{"", "./image:12", Reference{Kind: Archive, Path: "./image", Tag: "12"}, ""},
	{"", "../base:12", Reference{Kind: Archive, Path: "../base", Tag: "12"}, ""},
	{"", "/base", Reference{Kind: Archive, Path: "/base"}, ""},
	{"", "./odd:name", Reference{Kind: Archive, Path: "./odd:name"}, ""},
	{"", "odd.tar:name", Reference{Kind: Archive, Path: "odd.tar:name"}, ""},
	{"", "absent.tar", Reference{}, "absent.tar" + absent},
	{"oci", "absent.tar.gz:12", Reference{}, "absent.tar.gz" + absent},
	{"", "example.org/absent.tar:1", Reference{}, "example.org/absent.tar" + absent},
	{"", "https://example.org/base.tar.gz", Reference{}, "https://example.org/base.tar.gz" + absent},
	{"", "./absent", Reference{}, "./absent" + absent},
	{"", "/absent:1", Reference{}, "/absent" + absent},
	{"", `C:\absent`, Reference{}, `C:\absent` + absent},
	{"", "c:/absent:1", Reference{}, "c:/absent" + absent},
	{"", "pipe.tar", Reference{}, "pipe.tar is neither a file nor a folder"},
	{"", "locked.tar", Reference{}, "cannot open locked.tar: permission denied"},
	// Packages in files.
	{"", "a.deb", Reference{Kind: Local, Path: "a.deb", Family: "deb"}, ""},
	{"deb", "./a.deb", Reference{Kind: Local, Path: "./a.deb", Family: "deb"}, ""},
	{"rpm", "/usr/bin/htpasswd", Reference{Kind: Package, Name: "/usr/bin/htpasswd", Family: "rpm"}, ""},
	{"mock", "/base", Reference{Kind: Package, Name: "/base", Family: "rpm"}, ""},
	{"rpm", "/absent.rpm", Reference{}, "/absent.rpm" + absent},
	{"mock", "a.rpm", Reference{Kind: Local, Path: "a.rpm", Family: "rpm"}, ""},
	{"", "a.apk", Reference{Kind: Local, Path: "a.apk", Family: "apk"}, ""},
	{"", "b.deb", Reference{}, "b.deb" + absent},
	{"rpm", "a.deb", Reference{}, "a.deb is a .deb package, but the spec says type: rpm"},
	{"oci", "a.deb", Reference{}, "a.deb is a .deb package, not an image"},
	{"deb", "a.deb:amd64", Reference{}, "a.deb is a package and has no tags: leave :amd64 out"},
	{"deb", "base.tar", Reference{}, "base.tar is an image, but the spec says type: deb; write type: oci"},
	{"deb", "./layout", Reference{}, "./layout is an image, but the spec says type: deb; write type: oci"},
	// Layout folders.
	{"", "oci:layout", Reference{Kind: Layout, Path: "layout"}, ""},
	{"", "oci:layout:12", Reference{Kind: Layout, Path: "layout", Tag: "12"}, ""},
	{"", "oci:d:12", Reference{Kind: Layout, Path: "d", Tag: "12"}, ""},
	{"", "oci:x:y", Reference{Kind: Layout, Path: "x:y"}, ""},
	{"", "oci:x:y:12", Reference{Kind: Layout, Path: "x:y", Tag: "12"}, ""},
	{"oci", "./layout:12", Reference{Kind: Layout, Path: "./layout", Tag: "12"}, ""},
	{"", "./layout", Reference{Kind: Layout, Path: "./layout"}, ""},
	{"", "oci:", Reference{}, "oci: names no folder; write oci:DIR or oci:DIR:TAG"},
	{"", "oci:absent:1", Reference{}, "folder absent is not there"},
	{"", "oci:image", Reference{}, "image is a file, not an OCI layout folder; leave out the oci: in front"},
	{"", "oci:folder", Reference{}, "folder folder" + noLayout},
	{"", "./folder", Reference{}, "folder ./folder" + noLayout},
	{"", "folder.tar", Reference{}, "folder folder.tar" + noLayout},
	// Registries.
	{"", "example.org/team/app:1.2", Reference{Kind: Registry, Remote: "example.org/team/app:1.2"}, ""},
	{"", "localhost/app", Reference{Kind: Registry, Remote: "localhost/app"}, ""},
	{"oci", "builder:5000/app" + digest, Reference{Kind: Registry, Remote: "builder:5000/app" + digest}, ""},
	{"", "https://example.org/app", Reference{Kind: Registry, Remote: "example.org/app"}, ""},
	{"", "http://127.0.0.1:5000/app:1", Reference{Kind: Registry, Remote: "http://127.0.0.1:5000/app:1"}, ""},
	{"", "http://builder/app", Reference{Kind: Registry, Remote: "http://builder/app"}, ""},
	{"", "docker.io/debian", Reference{Kind: Registry, Remote: "docker.io/library/debian"}, ""},
	{"", "https://me:secret@example.org/app", Reference{}, "the name of an image at example.org holds a user: it would stand in the image's record; leave it out and log in"},
	{"", "example.org/App", Reference{}, `"example.org/App" is no image in a registry; write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case`},
	{"", "https://", Reference{}, `"https://" is no image in a registry; write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case`},
	{"", "example.org/a/../b", Reference{}, `"example.org/a/../b" is no image in a registry; write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case`},
	// Bare names.
	{"", "nginx", Reference{Kind: Package, Name: "nginx", Family: "deb", Decided: onDebian}, ""},
	{"", "debian:12-slim", Reference{Kind: Package, Name: "debian:12-slim", Family: "deb", Decided: onDebian}, ""},
	{"", "library/debian", Reference{Kind: Package, Name: "library/debian", Family: "deb", Decided: onDebian}, ""},
	{"", "layout", Reference{Kind: Package, Name: "layout", Family: "deb", Decided: onDebian}, ""},
	{"", "openssl:amd64/bookworm", Reference{Kind: Package, Name: "openssl:amd64/bookworm", Family: "deb", Decided: onDebian}, ""},
	{"", ".tar", Reference{Kind: Package, Name: ".tar", Family: "deb", Decided: onDebian}, ""},
	{"oci", "debian:12-slim", Reference{Kind: Registry, Remote: "docker.io/library/debian:12-slim", Decided: hub}, ""},
	{"oci", "team/app", Reference{Kind: Registry, Remote: "docker.io/team/app", Decided: hub}, ""},
	{"oci", "Debian", Reference{}, `"Debian" is no image's name; write a file, HOST/NAME:TAG, or a short name such as debian:12`},
	// Type wins.
	{"deb", "jq/bookworm-backports", Reference{Kind: Package, Name: "jq/bookworm-backports", Family: "deb"}, ""},
	{"deb", "libapt-pkg6.0/bookworm", Reference{Kind: Package, Name: "libapt-pkg6.0/bookworm", Family: "deb"}, ""},
	{"deb", "curl=7.88.1-10+deb12u8", Reference{Kind: Package, Name: "curl=7.88.1-10+deb12u8", Family: "deb"}, ""},
	{"deb", "oci:amd64", Reference{Kind: Package, Name: "oci:amd64", Family: "deb"}, ""},
	{"mock", "httpd", Reference{Kind: Package, Name: "httpd", Family: "rpm"}, ""},
	{"apk", "nginx", Reference{Kind: Package, Name: "nginx", Family: "apk"}, ""},
	{"host", "", Reference{Kind: Host}, ""},
	{"host", "curl", Reference{Kind: Host, Decided: `type: host takes this machine's files: package "curl" counts for nothing`}, ""},
	// No names.
	{"", "", Reference{}, "an empty name means nothing"},
	{"", "a\nb", Reference{}, `name "a\nb" holds a control character`},
	{"", "./a\x00", Reference{}, `name "./a\x00" holds a control character`},
}

func check(t *testing.T, name string, got Reference, err error, want Reference, wantErr string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if d := cmp.Diff(wantErr, text); d != "" {
		t.Errorf("%s: error: %s", name, d)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

func TestParse(t *testing.T) {
	for _, n := range names {
		got, err := Parse(n.name, Context{Type: n.typ, Family: "deb", Stat: stat})
		check(t, n.typ+" "+n.name, got, err, n.want, n.err)
	}
}

func TestParseBareByContext(t *testing.T) {
	got, err := Parse("httpd", Context{Mock: true, Family: "deb", Stat: stat})
	check(t, "mock", got, err, Reference{Kind: Package, Name: "httpd", Family: "rpm", Decided: "the spec has a section mock"}, "")
	got, err = Parse("debian", Context{Type: "oci", Mock: true, Stat: stat})
	check(t, "type before mock", got, err, Reference{Kind: Registry, Remote: "docker.io/library/debian", Decided: hub}, "")
	got, err = Parse("nginx", Context{Locked: "deb", Family: "rpm", Stat: stat})
	check(t, "the lock before this machine", got, err, Reference{Kind: Package, Name: "nginx", Family: "deb", Decided: "smith.lock has deb packages"}, "")
	got, err = Parse("nginx", Context{Stat: stat})
	check(t, "no family", got, err, Reference{}, `cannot tell what package "nginx" is: this machine's os-release names no known family; `+
		`set type: oci, deb, rpm or apk, or write ./nginx for a file`)
}

func TestParseParent(t *testing.T) {
	noImage := func(name string) string {
		return `"` + name + `" is no image: a parent is a file such as base.tar.gz, oci:DIR or HOST/NAME:TAG; a short name is Docker Hub's with type: oci`
	}
	for _, n := range []struct {
		typ, name string
		want      Reference
		err       string
	}{
		{"host", "base.tar:1", Reference{Kind: Archive, Path: "base.tar", Tag: "1"}, ""},
		{"deb", "oci:layout", Reference{Kind: Layout, Path: "layout"}, ""},
		{"rpm", "example.org/app", Reference{Kind: Registry, Remote: "example.org/app"}, ""},
		{"oci", "debian", Reference{Kind: Registry, Remote: "docker.io/library/debian", Decided: hub}, ""},
		{"deb", "debian", Reference{}, noImage("debian")},
		{"", "debian:12", Reference{}, noImage("debian:12")},
		{"", "a.deb", Reference{}, noImage("a.deb")},
		{"", "absent.tar", Reference{}, "absent.tar" + absent},
	} {
		got, err := ParseParent(n.name, Context{Type: n.typ, Mock: true, Stat: stat})
		check(t, n.typ+" "+n.name, got, err, n.want, n.err)
	}
}

func TestParseImage(t *testing.T) {
	for _, n := range []struct {
		name string
		want Reference
		err  string
	}{
		{"image", Reference{Kind: Archive, Path: "image"}, ""},
		{"layout", Reference{Kind: Layout, Path: "layout"}, ""},
		{"base.tar:12", Reference{Kind: Archive, Path: "base.tar", Tag: "12"}, ""},
		{"oci:layout:1", Reference{Kind: Layout, Path: "layout", Tag: "1"}, ""},
		{"example.org/app", Reference{Kind: Registry, Remote: "example.org/app"}, ""},
		{"debian", Reference{}, "debian" + absent},
		{"a.deb", Reference{}, "a.deb is a .deb package, not an image"},
		{"", Reference{}, "an empty name means nothing"},
	} {
		got, err := ParseImage(n.name, stat)
		check(t, n.name, got, err, n.want, n.err)
	}
}

func TestBeside(t *testing.T) {
	long := strings.Repeat("a", 123)
	for name, want := range map[string]string{
		"out/app.tar.gz":               "out/app-debug.tar.gz",
		"app.tgz:1.2":                  "app-debug.tgz:1.2-debug",
		"oci:dir":                      "dir:latest-debug",
		"oci:dir:1":                    "dir:1-debug",
		"example.org/team/app:1":       "example.org/team/app:1-debug",
		"http://localhost:5000/a":      "http://localhost:5000/a:latest-debug",
		"app.tar:" + long:              "",
		"example.org/team/app:" + long: "",
		"example.org/a@sha256:" + strings.Repeat("0", 64): "example.org/a:latest-debug",
	} {
		r, err := ParseOutput(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Beside("-debug", "latest")
		if (err == nil) != (want != "") || err == nil && (got.String() != want || got.Kind != r.Kind) {
			t.Errorf("%s: %s, %v, want %q", name, got, err, want)
		}
		if refused := fmt.Sprintf("%q is no tag for an image: 128 characters at the most", long+"-debug"); err != nil && err.Error() != refused {
			t.Errorf("%s: got %v, want %s", name, err, refused)
		}
	}
}

func TestParseOutput(t *testing.T) {
	unknown := func(name string) string {
		return `cannot tell what to write to "` + name + `": end it in .tar.gz, .tgz or .tar, or write oci:DIR for a layout folder, HOST/NAME:TAG for a registry`
	}
	noTag := " is no tag for an image: letters, digits, and . _ - after the first, 128 at the most"
	for _, n := range []struct {
		name string
		want Reference
		err  string
	}{
		{"image.tar.gz", Reference{Kind: Archive, Path: "image.tar.gz"}, ""},
		{"out/image.tgz:1.2", Reference{Kind: Archive, Path: "out/image.tgz", Tag: "1.2"}, ""},
		{"/a:b/image.tar", Reference{Kind: Archive, Path: "/a:b/image.tar"}, ""},
		{`C:\out\image.tar:1`, Reference{Kind: Archive, Path: `C:\out\image.tar`, Tag: "1"}, ""},
		{"oci:out", Reference{Kind: Layout, Path: "out"}, ""},
		{"oci:d:1", Reference{Kind: Layout, Path: "d", Tag: "1"}, ""},
		{"oci:/a/b.c:1", Reference{Kind: Layout, Path: "/a/b.c", Tag: "1"}, ""},
		{`oci:C:\out:1`, Reference{Kind: Layout, Path: `C:\out`, Tag: "1"}, ""},
		{`oci:C:\out`, Reference{Kind: Layout, Path: `C:\out`}, ""},
		{"example.org/app:1", Reference{Kind: Registry, Remote: "example.org/app:1"}, ""},
		{"image.tar:a:b", Reference{}, `"a:b"` + noTag},
		{"image.tar:", Reference{}, `""` + noTag},
		{"oci:", Reference{}, "oci: names no folder; write oci:DIR or oci:DIR:TAG"},
		{"oci:d:", Reference{}, `""` + noTag},
		{"a.deb", Reference{}, "cannot write an image to a.deb: use .tar.gz, .tgz, .tar or oci:DIR"},
		{"image", Reference{}, unknown("image")},
		{"./image", Reference{}, unknown("./image")},
		{"../out/image", Reference{}, unknown("../out/image")},
		{"a\nb.tar", Reference{}, `name "a\nb.tar" holds a control character`},
	} {
		got, err := ParseOutput(n.name)
		check(t, n.name, got, err, n.want, n.err)
	}
}

// What is said of a folder that may not be looked at.
func TestFolderThatIsClosed(t *testing.T) {
	closed := func(name string) (fs.FileInfo, error) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	_, err := Parse("oci:out", Context{Stat: closed})
	if want := "cannot open folder out: permission denied"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFamily(t *testing.T) {
	for text, want := range map[string]string{
		"PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n":       "deb",
		"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n":              "deb",
		"ID=\"ol\"\nID_LIKE=\"fedora\"\n":                        "rpm",
		"ID='rocky'\nID_LIKE='rhel centos fedora'\n":             "rpm",
		"ID=\"opensuse-leap\"\r\nID_LIKE=\"suse opensuse\"\r\n":  "rpm",
		"ID_LIKE=debian\nID=alpine\n":                            "apk",
		"ID=mine\nID_LIKE=\"other wolfi debian\"":                "apk",
		"ID=debian\nID=fedora\n":                                 "rpm",
		"#ID=debian\nVERSION_ID=debian\nNAME=debian\nID=\"\nID_": "",
		"ID=arch\n": "",
		"":          "",
	} {
		if got := Family(osrelease.Parse(text)); got != want {
			t.Errorf("Family(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestString(t *testing.T) {
	for _, n := range names {
		if n.err != "" || n.want.Decided != "" || n.typ == "host" {
			continue
		}
		want := strings.TrimPrefix(strings.TrimPrefix(n.name, "oci:"), "https://")
		if n.typ == "deb" || n.want.Remote == "docker.io/library/debian" {
			continue
		}
		if got := n.want.String(); got != want {
			t.Errorf("%s prints as %s", n.name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range names {
		f.Add(n.typ, n.name)
	}
	f.Fuzz(func(t *testing.T, typ, name string) {
		for _, parse := range []func() (Reference, error){
			func() (Reference, error) { return Parse(name, Context{Type: typ, Family: "deb", Stat: stat}) },
			func() (Reference, error) { return ParseParent(name, Context{Type: typ, Stat: stat}) },
			func() (Reference, error) { return ParseImage(name, stat) },
			func() (Reference, error) { return ParseOutput(name) },
		} {
			r, err := parse()
			if err != nil {
				if r != (Reference{}) {
					t.Errorf("%q: %v, and yet %+v", name, err, r)
				}
				continue
			}
			switch {
			case strings.ContainsAny(r.String(), "\x00\n"):
				t.Errorf("%q holds a line's end", r)
			case r.Kind == Registry && (isPath(name) || suffixOf(name) != ""):
				t.Errorf("%q would be pulled", name)
			case (r.Kind == Package || r.Kind == Local) != (r.Family != ""):
				t.Errorf("%q: %+v", name, r)
			}
		}
	})
}
