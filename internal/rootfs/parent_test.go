package rootfs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/smithfile"
	"smith/internal/tree"
	"smith/record"
)

// A directory that the parent has stays as it is there; a file does not.
func TestParentDirectories(t *testing.T) {
	files, parent := tree.New(), tree.New()
	insert(t, parent, "/tmp", &tree.Node{Kind: tree.Dir, Mode: 0o1777, ModTime: time.Unix(5, 0)})
	insert(t, parent, "/etc", &tree.Node{Kind: tree.Dir, Mode: 0o750, UID: 3, GID: 4, ModTime: time.Unix(6, 0), Xattrs: map[string]string{"user.a": "b"}})
	insert(t, parent, "/lib", &tree.Node{Kind: tree.Symlink, Link: "usr/lib"})
	insert(t, parent, "/usr/lib/sub", &tree.Node{Kind: tree.Dir, Mode: 0o700})
	insert(t, files, "/tmp/cache", tree.NewFile(nil, 0o600))
	insert(t, files, "/etc/app.conf", tree.NewFile(nil, 0o600))
	insert(t, files, "/lib/sub", &tree.Node{Kind: tree.Dir, Mode: 0o700})
	insert(t, files, "/opt/app", tree.NewFile(nil, 0o755))
	normal, err := Normalise(files, Form{UID: 10, GID: 10, Time: time.Unix(7, 0), Parent: parent}, event.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	want := `dir 0750 3:4 6 /etc
file 0644 10:10 7 /etc/app.conf
dir 0755 10:10 7 /lib
dir 0755 10:10 7 /lib/sub
dir 0755 10:10 7 /opt
file 0755 10:10 7 /opt/app
dir 1777 0:0 5 /tmp
file 0644 10:10 7 /tmp/cache
`
	if d := cmp.Diff(want, lines(t, normal)); d != "" {
		t.Error(d)
	}
	etc, err := normal.Lookup("/etc")
	if err != nil || etc.Node.Xattrs["user.a"] != "b" {
		t.Errorf("the attributes of /etc are %v, %v", etc.Node.Xattrs, err)
	}
}

// With a parent, the account files hold its accounts and the image's.
func TestAccountsOfParent(t *testing.T) {
	parent := tree.New()
	insert(t, parent, "/etc/passwd", tree.NewFile([]byte("root:x:0:0:r:/root:/bin/sh\nweb:x:33:33::/:\n"), 0o644))
	insert(t, parent, "/etc/group", tree.NewFile([]byte("root:x:0:\nvideo:x:44:old\nother:x:1001:\n"), 0o644))
	files := tree.New()
	f := Furniture{Parent: parent, Accounts: true, User: smithfile.ParseUser("app:1000"), Groups: []string{"video", "new"}}
	if _, err := Furnish(files, f); err != nil {
		t.Fatal(err)
	}
	texts := golden.New(t)
	texts.Add("passwd", read(t, files, "/etc/passwd"))
	texts.Add("group", read(t, files, "/etc/group"))
	f.User = smithfile.User{Name: "web", UID: 34, GID: 34, Named: true}
	_, err := Furnish(tree.New(), f)
	texts.Error("another id", err)
}

// A name that begins with .wh. is refused, whatever the source is.
func TestReservedNames(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct {
		path string
		node *tree.Node
	}{
		{"/etc/.wh.passwd", tree.NewFile(nil, 0o644)},
		{"/.wh.etc", &tree.Node{Kind: tree.Dir, Origin: &record.Origin{Kind: record.KindOverlay, Name: "rootfs"}}},
		{"/lib/.wh..wh..opq", &tree.Node{Kind: tree.Symlink, Link: "a", Origin: &record.Origin{Kind: record.KindPackage, Package: record.Package{Name: "evil", Version: "1", Architecture: "amd64"}}}},
	} {
		files := tree.New()
		insert(t, files, c.path, c.node)
		_, err := Normalise(files, Form{}, event.Silent{})
		texts.Error(c.path, err)
	}
}
