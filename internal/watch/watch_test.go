package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"smith/internal/golden"
)

// Every call that is watched is decoded on both architectures, if the
// architecture has it.
func TestDecode(t *testing.T) {
	d := newDecoder()
	known := map[string]bool{}
	for _, name := range Syscalls() {
		if _, ok := d.forms[name]; !ok {
			t.Errorf("%s is watched and not decoded", name)
		}
		known[name] = true
	}
	for _, arch := range []uint32{archAMD64, archARM64} {
		for number, name := range d.names[arch] {
			if !known[name] {
				t.Errorf("%s is decoded and not watched", name)
			}
			if _, ok := d.decode(registers{Number: number, Architecture: arch}); !ok {
				t.Errorf("%x %s is not decoded", arch, name)
			}
		}
	}
	for name := range d.forms {
		if !known[name] {
			t.Errorf("%s is not watched", name)
		}
	}
	at := uint64(0xffffffffffffff9c) // AT_FDCWD
	for _, c := range []struct {
		name string
		r    registers
		want question
	}{
		{"open for reading", registers{2, archAMD64, 0, [6]uint64{7, 0}}, question{intent: Look, dir: cwd, path: 7}},
		{"open for writing", registers{2, archAMD64, 0, [6]uint64{7, 0x241}}, question{intent: Write, dir: cwd, path: 7}},
		{"openat in a directory", registers{257, archAMD64, 0, [6]uint64{4, 7, 0x20000}}, question{intent: Look, dir: 4, path: 7, link: true}},
		{"openat on arm64", registers{56, archARM64, 0, [6]uint64{at, 7, 0x8000}}, question{intent: Look, dir: cwd, path: 7, link: true}},
		{"an x86 flag on arm64", registers{56, archARM64, 0, [6]uint64{at, 7, 0x20000}}, question{intent: Look, dir: cwd, path: 7}},
		{"openat2", registers{437, archARM64, 0, [6]uint64{at, 7, 8, 24}}, question{intent: Look, dir: cwd, path: 7, how: 8}},
		{"fstatat of a symlink", registers{79, archARM64, 0, [6]uint64{at, 7, 8, 0x100}}, question{intent: Look, dir: cwd, path: 7, link: true}},
		{"execve", registers{221, archARM64, 0, [6]uint64{7}}, question{intent: Execute, dir: cwd, path: 7}},
		{"mkdirat", registers{34, archARM64, 0, [6]uint64{3, 7}}, question{intent: Write, dir: 3, path: 7, create: true}},
	} {
		if got, ok := d.decode(c.r); !ok || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, ok, c.want)
		}
	}
	for _, r := range []registers{{Number: 0, Architecture: archAMD64}, {Number: 5, Architecture: 0x40000003}, {Number: 2, Architecture: archARM64}} {
		if _, ok := d.decode(r); ok {
			t.Errorf("%+v was decoded", r)
		}
	}
}

func TestMentions(t *testing.T) {
	texts := golden.New(t)
	for _, line := range []string{
		`ModuleNotFoundError: No module named 'markupsafe'`,
		`ImportError: No module named yaml.reader`,
		`Can't locate PgCommon.pm in @INC (you may need to install the PgCommon module) (@INC contains: /etc/perl) at /usr/bin/psql line 22.`,
		`<internal:/usr/lib/ruby/rubygems/core_ext/kernel_require.rb>:85:in 'require': cannot load such file -- sinatra (LoadError)`,
		`Error: Cannot find module 'express'`,
		`lua: x.lua:1: module 'cjson' not found:`,
		`can't find package Tk`,
		`/usr/bin/x: error while loading shared libraries: libfoo.so.1: cannot open shared object file: No such file or directory`,
		`Error loading shared library libz.so.1: No such file or directory (needed by /usr/bin/x)`,
		`/bin/sh: 1: sed: not found`,
		`x.sh: line 3: dirname: command not found`,
		`/usr/bin/env: ‘erl’: No such file or directory`,
		`exec: "git": executable file not found in $PATH`,
		`nginx: [emerg] open() "/var/log/nginx/error.log" failed (30: Read-only file system)`,
		`nginx: [emerg] open() "/etc/nginx/mime.types" failed (2: No such file or directory)`,
		`OSError: [Errno 30] Read-only file system: '/var/cache/x'`,
		`FileNotFoundError: [Errno 2] No such file or directory: '/etc/app.conf'`,
		`/bin/sh: 1: cannot create /var/x: Directory nonexistent`,
		`everything is fine in /etc/passwd`,
		`connection to /run/x refused`,
	} {
		texts.Add(line, fmt.Sprint(Mentions("before\n"+line+"\n")))
	}
	if got := Mentions("/bin/sh: 1: a: not found\n/bin/sh: 2: b: not found\n/bin/sh: 3: a: not found\n"); fmt.Sprint(got) != "[{2 a} {2 b}]" {
		t.Error(got)
	}
}

func FuzzMentions(f *testing.F) {
	f.Add(`open() "/var/log" failed (30: Read-only file system)`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range Mentions(text) {
			if m.Name == "" || m.Kind == 0 {
				t.Errorf("%+v of %q", m, text)
			}
		}
		Report(t.Context(), nil, text, Setting{}, nil)
	})
}

func TestTail(t *testing.T) {
	var tail Tail
	for range 10 {
		fmt.Fprint(&tail, strings.Repeat("x", mostText))
	}
	fmt.Fprint(&tail, "end")
	if got := tail.String(); len(got) != mostText || !strings.HasSuffix(got, "xend") || len(tail.text) > 3*mostText {
		t.Errorf("%d bytes of %d", len(got), len(tail.text))
	}
}

// shelf is packages by path; those on offer end in an exclamation mark.
type shelf map[string]string

func (s shelf) Holders(_ context.Context, paths []string) (map[string][]Holder, error) {
	found := map[string][]Holder{}
	for _, name := range paths {
		if p := s[name]; p != "" {
			short, offered := strings.CutSuffix(p, "!")
			found[name] = append(found[name], Holder{name, short, offered})
		}
	}
	if s["error"] != "" {
		return found, errors.New(s["error"])
	}
	return found, nil
}

func TestReport(t *testing.T) {
	texts := golden.New(t)
	setting := Setting{Path: []string{"/usr/local/bin", "/usr/bin", "/bin"}, Home: "/write", Modules: []string{"/usr/lib/python3/dist-packages"}}
	sh, py := "/usr/bin/dash", "/usr/bin/python3.11"
	for _, c := range []struct {
		name, printed string
		calls         []Call // the first one first
		packages      shelf
	}{
		{name: "nothing", packages: shelf{}},
		{
			name: "a command that a shell looks for in PATH", printed: "/bin/sh: 1: sed: not found\n",
			calls: []Call{
				{Look, Missing, "/etc/ld.so.preload", sh},
				{Look, Missing, "/usr/lib/haswell/libc.so.6", sh},
				{Look, Found, "/usr/lib/libc.so.6", sh},
				{Look, Missing, "/usr/local/bin/sed", sh},
				{Look, Missing, "/usr/bin/sed", sh},
				{Look, Missing, "/bin/sed", sh},
			},
			packages: shelf{"/usr/bin/sed": "sed"},
		},
		{
			name:  "a search that ends well",
			calls: []Call{{Look, Missing, "/a/lib/x.pm", sh}, {Look, Found, "/b/lib/x.pm", sh}, {Look, Missing, "/p/m.so", py}, {Look, Found, "/p/m.py", py}},
		},
		{name: "a module that only a message names", printed: "ModuleNotFoundError: No module named 'a.b'\n", packages: shelf{"/usr/lib/python3/dist-packages/a/b.py": "python3-a"}},
		{
			name: "optional files come last", calls: []Call{{Look, Missing, "/etc/app.conf", sh}, {Look, Missing, "/usr/share/locale/de/x.mo", sh}, {Look, Missing, "/write/.rc", sh}},
			packages: shelf{"/etc/app.conf": "app!"},
		},
		{
			name: "a write to the read-only root", printed: "cannot open /var/log/x/error.log: Read-only file system\n",
			calls: []Call{{Write, ReadOnly, "/var/log/x/error.log", sh}, {Write, Missing, "/var/lib/y/z", sh}},
		},
		{name: "a library", calls: []Call{{Look, Missing, "/lib/libx.so.1", sh}, {Look, Missing, "/usr/lib/libx.so.1", sh}}, packages: shelf{"/usr/lib/libx.so.1": "libx1"}},
		{name: "a file of another package", calls: []Call{{Look, Missing, "/usr/share/data/x", sh}}, packages: shelf{"/usr/share/data/x": "data", "error": "offline"}},
	} {
		var j Journal
		for _, call := range c.calls {
			j.Add(call)
		}
		var packages Packages
		if c.packages != nil {
			packages = c.packages
		}
		misses, err := Report(t.Context(), j.Calls(), c.printed, setting, packages)
		var lines []string
		for _, m := range misses {
			lines = append(lines, fmt.Sprintf("kind %d %s by %q likely %v optional %v holders %v", m.Kind, m.Name, m.By, m.Likely(), m.Optional, m.Holders))
		}
		texts.Add(c.name, strings.Join(append(lines, fmt.Sprint("error ", err)), "\n"))
	}
}

func TestJournal(t *testing.T) {
	var j Journal
	for i := range mostCalls + 10 {
		j.Add(Call{Look, Missing, fmt.Sprint("/", i), "x"})
	}
	if len(j.Calls()) != mostCalls || !j.Full {
		t.Errorf("%d calls, full %v", len(j.Calls()), j.Full)
	}
}
