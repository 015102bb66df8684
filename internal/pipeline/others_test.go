package pipeline

import (
	"context"
	"strings"
	"testing"

	"smith/internal/closure"
	"smith/internal/golden"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// listed is packages by their names: the digest of each is its name.
type listed []source.Package

func (l listed) List(context.Context) ([]source.Package, error) { return l, nil }

// Which programs beside the entry point are left out.
func TestSpare(t *testing.T) {
	// A line is a package, a path, "!" for a script, "-" for any other
	// executable or "#" and a text, and what asks for it: "" is the spec.
	const files = `
server /usr/sbin/server -
server /usr/bin/tool !
server /usr/share/server/tool\[1\] !
server /usr/bin/ctl -
server /usr/bin/setup !
server /usr/bin/types !
server /etc/server.conf #/usr/bin/types
server /usr/lib/server/helper ! /usr/sbin/server
perl /usr/bin/perl - /usr/bin/types
perl /usr/bin/perl - /usr/bin/tool
perl /usr/bin/perl - /usr/share/server/tool[1]
libc /usr/lib/libc.so.6 - /usr/sbin/server
libc /usr/lib/libc.so.6 - /usr/bin/ctl
dash /usr/bin/sh - /usr/bin/setup
python /usr/bin/python - /usr/lib/server/helper
`
	offered := tree.New()
	sel := &closure.Selection{Tree: tree.New(), Files: map[string][]record.Reason{}}
	in := closure.Input{Source: offered, Entrypoint: []string{"/usr/sbin/server"}}
	for _, line := range strings.Split(strings.TrimSpace(files), "\n") {
		words := append(strings.Fields(line), "")
		name := strings.NewReplacer(`\`, "").Replace(words[1])
		n := tree.NewFile([]byte(map[string]string{"!": "#!/bin/x\n", "-": "\x7fELF"}[words[2]]), 0o755)
		if text, is := strings.CutPrefix(words[2], "#"); is {
			n = tree.NewFile([]byte("types = "+text), 0o644)
		}
		if words[0] == "perl" || words[0] == "python" || words[0] == "dash" {
			n = tree.NewFile(make([]byte, mostBrought+1), 0o755)
		}
		n.Origin = &record.Origin{Kind: record.KindPackage, Package: record.Package{Name: words[0]}, Digest: words[0]}
		for _, to := range []*tree.Tree{offered, sel.Tree} {
			if err := to.Insert(name, n.Copy()); err != nil {
				t.Fatal(err)
			}
		}
		sel.Files[name] = append(sel.Files[name], record.Reason{Rule: record.RuleNeeded, From: words[3]})
		if words[3] == "" {
			in.Roots = append(in.Roots, closure.Root{Pattern: words[1], Part: true})
		}
	}
	known := listed{{Package: record.Package{Name: "server"}, Digest: "server"}, {Package: record.Package{Name: "perl"}, Digest: "perl"}, {Package: record.Package{Name: "dash"}, Digest: "dash", Essential: true}}
	texts := golden.New(t)
	for _, c := range []struct {
		name string
		spec smithfile.Spec
	}{
		{"by default", smithfile.Spec{}},
		{"one program", smithfile.Spec{Programs: []string{"tool"}}},
		{"a glob", smithfile.Spec{Programs: []string{"/usr/share/**"}}},
		{"all programs", smithfile.Spec{Programs: []string{"all"}}},
		{"all dependencies", smithfile.Spec{Dependencies: "keep"}},
	} {
		left, err := spare(t.Context(), Request{Spec: &c.spec}, in, sel, known, nil)
		if err != nil {
			t.Fatal(err)
		}
		if before, after := len(in.Roots), len(left.without(in.Roots)); before-after != len(left.patterns) {
			t.Errorf("%s: %d of %d roots are left, want %d fewer", c.name, after, before, len(left.patterns))
		}
		texts.Add(c.name, strings.Join(left.warnings(), "\n"))
	}
}
