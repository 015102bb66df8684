package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/closure"
	"smith/internal/distro/deb"
	"smith/internal/distro/deb/debfile"
	"smith/internal/distro/packages"
	"smith/internal/event"
	"smith/internal/source/host"
	"smith/internal/tree"
	"smith/record"
	"smith/test/fixture"
)

// images are packages of Debian and a file of each that an image is made for.
func images() map[string]string {
	return map[string]string{
		"bash": "/bin/bash", "bc": "/usr/bin/bc", "bind9-host": "/usr/bin/host", "busybox": "/bin/busybox", "bzip2": "/bin/bzip2",
		"coreutils": "/bin/cat", "cpio": "/bin/cpio", "curl": "/usr/bin/curl", "dash": "/bin/sh", "diffutils": "/usr/bin/diff",
		"file": "/usr/bin/file", "findutils": "/usr/bin/find", "gawk": "/usr/bin/gawk", "gpgv": "/usr/bin/gpgv", "grep": "/bin/grep",
		"gzip": "/bin/zcat", "haproxy": "/usr/sbin/haproxy", "iproute2": "/sbin/ip", "iputils-ping": "/bin/ping", "jq": "/usr/bin/jq",
		"less": "/usr/bin/less", "lsof": "/usr/bin/lsof", "lua5.4": "/usr/bin/lua5.4", "m4": "/usr/bin/m4", "make": "/usr/bin/make",
		"mawk": "/usr/bin/mawk", "memcached": "/usr/bin/memcached", "nano": "/bin/nano", "netcat-openbsd": "/bin/nc.openbsd",
		"nginx-light": "/usr/sbin/nginx", "openssh-client": "/usr/bin/ssh", "openssl": "/usr/bin/openssl", "patch": "/usr/bin/patch",
		"perl-base": "/usr/bin/perl", "procps": "/bin/ps", "python3-minimal": "/usr/bin/python3", "redis-server": "/usr/bin/redis-server",
		"rsync": "/usr/bin/rsync", "sed": "/bin/sed", "socat": "/usr/bin/socat", "sqlite3": "/usr/bin/sqlite3", "strace": "/usr/bin/strace",
		"tar": "/bin/tar", "tcpdump": "/usr/bin/tcpdump", "tini": "/usr/bin/tini", "tree": "/usr/bin/tree", "unzip": "/usr/bin/unzip",
		"util-linux": "/bin/lsblk", "vim-tiny": "/usr/bin/vim.tiny", "wget": "/usr/bin/wget", "xz-utils": "/usr/bin/xz", "zip": "/usr/bin/zip",
		"zstd": "/usr/bin/zstd",
	}
}

// A local package is a .deb of the machine, with the list that an archive would
// have of it, unless it is unlisted.
type local struct {
	path     string
	digest   digest.Digest
	size     int64
	store    *store.Store
	id       record.Package
	fields   func(name string) string
	paths    []string
	unlisted bool
}

func (l *local) ID() record.Package { return l.id }

func (l *local) Size() int64 { return l.size }

func (l *local) Field(name string) string { return l.fields(name) }

func (l *local) Paths(context.Context) ([]string, bool, error) { return l.paths, !l.unlisted, nil }

func (l *local) file(ctx context.Context) (*debfile.File, error) {
	return debfile.Open(ctx, l.store, l.digest, func(context.Context) (io.ReadCloser, error) { return os.Open(l.path) })
}

func (l *local) Open(ctx context.Context) (*packages.Contents, error) {
	f, err := l.file(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := f.Entries(&record.Origin{Kind: "package", Name: l.id.String(), Digest: l.digest.String()})
	return &packages.Contents{Entries: entries, Close: f.Close}, err
}

// An archive is the packages that the tests have met, each read once.
type archive struct {
	store *store.Store
	mu    sync.Mutex
	known map[string]*local
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	st, err := store.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return &archive{store: st, known: map[string]*local{}}
}

// set returns what apt installs for packages.
func (a *archive) set(t *testing.T, names ...string) []packages.Package {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("apt-get is not installed")
	}
	paths, err := fixture.Packages(t.Context(), os.Stderr, names...)
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var set []packages.Package
	for _, path := range paths {
		set = append(set, a.local(t, path))
	}
	return set
}

func (a *archive) local(t *testing.T, path string) *local {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.known[path]; l != nil {
		return l
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &local{path: path, digest: digest.FromBytes(data), size: int64(len(data)), store: a.store}
	f, err := l.file(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l.fields = f.Control.Get
	l.id = record.Package{Name: l.fields("Package"), Version: l.fields("Version"), Architecture: l.fields("Architecture")}
	entries, err := f.Entries(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Node == nil || e.Node.Kind != tree.Dir {
			l.paths = append(l.paths, tree.Clean(e.Path))
		}
	}
	a.known[path] = l
	return l
}

// unlisted returns the same packages without their lists, so that all are
// opened.
func unlisted(set []packages.Package) []packages.Package {
	var all []packages.Package
	for _, p := range set {
		l := *p.(*local)
		l.unlisted = true
		all = append(all, &l)
	}
	return all
}

// describe shows the files of a tree and where they come from, a line each.
func describe(t *testing.T, from *tree.Tree) []string {
	t.Helper()
	var lines []string
	err := from.Walk(func(n *tree.Node) error {
		line := fmt.Sprintf("%s %s %s", n.Path(), n.Kind, n.Link)
		if n.Kind == tree.File {
			sum, err := n.Digest()
			if err != nil {
				return err
			}
			line += sum.Encoded()[:8]
		}
		if n.Origin != nil {
			line += " <- " + n.Origin.Label()
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// offer returns the tree of a set.
func offer(t *testing.T, set []packages.Package) *packages.Set {
	t.Helper()
	s, err := packages.New(t.Context(), set, deb.Rules())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// selected returns the image that is made of one file of a set.
func selected(t *testing.T, s *packages.Set, path string) []string {
	t.Helper()
	sel, err := closure.Select(t.Context(), closure.Input{
		Source: s.Tree(), Roots: []closure.Root{{Pattern: path}}, Ahead: s.Ahead, Events: event.Silent{},
		Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH},
	})
	if err != nil {
		t.Fatal(err)
	}
	return describe(t, sel.Tree)
}

// names returns the names of the packages that were opened, sorted.
func names(s *packages.Set) []string {
	s.Settle()
	var opened []string
	for _, p := range s.Opened() {
		opened = append(opened, p.ID().Name)
	}
	slices.Sort(opened)
	return opened
}

// All that concerns a large set of real packages, which are read once. It stands
// here because the race detector makes reading them five times slower.
func TestDebianSet(t *testing.T) {
	set := newArchive(t).set(t, slices.Sorted(maps.Keys(images()))...)
	t.Run("opened lazily", func(t *testing.T) { testLazily(t, set) })
	t.Run("laid out", func(t *testing.T) { testAsUnpacked(t, set) })
}

// An image is the same whether packages are opened when they are looked at, or
// all at the start.
func testLazily(t *testing.T, set []packages.Package) {
	all := offer(t, unlisted(set))
	for name, path := range images() {
		t.Run(name, func(t *testing.T) {
			lazily := offer(t, set)
			files := selected(t, lazily, path)
			if d := cmp.Diff(selected(t, all, path), files); d != "" {
				t.Errorf("(-all opened +opened when looked at):\n%s", d)
			}
			t.Logf("%d files, opened %d of %d: %s", len(files), len(names(lazily)), len(set), strings.Join(names(lazily), " "))
		})
	}
}

// A set is laid out as its packages are when they are unpacked one over the
// other into a root that has the links of a merged /usr.
func testAsUnpacked(t *testing.T, set []packages.Package) {
	dir := t.TempDir()
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "usr", name), 0o755), os.Symlink("usr/"+name, filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range set {
		unpack := exec.Command("sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"`, p.(*local).path, dir)
		if out, err := unpack.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", p.ID(), err, out)
		}
	}
	unpacked, err := host.Tree(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := func(from *tree.Tree) []string {
		var lines []string
		for _, line := range describe(t, from) {
			line, _, _ = strings.Cut(line, " <- ")
			if !strings.HasSuffix(line, " dir ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	s := offer(t, set)
	if d := cmp.Diff(files(unpacked), files(s.Tree())); d != "" {
		t.Errorf("(-dpkg-deb +smith):\n%s", d)
	}
}

// cat needs two packages, whatever else coreutils depends on.
func TestDebianCat(t *testing.T) {
	s := offer(t, newArchive(t).set(t, "coreutils"))
	selected(t, s, "/bin/cat")
	if want := []string{"coreutils", "libc6"}; !slices.Equal(names(s), want) {
		t.Errorf("opened %v, want %v", names(s), want)
	}
}
