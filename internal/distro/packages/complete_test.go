package packages

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// complete shows the tree of a set with all that only the packages tell.
func complete(t *testing.T, fakes ...*fake) (string, *tree.Tree) {
	t.Helper()
	s, err := newSet(t, fakes...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	before := list(t, s.Tree())
	whole, err := s.Deepen(t.Context(), Complete)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(before) {
		if !strings.Contains(list(t, whole), line) {
			t.Errorf("Complete takes away %s", line)
		}
	}
	return list(t, whole), whole
}

func TestComplete(t *testing.T) {
	for name, c := range map[string]struct {
		set  []*fake
		want string
	}{
		"the alternative with the highest priority": {
			[]*fake{
				{name: "a", text: "/opt/a 1\n", postinst: "update-alternatives --install /opt/x x /opt/a 5"},
				{name: "b", text: "/opt/b 2\n/opt/b.man 3\n", postinst: "update-alternatives --install /opt/x x /opt/b 10 --slave /opt/x.man x.man /opt/b.man --slave /opt/y y /opt/none"},
				{name: "c", text: "/opt/c 4\n", postinst: "update-alternatives --install /opt/x x /opt/c 10; update-alternatives --install /opt/x x /opt/none 99"},
			},
			`/etc/alternatives/x -> /opt/b <- postinst of b 1 all
/etc/alternatives/x.man -> /opt/b.man <- postinst of b 1 all
/opt/a 1 <- a
/opt/b 2 <- b
/opt/b.man 3 <- b
/opt/c 4 <- c
/opt/x -> /etc/alternatives/x <- postinst of b 1 all
/opt/x.man -> /etc/alternatives/x.man <- postinst of b 1 all
`,
		},
		"no file is replaced, and nothing goes behind one": {
			[]*fake{{name: "a", text: "/opt/a 1\n/opt/x 2\n", postinst: "ln -sf a /opt/x; ln -s a /opt/a/y; ln -s a /opt/z; ln -s b /opt/z; ln -s a /opt; ln -s a /"}},
			"/opt/a 1 <- a\n/opt/x 2 <- a\n/opt/z -> a <- postinst of a 1 all\n",
		},
		"links of a merged /usr": {
			[]*fake{{name: "a", text: "/bin/a 1\n", postinst: "update-alternatives --install /bin/x x /bin/a 1"}},
			"/bin -> usr/bin <- merged /usr\n/etc/alternatives/x -> /bin/a <- postinst of a 1 all\n/usr/bin/a 1 <- a\n/usr/bin/x -> /etc/alternatives/x <- postinst of a 1 all\n",
		},
		"a certificate that is none": {
			[]*fake{{name: "a", text: "/usr/share/ca-certificates/m/a.crt 1\n", postinst: "update-ca-certificates"}},
			`/etc/ssl/certs/a.pem -> /usr/share/ca-certificates/m/a.crt <- postinst of a 1 all
/etc/ssl/certs/ca-certificates.crt 1
 <- postinst of a 1 all
/usr/share/ca-certificates/m/a.crt 1 <- a
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := complete(t, c.set...)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Folders that packages bring empty are there, through links too, and none in
// the place of a file.
func TestEmptyFolders(t *testing.T) {
	_, whole := complete(t,
		&fake{name: "a", text: "/var/lib/a/\n/bin/dir/\n/opt/one -> two\n/opt/two/f 1\n"},
		&fake{name: "b", text: "/opt/one/g 1\n/opt/one/empty/\n", postinst: "ldconfig"})
	for _, name := range []string{"/var/lib/a", "/usr/bin/dir", "/opt/two/empty"} {
		if at, err := whole.Lookup(name); err != nil || at.Node.Kind != tree.Dir {
			t.Errorf("%s: %v, %v", name, at.Node, err)
		}
	}
}

func TestScripts(t *testing.T) {
	s, err := newSet(t,
		&fake{name: "a", text: "/f 1\n", postinst: "if [ -e /f ]; then ldconfig; fi", unlisted: true},
		&fake{name: "b", text: "/g 1\n", postinst: "mandb", unlisted: true},
		&fake{name: "c", text: "/h 1\n", postinst: "mandb"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := s.Scripts(func(id record.Package) bool { return id.Name != "b" }, s.Tree())
	want := []Ledger{{
		Package: record.Package{Name: "a", Version: "1", Architecture: "all"}, Script: "postinst",
		Effects: []scriptlet.Effect{{Class: scriptlet.Emulated, Command: "ldconfig", Line: 1, Why: "smith writes ld.so.cache"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A trigger's script counts where a package or a file sets it off that is there.
func TestTriggers(t *testing.T) {
	script := func(name, text string, trigger *scriptlet.Trigger) scriptlet.Script {
		return scriptlet.Script{Name: name, Text: text, Trigger: trigger}
	}
	s, err := newSet(t,
		&fake{name: "glib", text: "/usr/lib/libglib.so 1\n", unlisted: true, triggers: []scriptlet.Script{
			script("schemas", "glib-compile-schemas /usr/share/glib-2.0/schemas", &scriptlet.Trigger{Prefixes: []string{"/usr/share/none", "/usr/share/glib-2.0/schemas"}}),
			script("loaders", "gdk-pixbuf-query-loaders --update-cache", &scriptlet.Trigger{Prefixes: []string{"/usr/lib/load"}}),
			script("empty", "mandb", &scriptlet.Trigger{Prefixes: []string{"/usr/share/empty", "/usr/share/schemas"}}),
			script("app", "ldconfig", &scriptlet.Trigger{Package: func(name, version string) bool { return name == "app" && version == "1" }}),
			script("other", "ldconfig", &scriptlet.Trigger{Package: func(name, _ string) bool { return name == "other" }}),
		}},
		&fake{name: "app", text: "/usr/share/glib-2.0/schemas/app.xml 1\n/usr/lib/loaders.so 1\n/usr/share/empty/\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	show := func(wanted func(record.Package) bool, files *tree.Tree) string {
		var b strings.Builder
		for _, l := range s.Scripts(wanted, files) {
			for _, f := range l.Effects {
				b.WriteString(l.Script + ": " + f.Command + " " + f.Path + "\n")
			}
		}
		return b.String()
	}
	want := `schemas: glib-compile-schemas /usr/share/glib-2.0/schemas /usr/share/glib-2.0/schemas/gschemas.compiled
loaders: gdk-pixbuf-query-loaders --update-cache /usr/lib/load
app: ldconfig ` + "\n"
	if d := cmp.Diff(want, show(func(record.Package) bool { return true }, s.Tree())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := show(func(id record.Package) bool { return id.Name == "glib" }, tree.New()); got != "" {
		t.Errorf("of an image that has nothing to set them off: %s", got)
	}
}

// update-alternatives is the judge of which links there are.
func TestAsUpdateAlternatives(t *testing.T) {
	update, err := exec.LookPath("update-alternatives")
	if err != nil {
		t.Skip("update-alternatives is not installed")
	}
	fakes := []*fake{
		{name: "a", text: "/opt/a 1\n/opt/a.man 1\n"},
		{name: "b", text: "/opt/b 2\n/opt/b.man 3\n"},
		{name: "c", text: "/opt/c 4\n/opt/taken 5\n"},
		{name: "d", text: "/opt/d 6\n"},
	}
	commands := []string{
		"--install /opt/x x /opt/a 5 --slave /opt/x.man x.man /opt/a.man",
		"--install /opt/x x /opt/b 10 --slave /opt/x.man x.man /opt/b.man --slave /opt/y y /opt/none",
		"--install /opt/x x /opt/c 10",
		"--install /opt/z z /opt/d -3",
	}
	root := t.TempDir()
	for _, dir := range []string{"opt", "admin", "etc/alternatives"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range fakes {
		for line := range strings.Lines(f.text) {
			if err := os.WriteFile(root+strings.Fields(line)[0], nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, c := range commands {
		fakes[i].postinst = "update-alternatives " + c
		args := []string{"--quiet", "--log", "/dev/null", "--admindir", root + "/admin", "--altdir", root + "/etc/alternatives"}
		if out, err := exec.Command(update, append(args, strings.Fields(strings.ReplaceAll(c, "/opt", root+"/opt"))...)...).CombinedOutput(); err != nil {
			t.Fatalf("update-alternatives %s: %v: %s", c, err, out)
		}
	}
	want := map[string]string{}
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if target, err := os.Readlink(path); err == nil {
			want[strings.TrimPrefix(path, root)] = strings.TrimPrefix(target, root)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	_, whole := complete(t, fakes...)
	err = whole.Walk(func(n *tree.Node) error {
		if n.Kind == tree.Symlink {
			got[n.Path()] = n.Link
		}
		return nil
	})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-update-alternatives +smith):\n%s", err, d)
	}
}
