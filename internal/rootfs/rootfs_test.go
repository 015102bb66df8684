package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/internal/capability"
	"smith/internal/event"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

// lines shows a tree, a line for each node.
func lines(t *testing.T, files *tree.Tree) string {
	t.Helper()
	var b strings.Builder
	err := files.Walk(func(n *tree.Node) error {
		if n.Parent() != nil {
			fmt.Fprintf(&b, "%s %04o %d:%d %d %s\n", n.Kind, n.Mode, n.UID, n.GID, n.ModTime.Unix(), n.Path())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func insert(t *testing.T, files *tree.Tree, path string, n *tree.Node) {
	t.Helper()
	if err := files.Insert(path, n); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, files *tree.Tree, path string) string {
	t.Helper()
	at, err := files.Resolve(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := at.Node.ReadAll(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestNormalForm(t *testing.T) {
	files := tree.New()
	insert(t, files, "/usr/bin/su", &tree.Node{Kind: tree.File, Mode: 0o4711, UID: 5, Xattrs: map[string]string{"security.capability": capability.Granted(1), "user.a": "b"}})
	insert(t, files, "/etc/shadow", &tree.Node{Kind: tree.File, Mode: 0o640, ModTime: time.Now()})
	insert(t, files, "/tmp", &tree.Node{Kind: tree.Dir, Mode: 0o1777})
	insert(t, files, "/bin", &tree.Node{Kind: tree.Symlink, Link: "usr/bin", Mode: 0o700})
	insert(t, files, "/write/log", &tree.Node{Kind: tree.Dir, Mode: 0o700})
	insert(t, files, "/writer", &tree.Node{Kind: tree.Dir, Mode: 0o700})
	insert(t, files, "/data", &tree.Node{Kind: tree.Dir, Mode: 0o700})
	insert(t, files, "/dev/null", &tree.Node{Kind: tree.Device})
	heard := &notes{}
	normal, err := Normalise(files, Form{UID: 10, GID: 11, RootOwned: true, Mounts: []string{"/data/"}, Time: time.Unix(7, 0)}, heard)
	if err != nil {
		t.Fatal(err)
	}
	want := `symlink 0777 0:0 7 /bin
dir 0755 10:11 7 /data
dir 0755 0:0 7 /dev
dir 0755 0:0 7 /etc
file 0644 0:0 7 /etc/shadow
dir 1777 0:0 7 /tmp
dir 0755 0:0 7 /usr
dir 0755 0:0 7 /usr/bin
file 0755 0:0 7 /usr/bin/su
dir 0755 10:11 7 /write
dir 0755 10:11 7 /write/log
dir 0755 0:0 7 /writer
`
	if diff := cmp.Diff(want, lines(t, normal)); diff != "" {
		t.Error(diff)
	}
	su, err := normal.Lookup("/usr/bin/su")
	if err != nil || su.Node.Xattrs != nil {
		t.Errorf("extended attributes stay: %v, %v", su.Node.Xattrs, err)
	}
	if diff := cmp.Diff([]string{
		"/dev/null is left out: an image of smith's holds no device",
		"/usr/bin/su had cap_chown=ep, which is dropped; the key capabilities keeps it",
	}, heard.texts); diff != "" {
		t.Error(diff)
	}
	if normal, err = Normalise(files, Form{UID: 10, GID: 11}, event.Silent{}); err != nil || strings.Contains(lines(t, normal), "0:0") {
		t.Errorf("not one owner: %v\n%s", err, lines(t, normal))
	}
}

// A program gets exactly the capabilities that were asked for, by whatever name.
func TestCapabilities(t *testing.T) {
	files := tree.New()
	ping := tree.NewFile([]byte("\x7fELF"), 0o755)
	ping.Inode, ping.Xattrs = &tree.Inode{}, map[string]string{"security.capability": "other"}
	second := ping.Copy()
	insert(t, files, "/usr/bin/ping", ping)
	insert(t, files, "/usr/bin/ping4", second)
	insert(t, files, "/usr/bin/cat", tree.NewFile(nil, 0o755))
	insert(t, files, "/usr/bin/ldd", tree.NewFile([]byte("#!/bin/sh"), 0o755))
	insert(t, files, "/usr/lib/a.so", tree.NewFile(nil, 0o644))
	insert(t, files, "/bin", &tree.Node{Kind: tree.Symlink, Link: "usr/bin"})
	var c Capabilities
	for path, names := range map[string][]string{"/bin/ping": {"net_raw"}, "/usr/bin/ping4": {"net_admin"}} {
		if err := c.Add(files, path, names); err != nil {
			t.Error(err)
		}
	}
	for path, want := range map[string]string{
		"/usr/bin/pnig": "/usr/bin/pnig is to have capabilities and is not in the image; did you mean /usr/bin/ping",
		"/sbin/ping":    "/sbin/ping is to have capabilities and is not in the image; did you mean /usr/bin/ping?",
		"/usr/bin/none": "/usr/bin/none is to have capabilities and is not in the image; name it in paths, so that it is",
		"/usr/bin/ldd":  "/usr/bin/ldd cannot have capabilities: /usr/bin/ldd is a script",
		"/usr/lib/a.so": "/usr/lib/a.so cannot have capabilities: /usr/lib/a.so is not executable",
		"/bin":          "/bin cannot have capabilities: /usr/bin is a dir",
	} {
		if err := c.Add(files, path, []string{"kill"}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	normal, err := Normalise(files, Form{Capabilities: c}, event.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"/usr/bin/ping": "cap_net_admin,cap_net_raw=ep", "/usr/bin/ping4": "cap_net_admin,cap_net_raw=ep"}
	got := map[string]string{}
	_ = normal.Walk(func(n *tree.Node) error {
		for _, attribute := range n.Xattrs {
			got[n.Path()] = capability.Text(attribute)
		}
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type notes struct {
	event.Silent
	texts []string
}

func (n *notes) Note(text string) { n.texts = append(n.texts, text) }

func TestFurnish(t *testing.T) {
	files := tree.New()
	insert(t, files, "/etc/nsswitch.conf", tree.NewFile([]byte("hosts: files\n"), 0o644))
	reasons, err := Furnish(files, Furniture{Mounts: []string{"/data/deep"}, Accounts: true, User: smithfile.ParseUser("app"), Groups: []string{"one", "tty", "two"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/dev", "/read", "/write", "/run", "/proc", "/sys", "/data", "/data/deep"} {
		if at, err := files.Lookup(dir); err != nil || at.Node.Kind != tree.Dir || reasons[dir].Rule == "" {
			t.Errorf("%s: %v, reason %v", dir, err, reasons[dir])
		}
	}
	wantUsers := `root:x:0:0:root:/write:
daemon:x:1:1:daemon:/write:
bin:x:2:2:bin:/write:
sys:x:3:3:sys:/write:
app:x:10:10:app:/write:
`
	if diff := cmp.Diff(wantUsers, read(t, files, "/etc/passwd")); diff != "" {
		t.Error(diff)
	}
	wantGroups := `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:app
app:x:10:
one:x:11:app
two:x:12:app
`
	if diff := cmp.Diff(wantGroups, read(t, files, "/etc/group")); diff != "" {
		t.Error(diff)
	}
	if got := read(t, files, "/etc/nsswitch.conf"); got != "hosts: files\n" {
		t.Errorf("the image's own nsswitch.conf became %q", got)
	}
}

func TestGroupsOfRootPassBuiltinIDs(t *testing.T) {
	got := group(smithfile.ParseUser("root:root"), []string{"one", "root", "two"}, nil)
	if !strings.HasSuffix(got, "tty:x:5:\none:x:6:root\ntwo:x:7:root\n") || strings.Count(got, "root:x:0:root\n") != 1 {
		t.Error(got)
	}
}

func TestFurnishRepeatsNothingOfTheParent(t *testing.T) {
	parent := tree.New()
	if _, err := Furnish(parent, Furniture{Accounts: true}); err != nil {
		t.Fatal(err)
	}
	files := tree.New()
	reasons, err := Furnish(files, Furniture{Parent: parent, Accounts: true})
	if err != nil || len(reasons) != 0 {
		t.Errorf("repeated: %v, %v", reasons, err)
	}
	reasons, err = Furnish(files, Furniture{Parent: parent, Accounts: true, User: smithfile.ParseUser("app")})
	if err != nil || !strings.Contains(reasons["/etc/passwd"].Detail, "replaces the parent's") {
		t.Errorf("%v, %v", reasons, err)
	}
}

func TestFurnishRefusesAFileInPlaceOfAFolder(t *testing.T) {
	files := tree.New()
	insert(t, files, "/run", tree.NewFile(nil, 0o644))
	_, err := Furnish(files, Furniture{})
	if want := "/run must be a folder in the image, but a file stands there"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	if files, err := Overlay(filepath.Join(dir, "absent")); files != nil || err != nil {
		t.Errorf("absent: %v, %v", files, err)
	}
	for name, text := range map[string]string{"etc/app.conf": "text", "empty/.gitignore": "", "a/.gitignore/kept": ""} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Overlay(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, "/etc/app.conf"); got != "text" {
		t.Errorf("got %q", got)
	}
	if files.Exists("/empty/.gitignore") || !files.Exists("/empty") || !files.Exists("/a/.gitignore/kept") {
		t.Error(lines(t, files))
	}
	if _, err := Overlay(filepath.Join(dir, "etc/app.conf")); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("a file as overlay: %v", err)
	}
}

// unreadable is a folder whose entries cannot be listed.
type unreadable struct{}

func (unreadable) Entry(string) (*tree.Node, error)        { return nil, errUnreadable }
func (unreadable) Entries() (map[string]*tree.Node, error) { return nil, errUnreadable }

var errUnreadable = errors.New("cannot list /etc: broken disk")

func TestNormaliseTellsWhatCannotBeRead(t *testing.T) {
	files := tree.New()
	insert(t, files, "/etc", &tree.Node{Kind: tree.Dir, Listing: unreadable{}})
	_, err := Normalise(files, Form{}, event.Silent{})
	if want := "cannot bring files into their normal form: cannot list /etc: broken disk"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
