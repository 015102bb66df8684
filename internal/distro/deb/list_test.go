package deb

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"smith/internal/nearest"
	"smith/test/debmirror"
	"smith/test/fixture"
)

// Of a set, only the packages are fetched of which something is looked up,
// where the archive's lists tell what they hold; without lists all are.
func TestOnlyWhatIsNeeded(t *testing.T) {
	debs, err := fixture.Packages(t.Context(), os.Stderr, "coreutils")
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := debmirror.NewKey(t, time.Now().Add(-48*time.Hour))
	for _, contents := range []bool{true, false} {
		m := debmirror.New(t, debs...)
		m.Publish(t, debmirror.Release{Key: key, Contents: contents})
		o := options(t, m, debmirror.Armoured(t, key))
		o.Requests[0].Text = "coreutils"
		offer, err := New(o).Open(t.Context(), amd64)
		if err != nil {
			t.Fatal(err)
		}
		defer offer.Close()
		for _, name := range []string{"/bin/cat", "/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/libc.so.6"} {
			if _, err := offer.Tree.Resolve(name); err != nil {
				t.Error(err)
			}
		}
		fetched := slices.DeleteFunc(m.Requests(), func(r string) bool { return !strings.HasSuffix(r, ".deb") })
		slices.Sort(fetched)
		if contents && (len(fetched) != 2 || !strings.Contains(fetched[0], "coreutils_") || !strings.Contains(fetched[1], "libc6_")) {
			t.Errorf("fetched %v", fetched)
		}
		if !contents && len(fetched) != len(debs) {
			t.Errorf("fetched %d of %d packages", len(fetched), len(debs))
		}
	}
}

// ubuntu packs a package as Ubuntu does: with zstd, for a merged /usr.
func ubuntu(t *testing.T, deb string) string {
	t.Helper()
	packed := filepath.Join(t.TempDir(), filepath.Base(deb))
	const pack = `set -e
dpkg-deb -R "$1" x
for name in bin sbin lib lib64; do
	test ! -d "x/$name" || { mkdir -p "x/usr/$name"; cp -a "x/$name/." "x/usr/$name/"; rm -r "x/$name"; }
done
dpkg-deb -b --root-owner-group -Zzstd x "$2"`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", pack, "sh", deb, packed)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "unknown compression type") {
			t.Skip("this machine's dpkg-deb knows no zstd")
		}
		t.Fatalf("%v\n%s", err, out)
	}
	return packed
}

// An archive as Ubuntu's: one list of contents for the suite, packages packed
// with zstd for a merged /usr.
func TestUbuntu(t *testing.T) {
	debs, err := fixture.Packages(t.Context(), os.Stderr, "tini")
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, deb := range debs {
		debs[i] = ubuntu(t, deb)
	}
	key := debmirror.NewKey(t, time.Now())
	m := debmirror.New(t, debs...)
	m.Publish(t, debmirror.Release{
		Key: key, Suite: "noble", Form: ".gz", Contents: true, ForSuite: true,
		Edit: func(list []byte) []byte {
			return bytes.ReplaceAll(list, []byte(" tini\n"), []byte(" universe/admin/tini\n"))
		},
	})
	if _, err := os.Stat(filepath.Join(m.Dir, "dists/noble/Contents-amd64.gz")); err != nil {
		t.Fatal(err)
	}
	o := options(t, m, debmirror.Armoured(t, key))
	o.Requests[0].Text, o.Repositories[0].Suites = "tini/noble", []string{"noble"}
	s := New(o)
	offer, err := s.Open(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	defer offer.Close()
	for name, want := range map[string]string{
		"/usr/bin/tini": "/usr/bin/tini", "/lib/x86_64-linux-gnu/libc.so.6": "/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/lib64": "/usr/lib64", "/bin": "/usr/bin",
	} {
		if at, err := offer.Tree.Resolve(name); err != nil || at.Path() != want {
			t.Errorf("%s is %s, %v; want %s", name, at.Path(), err, want)
		}
	}
	if doubt := s.Doubt(); doubt != "" {
		t.Error(doubt)
	}
	fetched := slices.DeleteFunc(m.Requests(), func(r string) bool { return !strings.HasSuffix(r, ".deb") })
	slices.Sort(fetched)
	if len(fetched) != 2 || !strings.Contains(fetched[0], "/libc6_") || !strings.Contains(fetched[1], "/tini_") {
		t.Errorf("fetched %v", fetched)
	}
}

// A list that is of other packages than those on offer is seen through, and
// then all packages are opened: nothing is found where the list alone has it,
// and what the list lacks is found.
func TestStaleList(t *testing.T) {
	debs, err := fixture.Packages(t.Context(), os.Stderr, "tini")
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := debmirror.NewKey(t, time.Now().Add(-48*time.Hour))
	for name, test := range map[string]struct{ old, new, doubt string }{
		"good":             {},
		"another's":        {" tini\n", " libc6\n", "does not match libc6 "},
		"a name that was":  {"usr/bin/tini\t", "usr/bin/tini2\t", "does not match tini "},
		"a name too few":   {"usr/bin/tini\t", "etc/tini\tnobody\n", "the package holds /usr/bin/tini, which is not listed"},
		"a name too many":  {"usr/bin/tini\t", "bin/aaa\ttini\nusr/bin/tini\t", "it does not hold /bin/aaa"},
		"unopened package": {"usr/share/doc/gcc-12-base", "usr/share/doc/gcc", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := debmirror.New(t, debs...)
			m.Publish(t, debmirror.Release{Key: key, Contents: true, Edit: func(list []byte) []byte {
				return bytes.ReplaceAll(list, []byte(test.old), []byte(test.new))
			}})
			o := options(t, m, debmirror.Armoured(t, key))
			o.Requests[0].Text = "tini"
			s := New(o)
			wrong := false
			look := func() {
				offer, err := s.Open(t.Context(), amd64)
				if err != nil {
					t.Fatal(err)
				}
				defer offer.Close()
				for _, name := range []string{"/usr/bin/tini", "/usr/bin/tini2", "/bin/aaa", "/usr/lib/x86_64-linux-gnu/libc.so.6"} {
					_, err := offer.Tree.Resolve(name)
					if known := name == "/usr/bin/tini" || strings.HasSuffix(name, ".so.6"); wrong && (err == nil) != known {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
			look()
			doubt := s.Doubt()
			if (doubt == "") != (test.doubt == "") || !strings.Contains(doubt, test.doubt) {
				t.Errorf("got %q, want …%s…", doubt, test.doubt)
			}
			if m.Requests(); doubt != "" {
				wrong = true
			} else {
				return
			}
			look()
			if doubt := s.Doubt(); doubt != "" {
				t.Errorf("told again: %s", doubt)
			}
			for _, path := range m.Requests() {
				if strings.Contains(path, "Contents") {
					t.Errorf("asked for %s", path)
				}
			}
		})
	}
}

// Who holds a path that the set does not have is told from the archive's lists.
func TestSearch(t *testing.T) {
	debs, err := fixture.Packages(t.Context(), os.Stderr, "coreutils")
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := debmirror.NewKey(t, time.Now().Add(-48*time.Hour))
	m := debmirror.New(t, debs...)
	m.Publish(t, debmirror.Release{Key: key, Contents: true})
	o := options(t, m, debmirror.Armoured(t, key))
	o.Requests[0].Text = "libc6"
	offer, err := New(o).Open(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	defer offer.Close()
	for wanted, want := range map[string][2]string{ // without fetching lists, and with
		"/bin/cat":                   {"", "coreutils holds /bin/cat"},
		"libc.so.6":                  {"libc6 holds /usr/lib/x86_64-linux-gnu/libc.so.6", "libc6 holds /lib/x86_64-linux-gnu/libc.so.6, libc6 holds /usr/lib/x86_64-linux-gnu/libc.so.6"},
		"/usr/bin/sha256sun":         {"", "coreutils holds /usr/bin/sha256sum"},
		"/usr/bin/no-such-program-x": {"", ""},
	} {
		for i, fetch := range []bool{false, true} {
			f := nearest.NewPathFinder(wanted)
			if err := os.RemoveAll(filepath.Join(o.Store.Dir(), "files")); err != nil {
				t.Fatal(err)
			}
			if err := offer.Packages.Search(t.Context(), []*nearest.PathFinder{f}, fetch); err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != want[i] {
				t.Errorf("%s: got %q, want %q", wanted, got, want[i])
			}
		}
	}
}
