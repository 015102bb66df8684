package recording

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/capability"
	"smith/internal/golden"
	"smith/internal/tree"
	"smith/record"
)

// shared returns a tree of each kind of node, with a hard link.
func shared(t testing.TB) *tree.Tree {
	t.Helper()
	files := tree.New()
	origin := &record.Origin{Kind: "image", Name: "base.tar", Digest: "sha256:1"}
	tool := tree.NewFile([]byte("data"), 0o755)
	tool.Origin = origin
	err := files.Apply([]tree.Entry{
		{Path: "bin/tool", Node: tool},
		{Path: "bin/again", Hardlink: "bin/tool"},
		{Path: "sh", Node: &tree.Node{Kind: tree.Symlink, Link: "bin/tool"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesComeBack(t *testing.T) {
	files, err := Files(shared(t), map[string][]record.Reason{"/sh": {{Rule: "path", Detail: "path in smith.yaml:2"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []record.File{
		{Path: "/bin", Type: "dir", Origin: &record.Origin{Kind: "image", Name: "base.tar", Digest: "sha256:1"}},
		{Path: "/bin/again", Type: "file", Size: 4, Digest: "sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7", Origin: &record.Origin{Kind: "image", Name: "base.tar", Digest: "sha256:1"}},
		{Path: "/bin/tool", Type: "hardlink", Link: "/bin/again", Origin: &record.Origin{Kind: "image", Name: "base.tar", Digest: "sha256:1"}},
		{Path: "/sh", Type: "symlink", Link: "bin/tool", Reasons: []record.Reason{{Rule: "path", Detail: "path in smith.yaml:2"}}},
	}
	if d := cmp.Diff(want, files); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r := &record.Record{Version: record.Version, Spec: "smith.yaml", Platform: "linux/amd64", Files: files, Warnings: []string{"w"}}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, again); d != "" {
		t.Errorf("read again (-want +got):\n%s", d)
	}
}

// A capability attribute that cannot be read is an error that names the file.
func TestDamagedCapabilities(t *testing.T) {
	files := tree.New()
	tool := tree.NewFile(nil, 0o755)
	tool.Xattrs = map[string]string{capability.Attribute: "?"}
	if err := files.Insert("/bin/tool", tool); err != nil {
		t.Fatal(err)
	}
	_, err := Files(files, nil)
	golden.New(t).Error("attribute", err)
}
