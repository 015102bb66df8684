package deb

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro"
	"smith/internal/distro/deb/control"
	"smith/internal/lock"
)

func locked(name, source, architecture, buildIDs string) *pkg {
	p := &pkg{Item: &distro.Item{Locked: lock.Package{Name: name, Version: "1", Architecture: architecture, Debug: source}}}
	if buildIDs != "" {
		p.relations = control.Paragraph{{Name: "Build-Ids", Value: buildIDs}}
	}
	return p
}

// A package's own debug information comes before that of all of its source,
// also where a lock alone tells of them.
func TestDebugOf(t *testing.T) {
	debug := []*pkg{
		locked("jq-dbgsym", "jq", "amd64", ""), locked("jq-dbgsym", "jq", "arm64", ""), locked("libjq1-dbgsym", "jq", "amd64", ""),
		locked("libc6-dbg", "glibc", "amd64", ""), locked("libc-bin-dbgsym", "glibc", "amd64", ""),
	}
	for _, w := range []struct{ name, source, architecture, want string }{
		{"jq", "jq", "amd64", "jq-dbgsym"},
		{"libjq1", "jq", "amd64", "libjq1-dbgsym"},
		{"libjq1", "jq", "arm64", ""},
		{"libc6", "glibc", "amd64", "libc6-dbg"},
		{"libc-bin", "glibc", "amd64", "libc-bin-dbgsym"},
		{"other", "other", "amd64", ""},
	} {
		p := locked(w.name, "", w.architecture, "")
		p.relations = control.Paragraph{{Name: "Package", Value: w.name}, {Name: "Source", Value: w.source}}
		var got []string
		for _, d := range debugOf(p, debug) {
			got = append(got, d.Locked.Name)
		}
		if d := cmp.Diff(w.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", w.name, w.architecture, d)
		}
	}
}

func TestMayHold(t *testing.T) {
	for _, w := range []struct {
		known string
		asked []string
		want  bool
	}{
		{"aa bb", []string{"bb", "cc"}, true}, {"aa bb", []string{"cc"}, false}, {"", []string{"cc"}, true}, {"aa", []string{"cc", ""}, true},
	} {
		if got := locked("x-dbgsym", "x", "amd64", w.known).mayHold(w.asked); got != w.want {
			t.Errorf("%q of %q: %v", w.asked, w.known, got)
		}
	}
}
