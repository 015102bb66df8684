package pipeline

import (
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/closure"
	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/tree"
	"smith/record"
)

func TestLeftOut(t *testing.T) {
	lacking := map[string]*closure.Problem{}
	for _, name := range []string{"/a", "/b", "/c", "/d"} {
		lacking[name] = &closure.Problem{Name: "/usr/bin/python3", From: name, Root: name}
	}
	lacking["/m.so"] = &closure.Problem{Name: "libm.so.6", From: "/deep.so", Root: "/m.so"}
	lacking["/secret"] = &closure.Problem{Name: "/secret", From: "/secret", Root: "/secret"}
	golden.New(t).Add("warnings", strings.Join(leftOut(lacking), "\n"))
}

// A file that is not world-readable is skipped if a package holds it and the spec
// does not name it; of this machine's it may be a secret, and is refused.
func TestUnreadable(t *testing.T) {
	texts := golden.New(t)
	for _, tt := range []struct {
		name   string
		kind   record.Kind
		root   closure.Root
		wanted bool
	}{
		{"of a package, by a glob", record.KindPackage, closure.Root{Pattern: "/usr/sbin/*"}, false},
		{"of a package, by the package's name", record.KindPackage, closure.Root{Pattern: "/usr/sbin/suexec", Part: true}, false},
		{"of a package, by its path", record.KindPackage, closure.Root{Pattern: "/usr/sbin/suexec"}, true},
		{"of this machine, by a glob", record.KindHost, closure.Root{Pattern: "/usr/sbin/*"}, false},
	} {
		offered := tree.New()
		for name, mode := range map[string]uint32{"/usr/sbin/suexec": 0o510, "/usr/sbin/open": 0o644} {
			n := tree.NewFile([]byte("text"), 0o644)
			n.Mode, n.Origin = mode, &record.Origin{Kind: tt.kind}
			if err := offered.Insert(name, n); err != nil {
				t.Fatal(err)
			}
		}
		selection, err := selectParts(t.Context(), closure.Input{
			Source: offered, Roots: []closure.Root{tt.root, {Pattern: "/usr/sbin/open"}}, Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, Events: event.Silent{},
		})
		if err != nil {
			texts.Error(tt.name, err)
			continue
		}
		texts.Add(tt.name, strings.Join(selection.Warnings, "\n"))
		if selection.Tree.Exists("/usr/sbin/suexec") != tt.wanted || !selection.Tree.Exists("/usr/sbin/open") {
			t.Errorf("%s: selected the wrong files", tt.name)
		}
	}
}
