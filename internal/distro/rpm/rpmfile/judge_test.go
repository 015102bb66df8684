package rpmfile

import (
	"bytes"
	"context"
	"crypto/md5" // what old packages carry
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/capability"
	"smith/internal/tree"
	"smith/record"
	"smith/test/fixture"
)

// testdata returns the folder of real packages.
func testdata(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set: no real packages to read")
	}
	return dir
}

// judge returns the path of a program that tells what is right.
func judge(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed (test/install.sh)", name)
	}
	return path
}

// packageFiles returns every package below a folder.
func packageFiles(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".rpm") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no packages in %s", dir)
	}
	return files
}

func openStore(t testing.TB) *store.Store {
	t.Helper()
	st := storetest.New(t)
	return st
}

func readFile(t testing.TB, st *store.Store, path string) (*Package, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := Read(t.Context(), st, f)
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

// listing prints what a package lists as rpm's query does.
func listing(p *Package) string {
	kinds := map[tree.Kind]uint32{
		tree.File: modeFile, tree.Dir: modeDir, tree.Symlink: modeLink, tree.FIFO: modeFIFO, tree.Socket: modeSocket,
	}
	var b strings.Builder
	for _, f := range p.Files {
		mode := kinds[f.Kind] | f.Mode
		if f.Kind == tree.Device {
			mode = modeChar | f.Mode
		}
		size := f.Size
		if f.Kind != tree.File {
			size = 0
		}
		fmt.Fprintf(&b, "%s|%o|%d|%s|%s|%s|%d|%d|%s|%d|%s\n", f.Path, mode, size, f.Link, f.User, f.Group,
			f.Flags, f.Color, f.Capabilities, f.ModTime.Unix(), f.Digest)
	}
	return b.String()
}

// queryFormat asks rpm for the same; what it calls the size of a folder or a
// link says something of the file system that it was built on.
const queryFormat = `[%{FILENAMES}|%{FILEMODES:octal}|%{LONGFILESIZES}|%{FILELINKTOS}|%{FILEUSERNAME}|%{FILEGROUPNAME}|` +
	`%{FILEFLAGS}|%{FILECOLORS}|%{FILECAPS}|%{FILEMTIMES}|%{FILEDIGESTS}` + "\n]"

// rpmListings asks rpm for the listings of many packages in one process.
func rpmListings(t *testing.T, rpm string, paths []string) map[string]string {
	t.Helper()
	args := append([]string{"-qp", "--nosignature", "--nodigest", "--qf", "==\n" + queryFormat}, paths...)
	out, err := exec.CommandContext(t.Context(), rpm, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	texts := strings.Split(string(out), "==\n")[1:]
	if len(texts) != len(paths) {
		t.Fatalf("rpm lists %d packages of %d", len(texts), len(paths))
	}
	for i, text := range texts {
		all[paths[i]] = plainListing(text)
	}
	return all
}

// plainListing drops rpm's words for what is not there.
func plainListing(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		fields := strings.Split(line, "|")
		if len(fields) != 11 || fields[0] == "(none)" {
			continue // no files
		}
		if !strings.HasPrefix(fields[1], "10") {
			fields[2] = "0"
		}
		for i, absent := range map[int]string{7: "0", 8: ""} {
			if fields[i] == "(none)" {
				fields[i] = absent
			}
		}
		b.WriteString(strings.Join(fields, "|"))
	}
	return b.String()
}

// A library is real packages that were read into a cache, once for all that
// looks at them: the reading takes the time.
type library struct {
	dir   string
	store *store.Store
	paths []string
	read  map[string]reading
}

// A reading is what became of a package.
type reading struct {
	digest  digest.Digest
	listing string
	err     error
}

func readLibrary(t *testing.T, dir string, paths []string) *library {
	t.Helper()
	l := &library{dir: dir, store: openStore(t), paths: paths, read: map[string]reading{}}
	readings := make([]reading, len(l.paths))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range l.paths {
		group.Go(func() error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			p, err := Read(context.Background(), l.store, f)
			if err != nil {
				readings[i].err = err
				return nil
			}
			readings[i] = reading{digest: p.Digest, listing: listing(p)}
			return p.Close()
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, path := range l.paths {
		l.read[path] = readings[i]
	}
	return l
}

// open returns a package as it was read, or the error that this gave.
func (l *library) open(t *testing.T, path string) (*Package, error) {
	t.Helper()
	r, ok := l.read[path]
	if !ok {
		return readFile(t, l.store, path)
	}
	if r.err != nil {
		return nil, r.err
	}
	p, err := Open(l.store, r.digest)
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

// TestRealPackages compares what is made of real packages with what rpm, cpio
// and rpmkeys make of them.
func TestRealPackages(t *testing.T) {
	dir := testdata(t)
	l := readLibrary(t, dir, packageFiles(t, dir))
	t.Run("files", l.compareFiles)
	t.Run("signatures", l.compareSignatures)
	t.Run("Lua", l.compareLua)
	t.Run("capabilities", l.compareCapabilities)
}

// compareCapabilities wants those of files to be told as getcap(8) does.
func (l *library) compareCapabilities(t *testing.T) {
	p, err := l.open(t, filepath.Join(l.dir, "rpm-repo/centos7-httpd/shadow-utils-4.6-5.el7.x86_64.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range p.Entries(nil) {
		for name, value := range e.Node.Xattrs {
			got[e.Path+" "+name] = capability.Text(value)
		}
	}
	want := map[string]string{
		"/usr/bin/newgidmap security.capability": "cap_setgid=ep", "/usr/bin/newuidmap security.capability": "cap_setuid=ep",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestDistribution does that with packages that are made here: of real programs,
// with payloads in every compression, hard links, ghosts and capabilities, signed
// by two keys. Some are enough to have each in it.
func TestDistribution(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a whole distribution")
	}
	dir, err := fixture.Distribution(t.Context(), os.Stderr)
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var some []string
	for i, path := range packageFiles(t, dir) {
		name, _, _ := strings.Cut(filepath.Base(path), "-")
		if i%8 == 0 || slices.Contains([]string{"gzip", "ca", "iputils", "nginx", "greet", "libgreet"}, name) {
			some = append(some, path)
		}
	}
	l := readLibrary(t, dir, some)
	t.Run("files", l.compareFiles)
	t.Run("signatures", func(t *testing.T) { l.compareVerdicts(t, []string{filepath.Join(dir, "keys.asc")}, some) })
	t.Run("one key", func(t *testing.T) { l.compareVerdicts(t, []string{filepath.Join(dir, "rsa2048.asc")}, some) })
}

// compareFiles compares the list of every package with rpm's, its tree with
// what cpio finds, and its files with their digests.
func (l *library) compareFiles(t *testing.T) {
	listings := rpmListings(t, judge(t, "rpm"), l.paths)
	for _, path := range l.paths {
		name, _ := filepath.Rel(l.dir, path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := l.open(t, path)
			if strings.HasSuffix(path, ".src.rpm") {
				if err == nil || !strings.Contains(err.Error(), "source package") {
					t.Errorf("a source package: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(listings[path], l.read[path].listing); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(listings[path], listing(p)); diff != "" {
				t.Errorf("from the cache: %s", diff)
			}
			tr := lay(t, p)
			compareWithCpio(t, path, p, tr)
			compareDigests(t, p, tr)
		})
	}
}

// lay returns the tree of a package alone.
func lay(t *testing.T, p *Package) *tree.Tree {
	t.Helper()
	tr := tree.New()
	if err := tr.Apply(p.Entries(&record.Origin{Kind: "package", Name: "p"})); err != nil {
		t.Fatal(err)
	}
	return tr
}

// sums returns a line for each file and link: path, and content or target.
func sums(t *testing.T, tr *tree.Tree) []string {
	t.Helper()
	var lines []string
	err := tr.Walk(func(n *tree.Node) error {
		switch n.Kind {
		case tree.File:
			d, err := n.Digest()
			if err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s %s %d", n.Path(), d.Encoded(), n.Size))
		case tree.Symlink:
			lines = append(lines, fmt.Sprintf("%s -> %s", n.Path(), n.Link))
		case tree.Dir:
			if n.Origin != nil && n.Parent() != nil {
				lines = append(lines, n.Path())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// unpacked returns the same of a folder that cpio wrote.
func unpacked(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		switch {
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			lines = append(lines, fmt.Sprintf("%s -> %s", name, target))
			return err
		case d.IsDir():
			lines = append(lines, name)
			return nil
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			lines = append(lines, fmt.Sprintf("%s %x %d", name, sha256.Sum256(data), len(data)))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// compareWithCpio compares paths, links and sizes with what cpio lists; and the
// contents with what it unpacks where that tells more than the digests, of hard
// links and of what is small.
func compareWithCpio(t *testing.T, path string, p *Package, tr *tree.Tree) {
	t.Helper()
	archive, err := exec.CommandContext(t.Context(), judge(t, "rpm2cpio"), path).Output()
	if err != nil || bytes.HasPrefix(archive, []byte(magicStripped)) {
		return // rpm2cpio wants an MD5 sum, cpio the usual form; the files' digests tell
	}
	const small = 100 << 10
	hard := slices.ContainsFunc(p.Files, func(f File) bool { return f.inode != inode{} })
	var want, got []string
	if hard || p.size < small {
		to := t.TempDir()
		cpio(t, to, archive, "-idm", "--no-absolute-filenames")
		want, got = unpacked(t, to), sums(t, tr)
	} else {
		want, got = cpioList(t, cpio(t, "", archive, "-itv", "--numeric-uid-gid")), plainList(t, tr)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// cpio runs cpio in a folder and returns its output.
func cpio(t *testing.T, dir string, archive []byte, options ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), judge(t, "cpio"), append(options, "--quiet")...)
	command.Dir, command.Stdin = dir, bytes.NewReader(archive)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	return string(out)
}

// listed is a line of cpio's list: mode, links, owners, size, date, name.
var listed = regexp.MustCompile(`^(.)\S+ +\d+ +\d+ +\d+ +(\d+) \w+ +\d+ +[\d:]+ (.*)$`)

// cpioList writes cpio's list as plainList does, with the folders on the way.
func cpioList(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	folders := map[string]bool{"/": true}
	for line := range strings.Lines(text) {
		m := listed.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("cpio lists %q", line)
		}
		name, target, _ := strings.Cut(m[3], " -> ")
		name = tree.Clean(name)
		for dir := filepath.Dir(name); !folders[dir]; dir = filepath.Dir(dir) {
			folders[dir] = true
			lines = append(lines, dir)
		}
		switch m[1] {
		case "d":
			if !folders[name] {
				folders[name] = true
				lines = append(lines, name)
			}
		case "l":
			lines = append(lines, name+" -> "+target)
		case "-":
			lines = append(lines, name+" "+m[2])
		}
	}
	return lines
}

// plainList returns a line for each file, link and folder: path, and size or
// target.
func plainList(t *testing.T, tr *tree.Tree) []string {
	t.Helper()
	var lines []string
	err := tr.Walk(func(n *tree.Node) error {
		switch {
		case n.Parent() == nil:
		case n.Kind == tree.File:
			lines = append(lines, fmt.Sprintf("%s %d", n.Path(), n.Size))
		case n.Kind == tree.Symlink:
			lines = append(lines, n.Path()+" -> "+n.Link)
		case n.Kind == tree.Dir:
			lines = append(lines, n.Path())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// compareDigests checks every file with what the package's header says.
func compareDigests(t *testing.T, p *Package, tr *tree.Tree) {
	t.Helper()
	for _, f := range p.Files {
		if f.Kind != tree.File || f.Flags&Ghost != 0 {
			continue
		}
		h := md5.New()
		if p.Header.Number(tagFileDigestAlgo) == hashSHA256 {
			h = sha256.New()
		}
		at, err := tr.Lookup(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := at.Node.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(h, r); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != f.Digest {
			t.Errorf("%s is %s, its package says %s", f.Path, got, f.Digest)
		}
	}
}
