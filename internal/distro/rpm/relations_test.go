package rpm

import (
	"fmt"
	"testing"

	"smith/internal/distro"
	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/golden"
	"smith/internal/lock"
)

// Which packages of a set satisfy what others call for.
func TestRelations(t *testing.T) {
	parse := func(texts ...string) []relation.Relation {
		var all []relation.Relation
		for _, text := range texts {
			r, ok := relation.Parse(text)
			if relation.IsRich(text) {
				r, ok = relation.Relation{Name: text}, true
			}
			if !ok {
				t.Fatal(text)
			}
			all = append(all, r)
		}
		return all
	}
	f := newFamily(Options{Options: distro.Options{Requests: []distro.Request{{Text: "app"}}}})
	var set []distro.Package
	for _, about := range []*repodata.Package{
		{
			Name: "app", SourceRPM: "app-suite-1-2.src.rpm", Files: []string{"/usr/bin/app"},
			Requires:   parse("lib >= 1", "lib >= 3", "/bin/sh", "/usr/bin/app", "libz.so.1()(64bit)", "(a or lib)", "(lib if shell)", "(lib if a else shell)", "(lib with virtual = 2)", "(lib without virtual)", "absent"),
			Recommends: parse("shell"),
		},
		{Name: "lib", Provides: parse("virtual = 2", "libz.so.1()(64bit)")},
		{Name: "shell", Files: []string{"/usr/bin/sh"}},
	} {
		about.EVR, about.Arch = relation.ParseEVR("2-1"), "x86_64"
		set = append(set, &pkg{family: f, about: about, Item: &distro.Item{Locked: lock.Package{Name: about.Name, Version: "2-1", Architecture: "x86_64"}}})
	}
	list, err := f.List(t.Context(), set, func(distro.Package) ([]string, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	texts := golden.New(t)
	for _, p := range list {
		text := fmt.Sprintf("source %q, asked %v", p.Source, p.Asked)
		for _, r := range p.Relations {
			text += fmt.Sprintf("\n%s %s:", r.Kind, r.Text)
			for _, i := range r.By {
				text += " " + list[i].Name
			}
		}
		texts.Add(p.Name, text)
	}
}
