package service

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"smith/internal/golden"
	"smith/internal/tree"
)

// text shows a service, a line each setting that it has.
func (s Service) text() string {
	var b strings.Builder
	line := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "[]" && text != "false" {
			fmt.Fprintf(&b, "%s: %s\n", name, text)
		}
	}
	line("program", s.Program)
	for _, a := range s.Args {
		line("arg", a)
	}
	line("user", s.User)
	line("group", s.Group)
	line("groups", s.Groups)
	for _, e := range s.Env {
		line("env", e)
	}
	line("dir", s.Dir)
	line("stop", s.StopSignal)
	line("forks", s.Forks)
	line("once", s.Once)
	line("instance", s.Instance)
	for _, d := range s.Directories {
		line(string(d.Class), strings.TrimSuffix(d.Path+" "+d.User+":"+d.Group, " :"))
	}
	line("from", s.From)
	line("why", s.Why)
	return strings.TrimSuffix(b.String(), "\n")
}

func files(t *testing.T, name string) (*tree.Tree, []string) {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	at, paths := tree.New(), []string{}
	for _, f := range archive.Files {
		if err := at.Insert(f.Name, tree.NewFile(f.Data, 0o755)); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, f.Name)
	}
	return at, paths
}

func TestFind(t *testing.T) {
	texts := golden.New(t)
	for _, name := range []string{"units.txtar", "scripts.txtar"} {
		at, paths := files(t, name)
		slices.Reverse(paths) // the order of the files does not matter
		for _, s := range Find(at, paths) {
			texts.Add(s.Name, s.text())
			if changed := s.Unprivileged(); !slices.Equal(changed.Args, s.Args) {
				texts.Add(s.Name+" without root", changed.text())
			}
		}
	}
}

// A link to a unit is another name of it, and not a service of its own.
func TestAlias(t *testing.T) {
	at, _ := files(t, "units.txtar")
	alias := "/usr/lib/systemd/system/alias.service"
	if err := at.Insert(alias, &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: "webd.service"}); err != nil {
		t.Fatal(err)
	}
	if found := Find(at, []string{alias}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestTmpfiles(t *testing.T) {
	texts := golden.New(t)
	for _, d := range Tmpfiles("# comment\nd /run/a 0755 web webgroup -\nD! /var/run/b - - - -\nd %t/c\nf /run/file - - - -\nL /run/l - - - - /x\nv /var/lib/v 0700 root root\n" +
		"d /etc/x\nd /run/*/x\nq /var/log/q 0755 :u :g\nd relative\nd\n\n") {
		texts.Add(d.Path, fmt.Sprintf("%s %q %q", d.Class, d.User, d.Group))
	}
}

// Each line of the tables has a source.
func TestSources(t *testing.T) {
	for _, table := range []map[string]foreground{foregrounds, unprivileged} {
		for name, f := range table {
			if f.source == "" {
				t.Errorf("%s: no source", name)
			}
		}
	}
}

// FuzzFind reads anything as a unit, a script and a line of tmpfiles.d.
func FuzzFind(f *testing.F) {
	for _, name := range []string{"units.txtar", "scripts.txtar"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte("[Service]\nExecStart=/x ${ $$ %% % \\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		at := tree.New()
		var paths []string
		for _, name := range []string{"/usr/lib/systemd/system/x.service", "/etc/init.d/x", "/etc/init.d/y"} {
			if name == "/etc/init.d/y" {
				data = append([]byte("#!/sbin/openrc-run\n"), data...)
			}
			if err := at.Insert(name, tree.NewFile(data, 0o644)); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, name)
		}
		for _, s := range append(Find(at, paths), Find(at, paths[2:])...) {
			if s.Unprivileged(); !filepath.IsAbs(s.Program) {
				t.Errorf("%q is not absolute", s.Program)
			}
			for _, d := range s.Directories {
				if !filepath.IsAbs(d.Path) {
					t.Errorf("%q is not absolute", d.Path)
				}
			}
		}
		Tmpfiles(string(data))
	})
}
