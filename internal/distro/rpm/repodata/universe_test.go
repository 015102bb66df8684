package repodata

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// A universe is packages, one a line: "name-version-release.arch kind relation,
// relation; kind …", with the kinds of relations that metadata has, "file" for
// the files that primary metadata lists, and "listed" and "directory" for what
// only the filelists have.
type universe string

// A universePackage is a package with what the filelists say of it.
type universePackage struct {
	*Package
	listed, directories []string
}

func (u universe) packages() []universePackage {
	var all []universePackage
	for line := range strings.Lines(string(u)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		p := universePackage{Package: &Package{Location: name + ".rpm", Digest: digest.FromString(name), Size: 1000}}
		arch := strings.LastIndexByte(name, '.')
		release := strings.LastIndexByte(name[:arch], '-')
		version := strings.LastIndexByte(name[:release], '-')
		p.Name, p.EVR, p.Arch = name[:version], relation.ParseEVR(name[version+1:arch]), name[arch+1:]
		p.Provides = []relation.Relation{{Name: p.Name, Op: relation.Equal, EVR: p.EVR}}
		kinds := map[string]*[]relation.Relation{
			"provides": &p.Provides, "requires": &p.Requires, "conflicts": &p.Conflicts, "obsoletes": &p.Obsoletes,
			"recommends": &p.Recommends, "suggests": &p.Suggests, "supplements": &p.Supplements,
		}
		for part := range strings.SplitSeq(rest, ";") {
			kind, list, _ := strings.Cut(strings.TrimSpace(part), " ")
			for one := range strings.SplitSeq(list, ",") {
				one = strings.TrimSpace(one)
				switch r, ok := relation.Parse(one); {
				case kind == "":
				case kind == "file":
					p.Files = append(p.Files, one)
				case kind == "listed":
					p.listed = append(p.listed, one)
				case kind == "directory":
					p.directories = append(p.directories, one)
				case relation.IsRich(one):
					*kinds[kind] = append(*kinds[kind], relation.Relation{Name: one})
				case ok:
					*kinds[kind] = append(*kinds[kind], r)
				default:
					panic(line)
				}
			}
		}
		all = append(all, p)
	}
	return all
}

// write makes a repository of the universe in a directory; nothing but metadata.
func (u universe) write(t testing.TB, dir, modules string) {
	t.Helper()
	var b strings.Builder
	text := func(s string) string {
		var out strings.Builder
		if err := xml.EscapeText(&out, []byte(s)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	words := map[relation.Op]string{
		relation.Less: "LT", relation.Less | relation.Equal: "LE", relation.Equal: "EQ",
		relation.Greater | relation.Equal: "GE", relation.Greater: "GT",
	}
	b.WriteString(`<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm">`)
	kinds := []string{"provides", "requires", "conflicts", "obsoletes", "recommends", "suggests", "supplements"}
	for _, p := range u.packages() {
		fmt.Fprintf(&b, `<package type="rpm"><name>%s</name><arch>%s</arch><version epoch="%d" ver="%s" rel="%s"/>`, p.Name, p.Arch, p.Epoch, p.Version, p.Release)
		fmt.Fprintf(&b, `<checksum type="sha256" pkgid="YES">%s</checksum><time file="1" build="1"/><size package="%d" installed="1" archive="1"/>`, p.Digest.Encoded(), p.Size)
		fmt.Fprintf(&b, `<location href="%s"/><format><rpm:sourcerpm>%s.src.rpm</rpm:sourcerpm>`, p.Location, p.Name)
		for i, list := range p.relations()[:len(kinds)] {
			fmt.Fprintf(&b, "<rpm:%s>", kinds[i])
			for _, r := range *list {
				fmt.Fprintf(&b, `<rpm:entry name="%s"`, text(r.Name))
				if r.Op != 0 {
					fmt.Fprintf(&b, ` flags="%s" epoch="%d" ver="%s"`, words[r.Op], r.EVR.Epoch, r.EVR.Version)
				}
				if r.EVR.Release != "" {
					fmt.Fprintf(&b, ` rel="%s"`, r.EVR.Release)
				}
				b.WriteString("/>")
			}
			fmt.Fprintf(&b, "</rpm:%s>", kinds[i])
		}
		for _, f := range p.Files {
			fmt.Fprintf(&b, "<file>%s</file>", f)
		}
		b.WriteString("</format></package>")
	}
	b.WriteString("</metadata>\n")
	primary, filelists := b.String(), u.filelists()
	md := `<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary"><checksum type="sha256">` +
		digest.FromString(primary).Encoded() + `</checksum><location href="repodata/primary.xml"/></data>`
	md += `<data type="filelists"><checksum type="sha256">` + digest.FromString(filelists).Encoded() + `</checksum><location href="repodata/filelists.xml"/></data>`
	if modules != "" {
		md += `<data type="modules"><checksum type="sha256">` + digest.FromString(modules).Encoded() + `</checksum><location href="repodata/modules.yaml"/></data>`
	}
	md += "</repomd>"
	if err := os.MkdirAll(filepath.Join(dir, "repodata"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"primary.xml": primary, "repomd.xml": md, "modules.yaml": modules, "filelists.xml": filelists} {
		if err := os.WriteFile(filepath.Join(dir, "repodata", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// filelists returns the lists of all files.
func (u universe) filelists() string {
	var b strings.Builder
	b.WriteString(`<filelists xmlns="http://linux.duke.edu/metadata/filelists">`)
	for _, p := range u.packages() {
		fmt.Fprintf(&b, `<package pkgid="%s" name="%s" arch="%s"><version epoch="%d" ver="%s" rel="%s"/>`, p.Digest.Encoded(), p.Name, p.Arch, p.Epoch, p.Version, p.Release)
		for _, f := range slices.Concat(p.Files, p.listed) {
			fmt.Fprintf(&b, "<file>%s</file>", f)
		}
		for _, f := range p.directories {
			fmt.Fprintf(&b, `<file type="dir">%s</file>`, f)
		}
		b.WriteString("</package>")
	}
	b.WriteString("</filelists>\n")
	return b.String()
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// A setting is repositories and what is asked of them.
type setting struct {
	universes  []universe
	options    []string // of each repository, as judge.py takes them
	modules    []string // of each repository, its modules.yaml
	recommends bool
	requests   []string // several packages joined by " & "
}

// ask returns dnf's answers to all requests.
func (s setting) ask(t *testing.T, dirs []string) [][]string {
	t.Helper()
	if testing.Short() {
		t.Skip("asks dnf, which takes a while")
	}
	if err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import dnf").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("dnf is not installed (test/install.sh)")
	}
	work := t.TempDir()
	args := []string{"testdata/judge.py", work}
	for i, dir := range dirs {
		args = append(args, fmt.Sprintf("r%d;file://%s%s", i, dir, s.options[i]))
	}
	command := exec.CommandContext(t.Context(), "/usr/bin/python3", args...)
	command.Stdin = strings.NewReader(strings.Join(s.requests, "\n") + "\n")
	command.Env = append(os.Environ(), "HOME="+work)
	if s.recommends {
		command.Env = append(command.Env, "WEAK=1")
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answers [][]string
	for r := bufio.NewScanner(bytes.NewReader(out)); r.Scan(); {
		var answer []string
		if err := json.Unmarshal(r.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		answers = append(answers, answer)
	}
	if len(answers) != len(s.requests) {
		t.Fatalf("%d answers to %d requests: %s", len(answers), len(s.requests), stderr.String())
	}
	return answers
}

// repositories writes and opens the repositories.
func (s *setting) repositories(t *testing.T) (dirs []string, repositories []*Repository) {
	t.Helper()
	st := storetest.New(t)
	for len(s.options) < len(s.universes) {
		s.options = append(s.options, "")
	}
	for i, u := range s.universes {
		dir := t.TempDir()
		u.write(t, dir, at(s.modules, i))
		r, err := s.openOne(t, st, i, dir)
		if err != nil {
			t.Fatal(err)
		}
		dirs, repositories = append(dirs, dir), append(repositories, r)
	}
	return dirs, repositories
}

// openOne opens a repository that was written.
func (s *setting) openOne(t *testing.T, st *store.Store, i int, dir string) (*Repository, error) {
	t.Helper()
	md, index := openRepository(t, st, dir)
	lists, err := OpenFilelists(t.Context(), st, md.Data["filelists"], index, directory{dir, st})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { lists.Close() })
	r := &Repository{Name: fmt.Sprint("r", i), Index: index, Priority: 99, Cost: 1000, Lists: lists}
	if at(s.modules, i) != "" {
		if r.Modules, err = OpenModules(t.Context(), st, md.Data["modules"], directory{dir, st}); err != nil {
			return nil, err
		}
	}
	for option := range strings.SplitSeq(at(s.options, i), ";") {
		switch key, value, _ := strings.Cut(option, "="); key {
		case "priority":
			r.Priority = int(count(value))
		case "cost":
			r.Cost = int(count(value))
		case "excludepkgs":
			r.Exclude = strings.Split(value, ",")
		case "module_hotfixes":
			r.ModuleHotfixes = value == "1"
		case "includepkgs":
			r.Include = strings.Split(value, ",")
		}
	}
	return r, nil
}

// choose returns our answer, or nil.
func choose(t *testing.T, repositories []*Repository, recommends bool, request string) []string {
	t.Helper()
	options := Options{Machine: "x86_64", Recommends: recommends}
	var ones []string
	for one := range strings.SplitSeq(request, " & ") {
		if module, ok := strings.CutPrefix(one, "module "); ok {
			options.Modules = append(options.Modules, module)
		} else {
			ones = append(ones, one)
		}
	}
	c, err := New(t.Context(), repositories, options)
	if err != nil {
		t.Fatal(err)
	}
	var wanted []resolve.Clause
	for _, one := range ones {
		clauses, err := c.Want(one)
		if err != nil {
			if _, ok := errors.AsType[*UnknownError](err); !ok {
				t.Errorf("%s: %v", request, err)
			}
			return nil
		}
		wanted = append(wanted, clauses...)
	}
	s, err := resolve.Solve(t.Context(), c, wanted, resolve.Options{Minimize: true})
	if err != nil {
		if _, ok := errors.AsType[*resolve.Unsolvable](err); !ok {
			t.Errorf("%s: %v", request, err)
		}
		return nil
	}
	return checkClosed(t, c, request, s)
}

// TestPolicy compares answers, package for package, on small universes that
// each have one thing in them.
func TestPolicy(t *testing.T) {
	if testing.Short() {
		t.Skip("asks dnf many times")
	}
	tests := map[string]setting{
		"versions": {universes: []universe{`
			a-1-1.x86_64
			a-1-2.x86_64
			a-1:0-1.x86_64
			b-1-1.x86_64 requires a < 1:0
			c-1-1.x86_64 requires a = 1
			d-1-1.x86_64 requires a > 1:0
			e-1~rc1-1.x86_64
			e-1^git-1.x86_64
			e-1-1.x86_64`}, requests: []string{"a", "b", "c", "d", "e", "a = 1-1", "a-1-1", "a-1-1.x86_64", "a.x86_64", "a-0:1", "a < 1", "nothing"}},
		"globs": {universes: []universe{`
			py-a-1-1.noarch
			py-a-2-1.noarch
			py-b-1-1.noarch requires c
			c-1-1.noarch`}, requests: []string{"py-*", "py-?-1-1*", "*", "py-[b]", "x*"}},
		"provides and files": {universes: []universe{`
			a-1-1.x86_64 provides web = 2, libx.so.1()(64bit); file /usr/bin/a
			b-1-1.x86_64 provides web = 1; requires d
			d-1-1.x86_64
			e-1-1.x86_64 requires /usr/bin/a
			f-1-1.x86_64 requires libx.so.1()(64bit)
			g-1-1.x86_64 requires web < 2
			h-1-1.x86_64 requires /usr/bin/none`}, requests: []string{"web", "/usr/bin/a", "e", "f", "g", "h", "libx.so.1()(64bit)", "web >= 2"}},
		"architectures": {universes: []universe{`
			a-1-1.x86_64
			a-2-1.i686
			a-1-1.aarch64
			b-1-1.i686 requires a(x86-32)
			c-1-1.i686 provides a(x86-32)
			d-1-1.aarch64
			e-1-1.x86_64 requires a
			n-1-1.noarch requires c
			m-1-1.x86_64
			m-1-1.noarch`}, requests: []string{"a", "b", "d", "e", "n", "a.i686", "a.x86_64 & b", "m"}},
		"obsoletes": {universes: []universe{`
			old-1-1.x86_64
			new-2-1.x86_64 obsoletes old < 2
			a-1-1.x86_64 requires old
			b-1-1.x86_64 requires v
			old2-1-1.x86_64 provides v
			new2-1-1.x86_64 provides v; obsoletes old2
			gone-1-1.x86_64 obsoletes lost < 5`}, requests: []string{"old", "new", "a", "b", "old & new", "lost", "old2"}},
		"files that only the lists have": {universes: []universe{`
			a-1-1.x86_64 listed /usr/share/a/one; directory /usr/share/a
			b-1-1.x86_64 provides /usr/share/a/one; requires x
			x-1-1.x86_64
			c-1-1.x86_64 requires /usr/share/a/one
			d-1-1.x86_64 requires /usr/share/a
			e-1-1.x86_64 requires /usr/share/none
			f-1-1.x86_64 requires /usr/share/f
			g-1-1.x86_64 provides /usr/share/f`}, requests: []string{"c", "d", "e", "f", "/usr/share/a", "/usr/share/a/one"}},
		"inferior architectures": {universes: []universe{`
			a-1-1.x86_64 requires none
			a-1-1.i686
			x-1-1.x86_64 requires a
			e-1-1.i686 provides e(x86-32)
			e-2-1.x86_64
			y-1-1.x86_64 requires e(x86-32)
			z-1-1.x86_64 requires e(x86-32), e
			n-1-1.noarch
			n-1-1.i686 provides n(x86-32)
			w-1-1.x86_64 requires n(x86-32)
			m-1-1.i686 provides m(x86-32)
			m-1-1.x86_64
			v-1-1.x86_64 requires m(x86-32)`}, requests: []string{"x", "y", "z", "w", "v", "a", "a.i686", "m.i686", "e.i686 & e", "n.i686 & n.noarch"}},
		"old versions as providers": {universes: []universe{`
			foo-1-1.x86_64 provides lib
			foo-2-1.x86_64
			libs-2-1.x86_64 provides lib; requires more
			more-1-1.x86_64
			a-1-1.x86_64 requires lib
			java-8-1-1.x86_64 provides java = 8
			java-17-1-1.x86_64 provides java = 17; requires more
			b-1-1.x86_64 requires java
			c-1-1.x86_64 requires java < 17`}, requests: []string{"a", "b", "c", "java", "lib"}},
		"conflicts": {universes: []universe{`
			a-1-1.x86_64 conflicts b
			b-1-1.x86_64
			c-1-1.x86_64 requires v
			v1-1-1.x86_64 provides v; conflicts d
			v2-1-1.x86_64 provides v; requires e
			e-1-1.x86_64
			d-1-1.x86_64 requires c
			f-2-1.x86_64 conflicts c
			f-1-1.x86_64`}, requests: []string{"a & b", "c", "d", "c & f", "a"}},
		"rich": {universes: []universe{`
			a-1-1.x86_64
			b-1-1.x86_64
			c-1-1.x86_64
			d-1-1.x86_64 provides x, y
			e-1-1.x86_64 provides x
			if-1-1.x86_64 requires (a if b)
			else-1-1.x86_64 requires (a if b else c)
			and-1-1.x86_64 requires (a and b)
			or-1-1.x86_64 requires (none or b)
			with-1-1.x86_64 requires (x with y)
			without-1-1.x86_64 requires (x without y)
			unless-1-1.x86_64 requires (a unless b)
			nested-1-1.x86_64 requires ((a and b) if (c or none) else (d with x))
			not-1-1.x86_64 conflicts (a and b)
			version-1-1.x86_64 requires (a >= 2 or (b < 2 and c))
			bad-1-1.x86_64 requires (a >= 2 and b)`}, requests: []string{
			"if", "if & b", "else", "else & b", "and", "or", "with", "without", "unless", "unless & b", "nested", "nested & c",
			"not & a", "not & a & b", "version", "bad",
		}},
		"weak": {recommends: true, universes: []universe{`
			a-1-1.x86_64 recommends b, none; suggests c
			b-1-1.x86_64 recommends d
			c-1-1.x86_64
			d-1-1.x86_64 conflicts e
			e-1-1.x86_64 requires a
			s-1-1.x86_64 supplements c
			r-1-1.x86_64 supplements (c and b)`}, requests: []string{"a", "e", "c", "b & c"}},
		"not weak": {universes: []universe{`
			a-1-1.x86_64 recommends b; suggests c
			b-1-1.x86_64
			c-1-1.x86_64
			p-1-1.x86_64 requires v; suggests v2
			v1-1-1.x86_64 provides v
			v2-1-1.x86_64 provides v`}, requests: []string{"a", "p"}},
		"priority and cost": {
			universes: []universe{"a-1-1.x86_64\nb-1-1.x86_64 requires v\nv1-1-1.x86_64 provides v\nz-1-1.x86_64\nw-3-1.x86_64", "a-2-1.x86_64\nv2-1-1.x86_64 provides v\nw-1-1.x86_64"},
			options:   []string{";priority=50", ";priority=99"}, requests: []string{"a", "b", "z", "w", "a = 2", "v"},
		},
		"exclude": {
			universes: []universe{"a-1-1.x86_64\na-2-1.x86_64\nb-1-1.x86_64 requires a", "a-3-1.x86_64\nc-1-1.x86_64\nd-1-1.x86_64"},
			options:   []string{";excludepkgs=a-2*", ";includepkgs=c,x*"}, requests: []string{"a", "b", "c", "d"},
		},
		"modules": {
			universes: []universe{`
			node-9-1.x86_64
			node-1-1.m10.x86_64
			node-2-1.m20.x86_64
			node-3-1.m20.x86_64
			node-5-1.m30.x86_64 requires perl
			perl-1-1.m5.x86_64
			perl-2-1.m6.x86_64
			perl-9-1.x86_64
			npm-9-1.x86_64 requires node
			like-1-1.x86_64 provides node = 99
			a-1-1.x86_64 requires node`, "node-8-1.x86_64\nhot-1-1.x86_64"},
			options: []string{"", ";module_hotfixes=1"},
			modules: []string{moduleText("node", "10", 1, "a", "", "node-0:1-1.m10.x86_64") + moduleText("node", "20", 1, "a", "", "node-0:2-1.m20.x86_64") +
				moduleText("node", "20", 2, "a", "", "node-0:3-1.m20.x86_64") + moduleText("node", "30", 1, "a", "perl: [6]", "node-0:5-1.m30.x86_64") +
				moduleText("perl", "5", 1, "a", "", "perl-0:1-1.m5.x86_64") + moduleText("perl", "6", 1, "a", "", "perl-0:2-1.m6.x86_64") +
				"---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: node\n  stream: \"10\"\n"},
			requests: []string{"npm", "a", "perl", "module node:20 & npm", "module node:30 & npm", "module perl:5 & perl", "like", "hot"},
		},
		"modules that need modules": {
			universes: []universe{`
			ma-1-1.m1.x86_64
			mb-1-1.m1.x86_64
			mb-2-1.m2.x86_64
			mb-10-1.m10.x86_64
			mc-1-1.m1.x86_64
			md-1-1.m1.x86_64
			me-1-1.m1.x86_64
			me-2-1.m2.x86_64
			me-9-1.x86_64
			mf-1-1.m1.x86_64
			mf-9-1.x86_64`},
			modules: []string{moduleText("ma", "1", 1, "a", "mb: []", "ma-0:1-1.m1.x86_64") +
				moduleText("mb", "1", 1, "a", "", "mb-0:1-1.m1.x86_64") + moduleText("mb", "2", 1, "a", "", "mb-0:2-1.m2.x86_64") +
				moduleText("mb", "10", 1, "a", "", "mb-0:10-1.m10.x86_64") +
				moduleText("mc", "1", 1, "a", "mb: [2]", "mc-0:1-1.m1.x86_64") +
				moduleText("md", "1", 1, "a", "mb: [-1, -10]", "md-0:1-1.m1.x86_64") +
				moduleText("me", "1", 1, "a", "", "me-0:1-1.m1.x86_64") + moduleText("me", "2", 1, "a", "", "me-0:2-1.m2.x86_64") +
				moduleText("mf", "1", 1, "a", "me: [2]", "mf-0:1-1.m1.x86_64") +
				"---\ndocument: modulemd\nversion: 2\ndata:\n  name: zz\n  stream: [1, 2]\n" +
				"---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: mf\n  stream: \"1\"\n"},
			requests: []string{
				"module ma:1 & ma & mb", "module mc:1 & mc & mb", "module md:1 & md & mb", "module mb:2 & mb", "module ma:1 & module mb:2 & ma & mb",
				"mf", "me", "module me:1 & me & mf",
			},
		},
		"old builds of a stream": {
			universes: []universe{`
			node-1-1.m1.x86_64
			node-2-1.m2.x86_64
			a-1-1.x86_64 requires node < 2
			b-1-1.x86_64 requires node`},
			modules:  []string{moduleText("node", "18", 1, "a", "", "node-0:1-1.m1.x86_64") + moduleText("node", "18", 2, "a", "", "node-0:2-1.m2.x86_64")},
			requests: []string{"module node:18 & node-1", "module node:18 & a", "module node:18 & b", "b"},
		},
		"older where the newest cannot be": {universes: []universe{`
			a-2-1.x86_64 requires none
			a-1-1.x86_64
			b-1-1.x86_64 requires a
			c-2-1.x86_64 requires d = 2
			c-1-1.x86_64 requires d = 1
			d-1-1.x86_64`}, requests: []string{"b"}},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			dirs, repositories := s.repositories(t)
			for i, want := range s.ask(t, dirs) {
				got := choose(t, repositories, s.recommends, s.requests[i])
				if !slices.Equal(got, want) {
					t.Errorf("%s: %v, dnf has %v", s.requests[i], got, want)
				}
			}
		})
	}
}

// moduleText is a document of modules.yaml.
func moduleText(name, stream string, version int, moduleContext, requires, artifact string) string {
	if requires != "" {
		requires = ", " + requires
	}
	return fmt.Sprintf(`---
document: modulemd
version: 2
data:
  name: %s
  stream: "%s"
  version: %d
  context: %s
  arch: x86_64
  summary: x
  description: x
  license: {module: [MIT]}
  dependencies: [{requires: {platform: [el9]%s}}]
  artifacts: {rpms: ["%s"]}
`, name, stream, version, moduleContext, requires, artifact)
}
