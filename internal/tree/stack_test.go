package tree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dump shows a tree, one line a path: kind, path, and what tells it apart:
// a file's bytes and whether it shares them with another name, a link's target.
func dump(t *testing.T, tr *Tree) string {
	t.Helper()
	inodes := map[*Inode]string{}
	var b strings.Builder
	err := tr.Walk(func(n *Node) error {
		line := fmt.Sprintf("%s %s", n.Kind, n.Path())
		switch {
		case n.Kind == Symlink:
			line += " -> " + n.Link
		case n.Kind == File:
			data, err := n.ReadAll(1000)
			if err != nil {
				return err
			}
			line += " = " + string(data)
		}
		if n.Inode != nil {
			if first, ok := inodes[n.Inode]; ok {
				line += " (is " + first + ")"
			} else {
				inodes[n.Inode] = n.Path()
			}
		}
		b.WriteString(line + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(b.String(), "dir /\n")
}

func dir(path string) Entry          { return Entry{Path: path, Node: &Node{Kind: Dir, Mode: 0o755}} }
func hard(path, target string) Entry { return Entry{Path: path, Hardlink: target} }
func white(path string) Entry        { return Entry{Path: path, Node: NewFile(nil, 0)} }
func with(path, content string) Entry {
	return Entry{Path: path, Node: NewFile([]byte(content), 0o644)}
}
func layers(l ...[]Entry) [][]Entry { return l }
func entries(e ...Entry) []Entry    { return e }

func TestApply(t *testing.T) {
	tests := []struct {
		name   string
		layers [][]Entry
		want   string
	}{
		{
			"missing folders are made", layers(entries(with("a/b/c", "1"))),
			"dir /a\ndir /a/b\nfile /a/b/c = 1\n",
		},
		{
			"forms of one name", layers(entries(with("a", "1"), with("./a", "2"), with("/a", "3"), with("//./a", "4"))),
			"file /a = 4\n",
		},
		{
			"a later layer replaces a file", layers(entries(with("a", "1")), entries(with("a", "2"))),
			"file /a = 2\n",
		},
		{
			"a whiteout takes a file away", layers(entries(with("d/a", "1"), with("d/b", "2")), entries(white("d/.wh.a"))),
			"dir /d\nfile /d/b = 2\n",
		},
		{
			"a whiteout takes a folder away", layers(entries(with("d/e/a", "1")), entries(white("d/.wh.e"))),
			"dir /d\n",
		},
		{
			"a whiteout of nothing", layers(entries(with("a", "1")), entries(white(".wh.b"), white("no/.wh.b"))),
			"file /a = 1\n",
		},
		{
			"a whiteout does not hide its own layer, whatever the order", layers(entries(with("d/a", "1")), entries(with("d/a", "2"), white("d/.wh.a"))),
			"dir /d\nfile /d/a = 2\n",
		},
		{
			"a folder taken away and made anew", layers(entries(with("d/a", "1")), entries(with("d/b", "2"), white(".wh.d"))),
			"dir /d\nfile /d/b = 2\n",
		},
		{
			"opaque", layers(entries(with("d/a", "1"), with("d/e/f", "1")), entries(with("d/b", "2"), white("d/.wh..wh..opq"))),
			"dir /d\nfile /d/b = 2\n",
		},
		{
			"opaque root", layers(entries(with("a", "1")), entries(white(".wh..wh..opq"), with("b", "2"))),
			"file /b = 2\n",
		},
		{
			"opaque before anything", layers(entries(white("d/.wh..wh..opq"), with("d/a", "1"))),
			"dir /d\nfile /d/a = 1\n",
		},
		{
			"a file that a whiteout removed comes back", layers(entries(with("a", "1")), entries(white(".wh.a")), entries(with("a", "3"))),
			"file /a = 3\n",
		},
		{
			"a folder keeps its entries", layers(entries(with("d/a", "1")), entries(dir("d"))),
			"dir /d\nfile /d/a = 1\n",
		},
		{
			"a file replaces a folder", layers(entries(with("d/a", "1")), entries(with("d", "2"))),
			"file /d = 2\n",
		},
		{
			"a folder replaces a file", layers(entries(with("d", "1")), entries(dir("d/"), with("d/a", "2"))),
			"dir /d\nfile /d/a = 2\n",
		},
		{
			"a link replaces a folder", layers(entries(with("d/a", "1")), entries(link("d", "e"))),
			"symlink /d -> e\n",
		},
		{
			"a folder replaces a link", layers(entries(with("e/a", "1"), link("d", "e")), entries(dir("d"), with("d/b", "2"))),
			"dir /d\nfile /d/b = 2\ndir /e\nfile /e/a = 1\n",
		},
		{
			"through a link of a lower layer", layers(entries(dir("usr/lib"), link("lib", "usr/lib")), entries(with("lib/x", "1"))),
			"symlink /lib -> usr/lib\ndir /usr\ndir /usr/lib\nfile /usr/lib/x = 1\n",
		},
		{
			"a whiteout through a link", layers(entries(with("usr/lib/x", "1"), link("lib", "/usr/lib")), entries(white("lib/.wh.x"))),
			"symlink /lib -> /usr/lib\ndir /usr\ndir /usr/lib\n",
		},
		{
			"through links through links", layers(entries(dir("c"), link("b", "/c"), link("a", "./b")), entries(with("a/x", "1"))),
			"symlink /a -> ./b\nsymlink /b -> /c\ndir /c\nfile /c/x = 1\n",
		},
		{
			"a link out of the tree stays in it", layers(entries(link("out", "../../../etc")), entries(with("out/passwd", "1"))),
			"dir /etc\nfile /etc/passwd = 1\nsymlink /out -> ../../../etc\n",
		},
		{
			"an absolute link starts at the tree's root", layers(entries(link("out", "/etc"), with("out/passwd", "1"))),
			"dir /etc\nfile /etc/passwd = 1\nsymlink /out -> /etc\n",
		},
		{
			"a dangling link of many elements is filled", layers(entries(link("l", "x/y/z"), with("l/a", "1"))),
			"symlink /l -> x/y/z\ndir /x\ndir /x/y\ndir /x/y/z\nfile /x/y/z/a = 1\n",
		},
		{
			"a folder replaced by a link, then written through", layers(entries(dir("d"), link("d", "/tmp"), with("d/a", "1"))),
			"symlink /d -> /tmp\ndir /tmp\nfile /tmp/a = 1\n",
		},
		{
			"a hard link in the layer", layers(entries(with("a", "1"), hard("b", "a"))),
			"file /a = 1\nfile /b = 1 (is /a)\n",
		},
		{
			"a hard link to a lower layer", layers(entries(with("a", "1")), entries(hard("b", "./a"))),
			"file /a = 1\nfile /b = 1 (is /a)\n",
		},
		{
			"a hard link to an absolute name", layers(entries(with("etc/passwd", "1"), hard("b", "/etc/passwd"))),
			"file /b = 1\ndir /etc\nfile /etc/passwd = 1 (is /b)\n",
		},
		{
			"three names", layers(entries(with("a", "1"), hard("b", "a"), hard("c", "b"))),
			"file /a = 1\nfile /b = 1 (is /a)\nfile /c = 1 (is /a)\n",
		},
		{
			"a name of a hard-linked file replaced", layers(entries(with("a", "1"), hard("b", "a")), entries(with("a", "2"))),
			"file /a = 2\nfile /b = 1\n",
		},
		{
			"a hard link to a link", layers(entries(link("l", "x"), hard("m", "l"))),
			"symlink /l -> x\nsymlink /m -> x (is /l)\n",
		},
		{
			"a hard link through a folder's link", layers(entries(with("usr/a", "1"), link("u", "usr"), hard("b", "u/a"))),
			"file /b = 1\nsymlink /u -> usr\ndir /usr\nfile /usr/a = 1 (is /b)\n",
		},
		{
			"names with newlines are names", layers(entries(with("a\nb", "1"))),
			"file /a\nb = 1\n",
		},
		{
			"other kinds", layers(entries(Entry{Path: "dev/null", Node: &Node{Kind: Device}}, Entry{Path: "p", Node: &Node{Kind: FIFO}})),
			"dir /dev\ndevice /dev/null\nfifo /p\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := New()
			for _, l := range tt.layers {
				if err := tr.Apply(l); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, dump(t, tr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	deep := strings.Repeat("d/", maxDepth-1)
	tests := []struct {
		name    string
		entries []Entry
		want    string // the entry that the error names
		reason  string
	}{
		{"leaving by name", entries(with("../x", "")), `"../x"`, ".."},
		{"leaving in the middle", entries(with("a/../../x", "")), `"a/../../x"`, ".."},
		{"NUL", entries(with("a\x00b", "")), `"a\x00b"`, "NUL"},
		{"a whiteout of ..", entries(white("d/.wh...")), `"d/.wh..."`, `".."`},
		{"a whiteout of .", entries(white("d/.wh.."), dir("d")), `"d/.wh.."`, `"."`},
		{"a whiteout of nothing", entries(white(".wh.")), `".wh."`, `""`},
		{"a whiteout outside", entries(white("../.wh.a")), `"../.wh.a"`, ".."},
		{"a hard link outside", entries(hard("a", "../../etc/passwd")), `"a"`, ".."},
		{"a hard link to nothing", entries(hard("a", "b")), `"a"`, "no such file"},
		{"a hard link to a folder", entries(dir("d"), hard("a", "d")), `"a"`, "folder"},
		{"a hard link to itself", entries(hard("a", "a")), `"a"`, "no such file"},
		{"an entry of neither kind", entries(Entry{Path: "a"}), `"a"`, "folder"},
		{"a file as folder", entries(with("f", ""), with("f/a", "")), `"f/a"`, "not a folder"},
		{"a link to a file as folder", entries(with("f", ""), link("l", "f"), with("l/a", "")), `"l/a"`, "not a folder"},
		{"links in a circle", entries(link("a", "b"), link("b", "a"), with("a/x", "")), `"a/x"`, "too many"},
		{"an empty link", entries(link("a", ""), with("a/x", "")), `"a/x"`, "no such file"},
		{"a file as root", entries(with("./", "")), `"./"`, "root"},
		{"a long name", entries(with(strings.Repeat("x", maxName+1), "")), "xxx", "longer"},
		{"a long path", entries(with(strings.Repeat("x/", maxPath), "")), "x/x", "longer"},
		{"deeper through a link", entries(dir(deep), link("l", deep), with("l/a/b/c", "")), `"l/a/b/c"`, "in each other"},
		{"a folder deeper through a link", entries(dir(deep), link("l", deep), dir("l/a"), dir("l/a/b")), `"l/a/b"`, "in each other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := New().Apply(tt.entries)
			if err == nil || !strings.Contains(err.Error(), "entry "+tt.want) && !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("got %v, want an error about %s with %q", err, tt.want, tt.reason)
			}
		})
	}
}

func TestApplyBoundsImpliedFolders(t *testing.T) {
	var all []Entry
	for i := range maxImplied/1000 + 1 {
		all = append(all, with(fmt.Sprintf("%d/%sf", i, strings.Repeat("d/", 999)), ""))
	}
	// Of all layers together: each alone is within the bound.
	tr := New()
	half := len(all) / 2
	if err := tr.Apply(all[:half]); err != nil {
		t.Fatal(err)
	}
	if err := tr.Apply(all[half:]); err == nil || !strings.HasSuffix(err.Error(), ": the layers imply more than 250000 directories that they do not list") {
		t.Errorf("got %v", err)
	}
}

func TestApplyTakesFieldsOfFolders(t *testing.T) {
	tr := New()
	date := time.Unix(1000, 0)
	err := tr.Apply(entries(
		with("d/a", "1"),
		Entry{Path: "./", Node: &Node{Kind: Dir, Mode: 0o1777, UID: 1}},
		Entry{Path: "d", Node: &Node{Kind: Dir, Mode: 0o700, GID: 2, ModTime: date, Xattrs: map[string]string{"user.a": "b"}}},
	))
	if err != nil {
		t.Fatal(err)
	}
	if r := tr.Root(); r.Mode != 0o1777 || r.UID != 1 {
		t.Errorf("root: mode %o, uid %d", r.Mode, r.UID)
	}
	at, err := tr.Lookup("/d")
	if d := at.Node; err != nil || d.Mode != 0o700 || d.GID != 2 || !d.ModTime.Equal(date) || d.Xattrs["user.a"] != "b" {
		t.Errorf("folder: %+v, %v", d, err)
	}
}
