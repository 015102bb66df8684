package tree

import (
	"strings"
	"testing"
)

// What is said of paths, patterns and contents that cannot be.
func TestMistakes(t *testing.T) {
	files := New()
	if err := files.Insert("/f", NewFile([]byte("text"), 0o644)); err != nil {
		t.Fatal(err)
	}
	away := &Node{Kind: File, Size: 3}
	if err := files.Insert("/away", away); err != nil {
		t.Fatal(err)
	}
	insert := func(name string) error { return files.Insert(name, NewFile(nil, 0o644)) }
	glob := func(pattern string) error {
		_, err := files.Glob(pattern)
		return err
	}
	read := func(name string, limit int64) error {
		at, err := files.Lookup(name)
		if err == nil {
			_, err = at.Node.ReadAll(limit)
		}
		return err
	}
	apply := func(e ...Entry) error { return New().Apply(e) }
	lay := func(lower, upper *Tree) error { return lower.Lay(upper) }
	deep := strings.Repeat("d/", maxDepth-1)
	braces := strings.Repeat("{a,b}", 11)
	long := strings.Repeat("x", 60)
	for _, c := range []struct {
		err  error
		want string
	}{
		{insert("/"), "cannot put a file at /: the root is a folder"},
		{insert("/f/x"), `cannot put "/f/x" into the tree: /f is a file, not a folder`},
		{insert("/a/../x"), `path "/a/../x": ".." could lead out of the tree`},
		{insert("/a\x00"), `path "/a\x00": a name holds a NUL byte`},
		{insert(strings.Repeat("x", 256)), `path "` + long + `"…: an element is longer than 255 bytes`},
		{insert(strings.Repeat("x", 4097)), `path "` + long + `"…: longer than 4096 bytes`},
		{glob("/usr/["), `bad glob "/usr/[": a [ or { in it is not closed, or nothing follows a \; write \[, \{ and \\ for the characters themselves`},
		{glob(braces), `glob "` + braces + `": its braces stand for more than 1024 patterns; write several globs`},
		{read("/away", 3), "cannot read /away: its 3 bytes are not at hand"},
		{read("/f", 3), "cannot read /f: its 4 bytes are more than the 3 allowed"},
		{read("/", 3), "cannot read /: it is a dir, not a file"},
		{apply(white("d/.wh...")), `entry "d/.wh...": a whiteout cannot take away ".."`},
		{apply(with("./", "")), `entry "./": a file cannot replace the root`},
		{apply(dir(deep), link("l", deep), with("l/a/b/c", "")), `entry "l/a/b/c": more than 2048 folders in each other`},
		{apply(dir(deep), link("l", deep), dir("l/a"), dir("l/a/b")), `entry "l/a/b": more than 2048 folders in each other`},
		{apply(dir("d"), hard("h", "d")), `entry "h": hard link to "d": it is a folder`},
		{lay(build(t, with("a/x", ""), file("f")), build(t, link("a", "f"))), "cannot replace folder /a by a link to f, which is a file"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
