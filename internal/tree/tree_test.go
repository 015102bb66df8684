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
