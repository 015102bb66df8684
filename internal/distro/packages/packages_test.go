package packages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// A fake is a package written in a line for each path: "/usr/bin/tool data",
// "/bin/link -> target", "/usr/bin/other = /usr/bin/tool", "/folder/".
type fake struct {
	name     string
	text     string
	unlisted bool
	replaces string
	postinst string
	triggers []scriptlet.Script
	before   func(*fake) // called when it is opened
	fault    error       // in place of what it holds
	colors   map[string]uint8
	mu       sync.Mutex
	opened   int
	closed   int
}

func (f *fake) ID() record.Package {
	return record.Package{Name: f.name, Version: "1", Architecture: "all"}
}

func (f *fake) Size() int64 { return int64(len(f.text)) }

func (f *fake) Paths(context.Context) ([]string, bool, error) {
	var paths []string
	for line := range strings.Lines(f.text) {
		if name := strings.Fields(line)[0]; !strings.HasSuffix(name, "/") {
			paths = append(paths, name)
		}
	}
	return paths, !f.unlisted, nil
}

func (f *fake) Open(context.Context) (*Contents, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		f.before(f)
	}
	f.opened++
	if f.fault != nil {
		return nil, f.fault
	}
	c := &Contents{Colors: f.colors, Close: func() error { f.closed++; return nil }}
	if f.postinst != "" {
		c.Scripts = []scriptlet.Script{{Name: "postinst", Text: f.postinst, Args: []string{"configure", ""}}}
	}
	c.Scripts = append(c.Scripts, f.triggers...)
	for line := range strings.Lines(f.text) {
		words := strings.Fields(line)
		e := tree.Entry{Path: "." + words[0]}
		switch {
		case strings.HasSuffix(words[0], "/"):
			e.Node = &tree.Node{Kind: tree.Dir, Mode: 0o700}
		case len(words) == 3 && words[1] == "->":
			e.Node = &tree.Node{Kind: tree.Symlink, Link: words[2], Mode: 0o777}
		case len(words) == 3 && words[1] == "=":
			e.Hardlink = "." + words[2]
		default:
			e.Node = tree.NewFile([]byte(words[1]), 0o644)
		}
		if e.Node != nil {
			e.Node.Origin = &record.Origin{Kind: "package", Name: f.name}
		}
		c.Entries = append(c.Entries, e)
	}
	return c, nil
}

// rules are dpkg's, as the fakes have it; packages whose names begin alike,
// up to a colon, share files.
func rules() Rules {
	name := func(p Package) string { base, _, _ := strings.Cut(p.ID().Name, ":"); return base }
	return Rules{
		Replaces: func(upper, lower Package) bool {
			return slices.Contains(strings.Fields(upper.(*fake).replaces), lower.ID().Name)
		},
		Shares: func(a, b Package) bool { return name(a) == name(b) },
	}
}

func newSet(t *testing.T, fakes ...*fake) (*Set, error) {
	t.Helper()
	var set []Package
	for _, f := range fakes {
		set = append(set, f)
	}
	return New(t.Context(), set, rules())
}

// list shows a tree, a line for each path that is no folder.
func list(t *testing.T, from *tree.Tree) string {
	t.Helper()
	var b strings.Builder
	err := from.Walk(func(n *tree.Node) error {
		origin := ""
		if n.Origin != nil {
			origin = " <- " + n.Origin.Label()
		}
		switch n.Kind {
		case tree.Dir:
		case tree.Symlink:
			fmt.Fprintf(&b, "%s -> %s%s\n", n.Path(), n.Link, origin)
		default:
			data, err := n.ReadAll(100)
			fmt.Fprintf(&b, "%s %s%s\n", n.Path(), data, origin)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTree(t *testing.T) {
	for name, c := range map[string]struct {
		set  []*fake
		want string
	}{
		"merged /usr, whichever way a package was built": {
			[]*fake{
				{name: "old", text: "/bin/ls 1\n/lib/x/libc.so.6 2\n/lib64/ld.so -> /lib/x/ld.so\n"},
				{name: "new", text: "/usr/bin/cat 3\n/usr/lib/x/libz.so.1 4\n"},
			},
			"/bin -> usr/bin <- merged /usr\n/lib -> usr/lib <- merged /usr\n/lib64 -> usr/lib64 <- merged /usr\n" +
				"/usr/bin/cat 3 <- new\n/usr/bin/ls 1 <- old\n/usr/lib/x/libc.so.6 2 <- old\n/usr/lib/x/libz.so.1 4 <- new\n/usr/lib64/ld.so -> /lib/x/ld.so <- old\n",
		},
		"the links are the same whoever has them": {
			[]*fake{
				{name: "base", text: "/bin -> usr/bin\n/sbin/\n/lib -> usr/lib\n"},
				{name: "tool", text: "/bin/tool 1\n"},
			},
			"/bin -> usr/bin <- merged /usr\n/lib -> usr/lib <- base\n/usr/bin/tool 1 <- tool\n",
		},
		"one path through the link and beside it": {
			[]*fake{{name: "a", text: "/lib/x 1\n", replaces: "b"}, {name: "b", text: "/usr/lib/x 2\n"}},
			"/lib -> usr/lib <- merged /usr\n/usr/lib/x 1 <- a\n",
		},
		"folders through a package's link": {
			[]*fake{
				{name: "a", text: "/usr/share/a/own 1\n/usr/share/b -> a\n"},
				{name: "b", text: "/usr/share/b/other 2\n/usr/share/b/deep/er 3\n"},
			},
			"/usr/share/a/deep/er 3 <- b\n/usr/share/a/other 2 <- b\n/usr/share/a/own 1 <- a\n/usr/share/b -> a <- a\n",
		},
		"folders through a link that goes over another": {
			[]*fake{
				{name: "a", text: "/opt/one -> /bin/x\n/bin/x -> ../../srv\n"},
				{name: "b", text: "/opt/one/file 1\n/usr/bin/x/two 2\n"},
			},
			"/bin -> usr/bin <- merged /usr\n/opt/one -> /bin/x <- a\n/srv/file 1 <- b\n/srv/two 2 <- b\n/usr/bin/x -> ../../srv <- a\n",
		},
		"the one that replaces all wins": {
			[]*fake{{name: "a", text: "/f 1\n"}, {name: "b", text: "/f 2\n"}, {name: "c", text: "/f 3\n", replaces: "a b"}},
			"/f 3 <- c\n",
		},
		"files are shared": {
			[]*fake{{name: "l:1", text: "/f 1\n/g -> f\n"}, {name: "l:2", text: "/f 1\n/g -> f\n"}, {name: "m", text: "/f 2\n", replaces: "l:1 l:2"}},
			"/f 2 <- m\n/g -> f <- l:1\n",
		},
		"hard links": {
			[]*fake{{name: "a", text: "/bin/one 1\n/usr/bin/two = /bin/one\n"}},
			"/bin -> usr/bin <- merged /usr\n/usr/bin/one 1 <- a\n/usr/bin/two 1 <- a\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, unlisted := range []bool{false, true} {
				for _, f := range c.set {
					f.unlisted = unlisted
				}
				s, err := newSet(t, c.set...)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if d := cmp.Diff(c.want, list(t, s.Tree())); d != "" {
					t.Errorf("unlisted %v (-want +got):\n%s", unlisted, d)
				}
			}
		})
	}
}

func TestConflicts(t *testing.T) {
	for name, c := range map[string]struct {
		set  []*fake
		want string
	}{
		"two packages": {
			[]*fake{{name: "a", text: "/bin/f 1\n"}, {name: "b", text: "/usr/bin/f 1\n"}},
			"packages a 1 all and b 1 all both hold /usr/bin/f, and neither replaces the other",
		},
		"shared, but not the same": {
			[]*fake{{name: "l:1", text: "/f 1\n"}, {name: "l:2", text: "/f 2\n"}},
			"packages l:1 1 all and l:2 1 all both hold /f",
		},
		"a file and a folder": {
			[]*fake{{name: "a", text: "/f 1\n"}, {name: "b", text: "/f/g 2\n"}},
			"packages a 1 all and b 1 all do not go together: /f is a file in one and a folder in the other",
		},
		"links in a ring": {
			[]*fake{{name: "a", text: "/one -> two\n/two -> one\n"}, {name: "b", text: "/one/f 2\n/two/g 1\n"}},
			"too many symbolic links",
		},
		"a link into itself": {
			[]*fake{{name: "a", text: "/one -> one/two\n"}, {name: "b", text: "/one/f 2\n"}},
			"too many symbolic links",
		},
		"a hard link to nothing": {
			[]*fake{{name: "a", text: "/one = /two\n", unlisted: true}},
			"cannot lay out a 1 all: ./one: hard link to ./two, which the package does not hold",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newSet(t, c.set...)
			if err == nil {
				defer s.Close()
				err = s.Tree().Walk(func(*tree.Node) error { return nil })
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

// Only what a lookup asks for is opened; names ask for nothing.
func TestOpened(t *testing.T) {
	for name, c := range map[string]struct {
		look func(t *testing.T, from *tree.Tree)
		want string
	}{
		"nothing": {func(*testing.T, *tree.Tree) {}, "unlisted"},
		"one file": {func(t *testing.T, from *tree.Tree) {
			if _, err := from.Resolve("/bin/tool"); err != nil {
				t.Error(err)
			}
		}, "unlisted tool"},
		"through a link to another package": {func(t *testing.T, from *tree.Tree) {
			if _, err := from.Resolve("/lib/libx.so"); err != nil {
				t.Error(err)
			}
		}, "unlisted lib dev"},
		"what is absent": {func(t *testing.T, from *tree.Tree) {
			if from.Exists("/usr/lib/none") || from.Exists("/usr/none/x") {
				t.Error("it is there")
			}
		}, "unlisted"},
		"a glob": {func(t *testing.T, from *tree.Tree) {
			paths, err := from.Clone().Glob("/{bin,usr/**}/*.so*")
			if want := []string{"/usr/lib/libx.so", "/usr/lib/libx.so.1"}; err != nil || !slices.Equal(paths, want) {
				t.Errorf("%v, %v", paths, err)
			}
		}, "unlisted"},
		"a folder": {func(t *testing.T, from *tree.Tree) { list(t, from) }, "unlisted tool lib dev winner"},
	} {
		t.Run(name, func(t *testing.T) {
			set := []*fake{
				{name: "unlisted", text: "/opt/u 1\n", unlisted: true},
				{name: "tool", text: "/bin/tool 1\n"},
				{name: "lib", text: "/usr/lib/libx.so.1 1\n"},
				{name: "dev", text: "/lib/libx.so -> libx.so.1\n"},
				{name: "loser", text: "/etc/f 1\n"},
				{name: "winner", text: "/etc/f 2\n", replaces: "loser"},
			}
			s, err := newSet(t, set...)
			if err != nil {
				t.Fatal(err)
			}
			c.look(t, s.Tree())
			var opened []string
			for _, p := range s.Opened() {
				opened = append(opened, p.ID().Name)
			}
			if got := strings.Join(opened, " "); got != c.want {
				t.Errorf("opened %s, want %s", got, c.want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for _, f := range set {
				if f.opened > 1 || f.opened != f.closed {
					t.Errorf("%s: opened %d times, closed %d times", f.name, f.opened, f.closed)
				}
			}
		})
	}
}

// A list that tells of what is not there, as one of another version would, does
// not make it appear.
func TestWrongList(t *testing.T) {
	lying := &liar{fake{name: "liar", text: "/usr/bin/real 1\n", replaces: "honest"}, []string{"/usr/bin/real", "/usr/bin/gone", "/f"}}
	s, err := New(t.Context(), []Package{lying, &fake{name: "honest", text: "/f 2\n"}}, Rules{
		Replaces: func(upper, _ Package) bool { return upper.ID().Name == "liar" },
		Shares:   func(Package, Package) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := "/bin -> usr/bin <- merged /usr\n/f 2 <- honest\n/usr/bin/real 1 <- liar\n"
	if d := cmp.Diff(want, list(t, s.Tree())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

type liar struct {
	fake
	paths []string
}

func (l *liar) Paths(context.Context) ([]string, bool, error) { return l.paths, true, nil }

func TestOpenFails(t *testing.T) {
	broken := errors.New("broken wire")
	s, err := New(t.Context(), []Package{&failing{fake{name: "p", text: "/f 1\n"}, broken}}, rules())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Tree().Resolve("/f"); !errors.Is(err, broken) || !strings.Contains(err.Error(), "cannot open p 1 all") {
		t.Errorf("got %v", err)
	}
}

type failing struct {
	fake
	err error
}

func (f *failing) Open(context.Context) (*Contents, error) { return nil, f.err }

// The largest packages are opened first, several at once.
func TestLargestFirst(t *testing.T) {
	var fakes []*fake
	begun := make(chan int, 100)
	var together sync.WaitGroup
	together.Add(maxOpening)
	for i := range 3 * maxOpening {
		text := strings.Repeat(fmt.Sprintf("/file%d data\n", i), 1+i%7*maxOpening+i)
		fakes = append(fakes, &fake{name: fmt.Sprint(i), text: text, unlisted: true, before: func(f *fake) {
			begun <- len(f.text)
			if len(begun) <= maxOpening {
				together.Done()
				together.Wait()
			}
		}})
	}
	sizes := make([]int, 0, len(fakes))
	for _, f := range fakes {
		sizes = append(sizes, len(f.text))
	}
	slices.Sort(sizes)
	s, err := newSet(t, fakes...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	smallest := sizes[len(sizes)-maxOpening]
	for range maxOpening {
		if size := <-begun; size < smallest {
			t.Errorf("a package of %d bytes is opened before one of %d", size, smallest)
		}
	}
}

// Of programs of two colors at one path the preferred one stands, whatever
// their packages are; where neither is preferred or one has none, the packages
// decide.
func TestColors(t *testing.T) {
	set := []Package{
		&fake{name: "one", text: "/a 1\n/b 1\n/c 1\n/l 1\n/m = /l\n", replaces: "two", colors: map[string]uint8{"./a": 1, "./b": 2, "./c": 1, "./m": 1}},
		&fake{name: "two", text: "/a 2\n/b 2\n/c 2\n/m 2\n", colors: map[string]uint8{"./a": 2, "./b": 1, "./m": 2}},
	}
	for prefers, want := range map[uint8]string{
		2: "/a 2 <- two\n/b 1 <- one\n/c 1 <- one\n/l 1 <- one\n/m 2 <- two\n",
		1: "/a 1 <- one\n/b 2 <- two\n/c 1 <- one\n/l 1 <- one\n/m 1 <- one\n",
		4: "/a 1 <- one\n/b 1 <- one\n/c 1 <- one\n/l 1 <- one\n/m 1 <- one\n",
		0: "/a 1 <- one\n/b 1 <- one\n/c 1 <- one\n/l 1 <- one\n/m 1 <- one\n",
	} {
		r := rules()
		r.Prefers = prefers
		s, err := New(t.Context(), set, r)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if d := cmp.Diff(want, list(t, s.Tree())); d != "" {
			t.Errorf("prefers %d (-want +got):\n%s", prefers, d)
		}
	}
}

// Ahead opens who holds a library of the name, and nobody else, and only once.
func TestAhead(t *testing.T) {
	lib := &fake{name: "lib", text: "/usr/lib/x86_64-linux-gnu/libx.so.1 data\n"}
	old := &fake{name: "old", text: "/lib/libx.so.1 data\n/usr/lib/liby.so.1 data\n"}
	doc := &fake{name: "doc", text: "/usr/share/doc/libx.so.1 data\n"}
	other := &fake{name: "other", text: "/usr/lib/x86_64-linux-gnu/libz.so.1 data\n"}
	known := &fake{name: "known", text: "/usr/lib/known/libx.so.1 data\n", unlisted: true}
	s, err := newSet(t, lib, old, doc, other, known)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.Ahead([]string{"libx.so.1", "/opt/lib/libx.so.1", "libnone.so.1"})
		s.Ahead([]string{"liby.so.1"})
	}
	s.Settle()
	for f, want := range map[*fake]int{lib: 1, old: 1, doc: 0, other: 0, known: 1} {
		if f.opened != want {
			t.Errorf("%s was opened %d times, want %d", f.name, f.opened, want)
		}
	}
	if got := list(t, s.Tree()); !strings.Contains(got, "/usr/lib/liby.so.1 data <- old") || lib.opened != 1 || other.opened != 1 {
		t.Error(got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s.Ahead([]string{"libz.so.1"}) // too late, and harmless
	s.Settle()
}

// What Ahead fails at is told to whoever looks.
func TestAheadFails(t *testing.T) {
	broken := errors.New("broken")
	lib := &fake{name: "lib", text: "/usr/lib/libx.so.1 data\n", fault: broken}
	s, err := newSet(t, lib, &fake{name: "a", text: "/usr/bin/a data\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Ahead([]string{"libx.so.1"})
	s.Settle()
	if _, err := s.Tree().Lookup("/usr/bin/a"); err != nil {
		t.Error(err)
	}
	if _, err := s.Tree().Lookup("/usr/lib/libx.so.1"); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
