package host

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/tree"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func offer(t *testing.T, root string) *tree.Tree {
	t.Helper()
	o, err := New(root).Open(t.Context(), ocispec.Platform{})
	must(t, err)
	return o.Tree
}

func lookup(t *testing.T, tr *tree.Tree, name string) *tree.Node {
	t.Helper()
	at, err := tr.Lookup(name)
	must(t, err)
	return at.Node
}

// root makes a folder with a file, a second name of it, links and a socket's
// stand-in.
func root(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "proc/1"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "usr/bin/cat"), []byte("meow"), 0o755))
	must(t, os.Link(filepath.Join(dir, "usr/bin/cat"), filepath.Join(dir, "usr/bin/dog")))
	must(t, os.WriteFile(filepath.Join(dir, "alone"), []byte("one"), 0o640))
	must(t, os.Symlink("/usr/bin", filepath.Join(dir, "bin")))
	must(t, os.Symlink("../../../../../../etc/passwd", filepath.Join(dir, "out")))
	return dir
}

func TestTreeIsWhatTheFolderHolds(t *testing.T) {
	tr := offer(t, root(t))
	at, err := tr.Resolve("/bin/cat")
	must(t, err)
	if at.Path() != "/usr/bin/cat" || at.Node.Mode != 0o755 || at.Node.Size != 4 {
		t.Errorf("/bin/cat: got %s, mode %o, %d bytes", at.Path(), at.Node.Mode, at.Node.Size)
	}
	if o := at.Node.Origin; o == nil || o.Kind != "host" {
		t.Errorf("origin is %+v", o)
	}
	data, err := at.Node.ReadAll(100)
	must(t, err)
	if string(data) != "meow" {
		t.Errorf("read %q", data)
	}
	if got := lookup(t, tr, "/bin"); got.Kind != tree.Symlink || got.Link != "/usr/bin" {
		t.Errorf("/bin is a %s to %q", got.Kind, got.Link)
	}
	if got := lookup(t, tr, "/alone"); got.Mode != 0o640 || got.Inode != nil {
		t.Errorf("/alone has mode %o, inode %p", got.Mode, got.Inode)
	}
	if tr.Exists("/out") || tr.Exists("/absent") || tr.Exists("/alone/under") || tr.Exists("/"+strings.Repeat("x", 300)) {
		t.Error("a path that leads nowhere in the root was found")
	}
}

func TestHardLinksShareAnInode(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("inodes are known on Linux only")
	}
	tr := offer(t, root(t))
	cat, dog := lookup(t, tr, "/usr/bin/cat"), lookup(t, tr, "/usr/bin/dog")
	if cat.Inode == nil || cat.Inode != dog.Inode {
		t.Errorf("inodes are %p and %p", cat.Inode, dog.Inode)
	}
}

func TestKernelFoldersAreEmpty(t *testing.T) {
	tr := offer(t, root(t))
	list, err := lookup(t, tr, "/proc").Children()
	must(t, err)
	if len(list) != 0 || tr.Exists("/proc/1") {
		t.Errorf("/proc holds %d entries", len(list))
	}
}

// An element that nobody asks for is never read: the folder above could not
// be listed at all.
func TestFoldersAreNotListedToResolveAPath(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root may list every folder: only the lookups are counted")
	}
	dir := root(t)
	must(t, os.Chmod(filepath.Join(dir, "usr"), 0o311))
	tr := offer(t, dir)
	if !tr.Exists("/usr/bin/cat") {
		t.Fatal("/usr/bin/cat was not found")
	}
	must(t, os.WriteFile(filepath.Join(dir, "usr/bin/late"), nil, 0o644))
	if !tr.Exists("/usr/bin/late") {
		t.Error("the folder was listed when one entry of it was asked for")
	}
}

func TestChangedFilesAreRefused(t *testing.T) {
	const again = " was replaced or changed while it was being used: let it rest and try again"
	changes := map[string]func(name string) error{
		"longer":   func(name string) error { return os.WriteFile(name, []byte("miaow!"), 0o644) },
		"shorter":  func(name string) error { return os.Truncate(name, 1) },
		"replaced": func(name string) error { return os.Rename(filepath.Join(filepath.Dir(name), "../../alone"), name) },
		"a link": func(name string) error {
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Symlink("dog", name)
		},
		"gone": os.Remove,
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			dir := root(t)
			n := lookup(t, offer(t, dir), "/usr/bin/cat")
			must(t, change(filepath.Join(dir, "usr/bin/cat")))
			want := map[string]string{"a link": "too many levels of symbolic links", "gone": "no such file or directory"}[what]
			if want == "" {
				want = dir + "/usr/bin/cat" + again
			}
			if data, err := n.ReadAll(100); err == nil || err.Error() != "cannot read /usr/bin/cat: "+want {
				t.Errorf("got %q, %v, want %s", data, err, want)
			}
		})
	}
}

func TestFileThatChangesWhileReadIsAnError(t *testing.T) {
	for what, size := range map[string]int64{"shorter": 10, "longer": 1 << 20} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "log")
			must(t, os.WriteFile(name, bytes.Repeat([]byte("x"), 1000), 0o644))
			r, err := lookup(t, offer(t, dir), "/log").Open()
			must(t, err)
			defer r.Close()
			if _, err := r.ReadAt(make([]byte, 10), 0); err != nil {
				t.Fatal(err)
			}
			must(t, os.Truncate(name, size))
			if n, err := r.ReadAt(make([]byte, 990), 10); err == nil || err.Error() != name+" changed while it was read: it had 1000 bytes" {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
	}
}

func TestIdentityChangesWithTheFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the identity is known on Linux only")
	}
	t.Parallel()
	dir := root(t)
	identity := func() string {
		return lookup(t, offer(t, dir), "/alone").Content.(interface{ Identity() string }).Identity()
	}
	if just := identity(); just != "" {
		t.Errorf("a file that has just been written has the identity %q", just)
	}
	settle := func() { time.Sleep(2050 * time.Millisecond) }
	settle()
	first := identity()
	if again := identity(); first == "" || again != first {
		t.Errorf("unchanged: %q, then %q", first, again)
	}
	info, err := os.Stat(filepath.Join(dir, "alone"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "alone"), []byte("two"), 0o640))
	must(t, os.Chtimes(filepath.Join(dir, "alone"), info.ModTime(), info.ModTime()))
	settle()
	if again := identity(); again == "" || again == first {
		t.Error("another content of equal size and time has the same identity")
	}
}

func TestThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this machine runs no Linux")
	}
	o, err := New("/").Open(t.Context(), ocispec.Platform{})
	must(t, err)
	if !o.Tree.Exists("/bin/sh") || o.Platform.Architecture != runtime.GOARCH {
		t.Errorf("no /bin/sh, or platform %+v", o.Platform)
	}
	if len(o.Inputs) != 1 || o.Inputs[0].Kind != "host" || o.Inputs[0].Note == "" {
		t.Errorf("inputs are %+v", o.Inputs)
	}
	_, err = New("/").Open(context.Background(), ocispec.Platform{OS: "linux", Architecture: "pdp11"})
	if err == nil || !strings.Contains(err.Error(), "pdp11") {
		t.Errorf("another architecture: %v", err)
	}
}

func TestRootMustBeAFolder(t *testing.T) {
	dir := root(t)
	for name, want := range map[string]string{
		"absent": "stat " + dir + "/absent: no such file or directory",
		"alone":  "cannot offer the files of " + dir + "/alone: it is not a folder",
	} {
		if _, err := New(filepath.Join(dir, name)).Open(t.Context(), ocispec.Platform{}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// A folder has no entry that would lead out of it.
func TestNamesOutsideOfAFolder(t *testing.T) {
	dir := t.TempDir()
	f := &folder{machine: &machine{inodes: map[inode]*tree.Inode{}}, dir: dir}
	for _, name := range []string{"..", "a/b"} {
		if _, err := f.Entry(name); err == nil || err.Error() != fmt.Sprintf("%q is not a name in folder %s", name, dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
