package repodata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/cache/store/storetest"
)

func TestDebug(t *testing.T) {
	st := storetest.New(t)
	all := universe(`
bzip2-1-1.x86_64
bzip2-libs-1-1.x86_64
bzip2-debuginfo-1-1.x86_64
bzip2-debuginfo-1-1.i686
bzip2-debuginfo-1-2.x86_64
bzip2-libs-debuginfo-1-1.x86_64 requires bzip2-debuginfo(x86-64) = 1-1
old-3-1.x86_64
old-libs-4-1.x86_64
old-debuginfo-3-1.x86_64
new-1-1.x86_64
new-libs-debuginfo-1-1.x86_64 recommends new-debuginfo(x86-64) = 1-1
new-debuginfo-1-1.x86_64
none-1-1.x86_64
odd-debuginfo-1-1.x86_64
`).packages()
	var packages []*Package
	for _, p := range all {
		packages = append(packages, p.Package)
		// Of one source: the version of a package may be its own.
		source, _, _ := strings.Cut(p.Name, "-")
		version := p.String()
		if p.Name == "old-libs" {
			version = "3-1"
		}
		p.SourceRPM = source + "-" + version + ".src.rpm"
		if source == "odd" {
			p.SourceRPM = ""
		}
	}
	index, err := NewIndex(st, packages)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	c, err := New(t.Context(), []*Repository{{Name: "r", Index: index}}, Options{Machine: "x86_64"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"bzip2-1-1 bzip2-1-1.src.rpm":      "bzip2-debuginfo-0:1-1.x86_64",
		"bzip2-1-2 bzip2-1-2.src.rpm":      "bzip2-debuginfo-0:1-2.x86_64",
		"bzip2-libs-1-1 bzip2-1-1.src.rpm": "bzip2-libs-debuginfo-0:1-1.x86_64 bzip2-debuginfo-0:1-1.x86_64",
		"old-libs-4-1 old-3-1.src.rpm":     "old-debuginfo-0:3-1.x86_64",
		"new-libs-1-1 new-1-1.src.rpm":     "new-libs-debuginfo-0:1-1.x86_64 new-debuginfo-0:1-1.x86_64",
		"none-1-1 none-1-1.src.rpm":        "",
		"odd-1-1 ":                         "odd-debuginfo-0:1-1.x86_64",
		"odd-1-2 ":                         "",
	} {
		nevr, source, _ := strings.Cut(name, " ")
		p := universe(nevr + ".x86_64").packages()[0].Package
		p.SourceRPM = source
		ids, err := c.Debug(p)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range ids {
			found, _, err := c.Find(id)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, found.NEVRA())
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestSourceName(t *testing.T) {
	for text, want := range map[string]string{
		"bzip2-1.0.8-18.el9.src.rpm": "bzip2", "java-17-openjdk-17.0.1-2.el9.src.rpm": "java-17-openjdk", "x-1.src.rpm": "", "": "", "-1-1": "",
	} {
		if got := SourceName(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
