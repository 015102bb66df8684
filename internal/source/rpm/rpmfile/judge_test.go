package rpmfile

import (
	"bytes"
	"crypto/md5" // what old packages carry
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/store"
	"smith/internal/tree"
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
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
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

// TestReadsAsRPMDoes compares the list of every real package with rpm's, its
// tree with what cpio unpacks, and its files with their digests.
func TestReadsAsRPMDoes(t *testing.T) {
	dir, rpm, st := testdata(t), judge(t, "rpm"), openStore(t)
	paths := packageFiles(t, dir)
	listings := rpmListings(t, rpm, paths)
	for _, path := range paths {
		name, _ := filepath.Rel(dir, path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := readFile(t, st, path)
			if strings.HasSuffix(path, ".src.rpm") {
				if err == nil || !strings.Contains(err.Error(), "source package") {
					t.Errorf("a source package: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(listings[path], listing(p)); diff != "" {
				t.Error(diff)
			}
			again, err := Open(st, p.Digest)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if diff := cmp.Diff(listings[path], listing(again)); diff != "" {
				t.Errorf("from the cache: %s", diff)
			}
			tr := lay(t, again)
			compareWithCpio(t, path, tr)
			compareDigests(t, again, tr)
		})
	}
}

// lay returns the tree of a package alone.
func lay(t *testing.T, p *Package) *tree.Tree {
	t.Helper()
	tr := tree.New()
	if err := tr.Apply(p.Entries(&tree.Origin{Kind: "package", Name: "p"})); err != nil {
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

// compareWithCpio compares contents, hard links and all.
func compareWithCpio(t *testing.T, path string, tr *tree.Tree) {
	t.Helper()
	archive, err := exec.CommandContext(t.Context(), judge(t, "rpm2cpio"), path).Output()
	if err != nil || bytes.HasPrefix(archive, []byte(magicStripped)) {
		return // rpm2cpio wants an MD5 sum, cpio the usual form; the files' digests tell
	}
	to := t.TempDir()
	command := exec.CommandContext(t.Context(), judge(t, "cpio"), "-idm", "--quiet", "--no-absolute-filenames")
	command.Dir, command.Stdin = to, bytes.NewReader(archive)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, got := unpacked(t, to), sums(t, tr)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
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
