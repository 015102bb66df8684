package deb

import (
	"fmt"
	"strings"
	"testing"

	"smith/internal/distro"
	"smith/internal/distro/deb/control"
	"smith/internal/golden"
	"smith/internal/lock"
)

// Which packages of a set satisfy what others call for.
func TestRelations(t *testing.T) {
	f := newFamily(Options{Options: distro.Options{Requests: []distro.Request{{Text: "app"}, {Text: "mail-transport-agent"}}}})
	var set []distro.Package
	for _, text := range []string{
		"Package: app\nVersion: 2\nArchitecture: amd64\nSection: web\nPre-Depends: init (>= 1)\n" +
			"Depends: lib (>= 1.2), none | virtual, python3:any, mail-transport-agent, virtual (>= 2), app, lib:i386\nRecommends: doc, absent\n",
		"Package: lib\nVersion: 1.3\nArchitecture: amd64\nSource: app-source (2)\nMulti-Arch: same\n",
		"Package: lib\nVersion: 1.3\nArchitecture: i386\nSource: app-source (2)\nMulti-Arch: same\n",
		"Package: old\nVersion: 1\nArchitecture: all\nProvides: virtual, other (= 3)\nDepends: other (>= 3), libfoo-i386\n",
		"Package: new\nVersion: 1\nArchitecture: amd64\nProvides: virtual (= 2), mail-transport-agent\nMulti-Arch: foreign\n",
		"Package: init\nVersion: 1\nArchitecture: amd64\nEssential: yes\n",
		"Package: python3\nVersion: 3\nArchitecture: i386\nMulti-Arch: allowed\n",
		"Package: doc\nVersion: 3\nArchitecture: all\nDepends: other (= 3)\n",
	} {
		p, err := control.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, &pkg{family: f, relations: p, Item: &distro.Item{Locked: lock.Package{
			Name: p.Get("Package"), Version: p.Get("Version"), Architecture: p.Get("Architecture"), SHA256: strings.Repeat("a", 64),
		}}})
	}
	list, err := f.List(t.Context(), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := golden.New(t)
	for _, p := range list {
		text := fmt.Sprintf("source %s, section %q, essential %v, asked %v", p.Source, p.Section, p.Essential, p.Asked)
		for _, r := range p.Relations {
			text += fmt.Sprintf("\n%s %s:", r.Kind, r.Text)
			for _, i := range r.By {
				text += " " + list[i].Name + ":" + list[i].Architecture
			}
		}
		texts.Add(p.Name+":"+p.Architecture, text)
	}
}
