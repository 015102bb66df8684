package packages

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/scriptlet"
	"smith/internal/tree"
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
	whole, err := s.Complete(t.Context())
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
	got := s.Scripts(func(id ID) bool { return id.Name != "b" })
	want := []Ledger{{
		Package: ID{"a", "1", "all"}, Script: "postinst",
		Effects: []scriptlet.Effect{{Class: scriptlet.Emulated, Command: "ldconfig", Line: 1, Why: "smith writes ld.so.cache"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
