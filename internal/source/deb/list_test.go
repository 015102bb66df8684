package deb

import (
	"bytes"
	"errors"
	"os"
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
		"another's":        {" tini\n", " libc6\n", "does not fit libc6 "},
		"a name that was":  {"usr/bin/tini\t", "usr/bin/tini2\t", "does not fit tini "},
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
			look := func() {
				offer, err := s.Open(t.Context(), amd64)
				if err != nil {
					t.Fatal(err)
				}
				defer offer.Close()
				for _, name := range []string{"/usr/bin/tini", "/usr/bin/tini2", "/bin/aaa", "/usr/lib/x86_64-linux-gnu/libc.so.6"} {
					_, err := offer.Tree.Resolve(name)
					if known := name == "/usr/bin/tini" || strings.HasSuffix(name, ".so.6"); s.doubts.isWrong() && (err == nil) != known {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
			look()
			doubt := s.Doubt()
			if (doubt == "") != (test.doubt == "") || !strings.Contains(doubt, test.doubt) {
				t.Errorf("got %q, want …%s…", doubt, test.doubt)
			}
			if m.Requests(); doubt == "" {
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
func TestLike(t *testing.T) {
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
		"/bin/cat":                   {"", "; coreutils holds /bin/cat"},
		"libc.so.6":                  {"; libc6 holds /usr/lib/x86_64-linux-gnu/libc.so.6", "; libc6 holds /lib/x86_64-linux-gnu/libc.so.6, libc6 holds /usr/lib/x86_64-linux-gnu/libc.so.6"},
		"/usr/bin/sha256sun":         {"", "; coreutils holds /usr/bin/sha256sum"},
		"/usr/bin/no-such-program-x": {"", ""},
	} {
		for i, fetch := range []bool{false, true} {
			f := nearest.NewPathFinder(wanted)
			if err := os.RemoveAll(filepath.Join(o.Store.Dir(), "files")); err != nil {
				t.Fatal(err)
			}
			if err := offer.Like(t.Context(), []*nearest.PathFinder{f}, fetch); err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != want[i] {
				t.Errorf("%s: got %q, want %q", wanted, got, want[i])
			}
		}
	}
}
