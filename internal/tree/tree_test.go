package tree

import "testing"

func build(t *testing.T, entries ...Entry) *Tree {
	t.Helper()
	tr := New()
	if err := tr.Apply(entries); err != nil {
		t.Fatal(err)
	}
	return tr
}

func link(path, target string) Entry {
	return Entry{Path: path, Node: &Node{Kind: Symlink, Link: target}}
}
func file(path string) Entry { return Entry{Path: path, Node: NewFile([]byte(path), 0o755)} }

func TestResolveStaysInside(t *testing.T) {
	tr := build(t, file("usr/bin/cat"), link("bin", "usr/bin"), link("usr/bin/dog", "../../../../bin/cat"), link("abs", "/bin/dog"))
	at, err := tr.Resolve("/abs")
	if err != nil || at.Path() != "/usr/bin/cat" || len(at.Links) != 4 {
		t.Fatalf("got %+v, %v", at, err)
	}
	paths, err := tr.Glob("{bin,usr}/*at")
	if err != nil || len(paths) != 1 || paths[0] != "/bin/cat" {
		t.Fatalf("glob: %v, %v", paths, err)
	}
}

func TestLiteralMatchesOnlyItself(t *testing.T) {
	for _, name := range []string{"/usr/bin/[", "/a/{b,c}", "/a/*", `/a\b`, "/a?", "/[ab]", "/plain"} {
		if !Match(Literal(name), name) {
			t.Errorf("%s does not match itself", name)
		}
		if other := "/a/x"; name != other && Match(Literal(name), other) {
			t.Errorf("%s matches %s", name, other)
		}
		files := New()
		if err := files.Insert(name, NewFile(nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		if got, err := files.Glob(Literal(name)); err != nil || len(got) != 1 || got[0] != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
