package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/closure"
	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/lock"
	"smith/internal/oci/image"
	"smith/internal/reference"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// fixed is a source that offers one tree.
type fixed struct{ offer source.Offer }

func (f *fixed) Open(_ context.Context, platform ocispec.Platform) (*source.Offer, error) {
	offer := f.offer
	if offer.Platform.Architecture == "" {
		offer.Platform = platform
	}
	return &offer, nil
}

// onePackage is a package that was asked for, and holds some paths.
type onePackage struct {
	source.Packages
	paths []string
	more  *source.Offer
}

func (p *onePackage) List(context.Context) ([]source.Package, error) {
	return []source.Package{{Package: record.Package{Name: "web"}, Asked: true}}, nil
}

func (p *onePackage) Files(context.Context, source.Package) ([]string, error) { return p.paths, nil }

func (p *onePackage) More(context.Context) (*source.Offer, error) { return p.more, nil }

func (p *onePackage) Ahead([]string) {}

// filesOf makes a tree of files, each with its path as content; a path with
// "@" is executable, one with "/" at its end a directory.
func filesOf(t *testing.T, paths ...string) *tree.Tree {
	t.Helper()
	files := tree.New()
	for _, p := range paths {
		n := tree.NewFile([]byte(p), 0o644)
		switch {
		case strings.HasPrefix(p, "@"):
			p = p[1:]
			n = tree.NewFile([]byte("#!"+p), 0o755)
		case strings.HasSuffix(p, "/"):
			n = &tree.Node{Kind: tree.Dir, Mode: 0o700}
		}
		if err := files.Insert(p, n); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func requestFor(t *testing.T, spec string) Request {
	t.Helper()
	s, err := smithfile.Decode("smith.yaml", []byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	return Request{Spec: s, SpecName: "smith.yaml"}
}

func pathsOf(t *testing.T, files *tree.Tree) []string {
	t.Helper()
	var all []string
	err := files.Walk(func(n *tree.Node) error {
		if n.Kind != tree.Dir {
			all = append(all, n.Path())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// The platform is the request's, else that of the package, else the parent's,
// else this machine's.
func TestOpen(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	b := &Builder{Events: event.Silent{}}
	for name, c := range map[string]struct {
		pkg, parent *fixed
		asked, want ocispec.Platform
	}{
		"of the request": {&fixed{}, nil, amd64, amd64},
		"of the package": {&fixed{source.Offer{Platform: arm}}, nil, ocispec.Platform{}, arm},
		"of the parent":  {nil, &fixed{source.Offer{Platform: arm}}, ocispec.Platform{}, arm},
		"this machine's": {nil, nil, ocispec.Platform{}, thisMachine()},
	} {
		from := &sources{}
		if c.pkg != nil {
			from.pkg = c.pkg
		}
		if c.parent != nil {
			from.parent = c.parent
		}
		var open closers
		got, err := b.open(t.Context(), &open, requestFor(t, "{}"), from, c.asked)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got.platform); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if got.pkg == nil || got.parent == nil {
			t.Errorf("%s: an offer is nil", name)
		}
	}
}

// How an image is started follows from the spec, then from what is below.
func TestLaunch(t *testing.T) {
	own := func(paths ...string) source.Offer {
		var all []string
		for _, p := range paths {
			all = append(all, strings.TrimPrefix(p, "@"))
		}
		return source.Offer{Tree: filesOf(t, paths...), Packages: &onePackage{paths: all}}
	}
	for name, c := range map[string]struct {
		spec     string
		pkg      source.Offer
		program  []string
		roots    int
		warnings int
	}{
		"spec":                   {"entrypoint: [/a]\ncmd: [b]", source.Offer{}, []string{"/a"}, 0, 0},
		"namesake":               {"package: web", own("@/usr/bin/web", "@/usr/bin/other", "/etc/web"), []string{"/usr/bin/web"}, 3, 0},
		"arguments of the found": {"package: web\ncmd: [-v]", own("@/usr/bin/web"), []string{"/usr/bin/web"}, 1, 0},
		"no clear program":       {"package: tools", own("@/usr/bin/a", "@/usr/bin/b"), nil, 2, 1},
		"paths in the spec":      {"package: web\npaths: [/etc/web]", own("@/usr/bin/web"), []string{"/usr/bin/web"}, 0, 0},
		"entrypoint in the spec": {"package: web\nentrypoint: [/usr/bin/other]", own("@/usr/bin/web", "/etc/web"), []string{"/usr/bin/other"}, 2, 0},
	} {
		got, err := launchOf(t.Context(), requestFor(t, c.spec), &offered{platform: amd64, pkg: &c.pkg, parent: &source.Offer{}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.program(), c.program) || len(got.roots) != c.roots || len(got.warnings) != c.warnings {
			t.Errorf("%s: %q, %d roots, %q", name, got.program(), len(got.roots), got.warnings)
		}
	}
}

// The files of an image are those that the spec names and what they need.
func TestChoose(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct {
		name, spec string
		offer      source.Offer
		want       []string
	}{
		{"paths", "paths: [/etc/*]", source.Offer{Tree: filesOf(t, "/etc/a", "/etc/b", "/usr/c")}, []string{"/etc/a", "/etc/b"}},
		{"nothing", "{}", source.Offer{Tree: filesOf(t, "/etc/a")}, nil},
		{"more is asked for", "paths: [/made]", source.Offer{
			Tree: filesOf(t, "/etc/a"), More: true,
			Packages: &onePackage{more: &source.Offer{Tree: filesOf(t, "/made")}},
		}, []string{"/made"}},
		{"missing", "paths: [/none]", source.Offer{Tree: filesOf(t, "/nona")}, nil},
	} {
		heard := &notes{}
		b := &Builder{Events: heard}
		var open closers
		got, err := b.choose(t.Context(), &open, requestFor(t, c.spec), &offered{platform: amd64, pkg: &c.offer, parent: &source.Offer{}})
		if err != nil {
			texts.Error(c.name, err)
			continue
		}
		if paths := pathsOf(t, got.selection.Tree); !slices.Equal(paths, c.want) {
			t.Errorf("%s: %q", c.name, paths)
		}
	}
}

// Assembly leaves the selection as it is.
func TestAssemble(t *testing.T) {
	selection := &closure.Selection{Tree: filesOf(t, "@/usr/bin/app", "/etc/app", "/data/"), Files: map[string][]record.Reason{
		"/usr/bin/app": {{Rule: record.RulePath}}, "/etc/app": {{Rule: record.RulePath}},
	}}
	before := pathsOf(t, selection.Tree)
	c := &chosen{selection: selection, pkg: &source.Offer{}}
	c.launch.user = smithfile.ParseUser("app:7")
	from := &offered{platform: amd64, pkg: c.pkg, parent: &source.Offer{Tree: filesOf(t, "/data/")}}
	b := &Builder{Events: event.Silent{}}
	got, err := b.assemble(t.Context(), requestFor(t, "user: app:7"), from, c)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	err = got.tree.Walk(func(n *tree.Node) error {
		lines = append(lines, fmt.Sprintf("%s %04o %d:%d %s", n.Kind, n.Mode, n.UID, n.GID, n.Path()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	golden.New(t).Add("tree", strings.Join(lines, "\n"))
	if d := cmp.Diff(before, pathsOf(t, selection.Tree)); d != "" || len(selection.Files) != 2 {
		t.Errorf("the selection has changed: %s", d)
	}
}

// An empty layer and one that is below already are not added.
func TestPack(t *testing.T) {
	b := &Builder{Store: storetest.New(t), Events: event.Silent{}}
	first, err := b.pack(t.Context(), nil, filesOf(t, "/a"))
	if err != nil || len(first) != 1 {
		t.Fatalf("%d layers, %v", len(first), err)
	}
	for name, c := range map[string]struct {
		files *tree.Tree
		want  int
	}{
		"the same": {filesOf(t, "/a"), 1}, "empty": {tree.New(), 1}, "another": {filesOf(t, "/b"), 2},
	} {
		if got, err := b.pack(t.Context(), first, c.files); err != nil || len(got) != c.want {
			t.Errorf("%s: %d layers, %v", name, len(got), err)
		}
	}
	if got, err := b.pack(t.Context(), nil, tree.New()); err != nil || len(got) != 1 {
		t.Errorf("an image without layers: %d, %v", len(got), err)
	}
}

// The record says what the image was made from; its time is never the build's.
func TestRecord(t *testing.T) {
	b := &Builder{Events: event.Silent{}}
	files := filesOf(t, "/etc/a")
	c := &chosen{
		pkg: &source.Offer{}, created: time.Unix(100, 0),
		selection: &closure.Selection{Tree: files, Unneeded: []string{"libx.so"}},
		launch:    launch{config: image.ContainerConfig{}},
	}
	input := record.Input{Kind: record.KindHost, Name: "host"}
	from := &offered{platform: amd64, pkg: c.pkg, parent: &source.Offer{}, overlay: tree.New()}
	a := &assembled{tree: files, reasons: map[string][]record.Reason{"/etc/a": {{Rule: record.RulePath}}}, inputs: []record.Input{input}}
	epoch := time.Unix(5, 0).UTC()
	for _, want := range []time.Time{time.Unix(100, 0).UTC(), epoch} {
		r := requestFor(t, "{}")
		if want.Equal(epoch) {
			r.Epoch = &epoch
		}
		built, err := b.record(r, from, c, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := built.Image.Config.Created; got == nil || !got.Equal(want) {
			t.Errorf("created %v, not %v", got, want)
		}
		if n := len(built.Record.Inputs); n != 2 || built.Record.Inputs[1].Kind != record.KindOverlay {
			t.Errorf("inputs: %+v", built.Record.Inputs)
		}
		if !slices.Equal(built.unneeded, []string{"libx.so"}) || built.Files != 2 {
			t.Errorf("%+v", built)
		}
	}
}

// A target that cannot be written is known before anything is opened.
func TestTarget(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	texts := golden.New(t)
	for _, c := range []struct {
		kind reference.Kind
		path string
		ok   bool
	}{
		{reference.Archive, "image.tar.gz", true},
		{reference.Archive, "none/image.tar.gz", false},
		{reference.Archive, "", false},
		{reference.Archive, "file/image.tar", false},
		{reference.Layout, "a/b", true},
		{reference.Layout, "file/b", false},
		{reference.Registry, "", true},
	} {
		err := checkTarget(reference.Reference{Kind: c.kind, Path: filepath.Join(dir, c.path)})
		if c.ok && err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		if !c.ok {
			texts.Add(c.path, strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"))
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A lock decides what a package is; the machine's os-release is not read.
func TestLockDecidesFamily(t *testing.T) {
	locked := &lock.Lock{Platforms: map[string]*lock.Platform{"linux/amd64": {}, "linux/arm64": {Family: record.FormatRPM}}}
	c := Request{Spec: &smithfile.Spec{}, Lock: locked}.context()
	if c.Locked != "rpm" || c.Family != "" {
		t.Errorf("family %q by the lock, %q by the machine", c.Locked, c.Family)
	}
}
