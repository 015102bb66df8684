package discharge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smith/internal/golden"
)

// A fake answers by lists.
type fake struct {
	set   []Package
	files map[string]string // by package
	kept  map[string]string
	// brought are paths by the package that asks for them.
	brought map[string]string
	calls   map[string]string // a program by the package that calls it
	needed  map[string]string // libraries by the package that needs them
}

func list(text string) []string {
	all := strings.Fields(text)
	slices.Sort(all)
	return all
}

func (f *fake) Files(_ context.Context, p int) ([]string, error) {
	return list(f.files[f.set[p].Name]), nil
}
func (f *fake) Kept(p int) []string    { return list(f.kept[f.set[p].Name]) }
func (f *fake) Brought(p int) []string { return list(f.brought[f.set[p].Name]) }

func (f *fake) Calls(_ context.Context, p int, programs []string) (string, string, error) {
	if call := f.calls[f.set[p].Name]; slices.Contains(programs, call) {
		return call, "/usr/bin/" + f.set[p].Name, nil
	}
	return "", "", nil
}

func (f *fake) Needed(_ context.Context, p int, libraries []string) (bool, error) {
	return slices.ContainsFunc(list(f.needed[f.set[p].Name]), func(l string) bool { return slices.Contains(libraries, l) }), nil
}

// packages reads "name: dependency other|dependency; name: …"; a name with "!"
// is essential.
func packages(text string) []Package {
	var set []Package
	index := map[string]int{}
	var needs []string
	for _, line := range strings.Split(text, ";") {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		essential := strings.HasSuffix(name, "!")
		name = strings.TrimSuffix(name, "!")
		index[name] = len(set)
		set = append(set, Package{Name: name, Essential: essential})
		needs = append(needs, rest)
	}
	for i, rest := range needs {
		for _, word := range strings.Fields(rest) {
			n := Need{Text: word}
			for _, name := range strings.Split(word, "|") {
				if at, known := index[name]; known {
					n.By = append(n.By, at)
				}
			}
			set[i].Needs = append(set[i].Needs, n)
		}
	}
	return set
}

func judged(t *testing.T, f *fake, policy Policy) string {
	t.Helper()
	verdicts, err := Judge(t.Context(), f.set, f, policy)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range verdicts {
		outcome := map[Outcome]string{Discharged: "discharged", Unneeded: "unneeded", Stands: "stands for its dependencies", Undischarged: "kept"}[v.Outcome]
		text := fmt.Sprintf("%s → %s: %s", f.set[v.From].Name, f.set[v.To].Name, outcome)
		if v.Why != "" {
			text += ": " + v.Why
		}
		if len(v.Files) > 0 {
			text += ": " + strings.Join(v.Files, " ")
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

type paths = map[string]string

func TestJudge(t *testing.T) {
	module := "/usr/lib/python3/dist-packages/"
	cases := []struct {
		name string
		fake fake
	}{
		{"a module that nothing imports by a literal name", fake{
			set:   packages("gunicorn: pkg; pkg"),
			files: paths{"pkg": module + "pkg/__init__.py /usr/bin/pkg-tool"},
			kept:  paths{"gunicorn": "/usr/bin/gunicorn " + module + "gunicorn/util.py"},
		}},
		{"a module that the closure keeps a file of", fake{
			set:  packages("gunicorn: pkg; pkg"),
			kept: paths{"gunicorn": module + "gunicorn/util.py", "pkg": module + "pkg/__init__.py"},
		}},
		{"Perl modules for a script that is left out", fake{
			set:   packages("server: libdbi-perl; libdbi-perl"),
			files: paths{"libdbi-perl": "/usr/share/perl5/DBI.pm"},
			kept:  paths{"server": "/usr/sbin/server"},
		}},
		{"Perl modules for a program that embeds Perl", fake{
			set:     packages("server: libdbi-perl; libdbi-perl"),
			files:   paths{"libdbi-perl": "/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm"},
			kept:    paths{"server": "/usr/sbin/server"},
			brought: paths{"server": "/usr/lib/x86_64-linux-gnu/libperl.so.5.36"},
		}},
		{"a library for a program that is left out", fake{
			set:    packages("server: libz; libz"),
			files:  paths{"libz": "/usr/lib/x86_64-linux-gnu/libz.so.1"},
			kept:   paths{"server": "/usr/sbin/server"},
			needed: paths{"server": "libz.so.1"},
		}},
		{"a library that no object needs", fake{
			set:   packages("player: libmad; libmad: data; data"),
			files: paths{"libmad": "/usr/lib64/libmad.so.0 /usr/share/libmad/table", "data": "/usr/share/x"},
			kept:  paths{"player": "/usr/bin/player"},
		}},
		{"plugins", fake{
			set:   packages("mumble: sqlite; sqlite"),
			files: paths{"sqlite": "/usr/lib/x86_64-linux-gnu/qt5/plugins/sqldrivers/libqsqlite.so"},
			kept:  paths{"mumble": "/usr/sbin/murmurd"},
		}},
		{"plugins that a rule of the closure decides on", fake{
			set:   packages("libsasl: db; db"),
			files: paths{"db": "/usr/lib/x86_64-linux-gnu/sasl2/libsasldb.so"},
			kept:  paths{"libsasl": "/usr/lib/x86_64-linux-gnu/libsasl2.so.2"},
		}},
		{"data", fake{
			set:   packages("tesseract: eng; eng"),
			files: paths{"eng": "/usr/share/tesseract-ocr/5/tessdata/eng.traineddata"},
			kept:  paths{"tesseract": "/usr/bin/tesseract"},
		}},
		{"programs with a call, without one, and for maintainer scripts", fake{
			set:   packages("app: sed awk adduser; sed; awk; adduser"),
			files: paths{"sed": "/usr/bin/sed /usr/bin/ssed /usr/share/sed/x", "awk": "/usr/bin/awk", "adduser": "/usr/sbin/adduser /usr/share/perl5/A.pm"},
			kept:  paths{"app": "/usr/bin/app"},
			calls: paths{"app": "sed"},
		}},
		{"an interpreter of kept modules", fake{
			set:   packages("python3-x: python3; python3"),
			files: paths{"python3": "/usr/bin/python3 /usr/share/python3/x"},
			kept:  paths{"python3-x": module + "x.py"},
		}},
		{"packages without files, also in a circle", fake{
			set:   packages("app: meta; meta: real|other app meta2; real; other; meta2: meta absent"),
			files: paths{"real": "/usr/share/real"},
			kept:  paths{"app": "/usr/bin/app"},
		}},
		{"the essential packages and files of machines", fake{
			set:   packages("app: base setup; base!: data; data; setup"),
			files: paths{"base": "/usr/share/base", "setup": "/etc/passwd /etc/group"},
			kept:  paths{"app": "/usr/bin/app"},
		}},
		{"the rest of a package of which a program is kept", fake{
			set:   packages("app: erl; erl: tool" + "; tool"),
			files: paths{"erl": "/usr/bin/erl /usr/bin/erlc /usr/lib/erlang/erts/bin/beam.smp /usr/share/erl/x.pl /usr/share/erl/y /usr/lib/libz.so.1"},
			kept:  paths{"app": "/usr/bin/app", "erl": "/usr/bin/erl"},
		}},
		{"the alternative that is kept", fake{
			set:   packages("app: mta|exim; mta; exim"),
			files: paths{"mta": "/usr/share/mta"},
			kept:  paths{"app": "/usr/bin/app", "exim": "/usr/sbin/exim"},
		}},
	}
	texts := golden.New(t)
	for _, c := range cases {
		texts.Add(c.name, judged(t, &c.fake, Prove))
	}
}

func TestJudgeAll(t *testing.T) {
	f := &fake{
		set:   packages("app: lib base done; lib; base!; done"),
		files: paths{"lib": "/usr/lib/libz.so.1 /usr/share/z", "base": "/bin/sh", "done": "/usr/share/d"},
		kept:  paths{"app": "/usr/bin/app", "lib": "/usr/lib/libz.so.1", "done": "/usr/share/d /usr/share/e"},
	}
	golden.New(t).Add("all", judged(t, f, All))
}
