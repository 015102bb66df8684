//go:build linux

package loader_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
)

// need skips a test without a tool, or fails it where CI is set.
func need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, "no "+tool)
		}
	}
}

func skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

const glibcLinker = "/lib64/ld-linux-x86-64.so.2"

// A bench makes objects of every kind with the system's linker, and a root
// that holds them and the machine's ld.so.
type bench struct {
	t    testing.TB
	root string
	work string
	env  []string

	linker string // that the programs name
}

func newBench(t testing.TB) *bench {
	t.Helper()
	need(t, "gcc", "ld")
	if os.Getuid() != 0 {
		skip(t, "chroot needs root")
	}
	b := &bench{t: t, root: t.TempDir(), work: workshop, linker: glibcLinker}
	// The linker stands at its own path alone, so that no library is found
	// beside it.
	data, err := os.ReadFile(glibcLinker)
	if err != nil {
		skip(t, "this machine has no glibc for amd64")
	}
	b.write(glibcLinker, data, 0o755)
	return b
}

// workshop holds what all tests link with: empty.o and stubs.
var workshop string

func TestMain(m *testing.M) {
	var err error
	if workshop, err = os.MkdirTemp("", "smith-loader-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(workshop); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// made returns a file of the workshop, which is made where it is not there yet.
func (b *bench) made(name, tool string, args ...string) string {
	b.t.Helper()
	file := filepath.Join(b.work, name)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	b.run(tool, append(args, "-o", file)...)
	return file
}

// empty returns the object file that everything is linked from.
func (b *bench) empty(narrow bool) string {
	b.t.Helper()
	source := filepath.Join(b.work, "empty.c")
	if err := os.WriteFile(source, []byte("int _start, f;\n"), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if narrow {
		return b.made("empty32.o", "gcc", "-m32", "-c", "-fPIC", source)
	}
	return b.made("empty.o", "gcc", "-c", "-fPIC", source)
}

func (b *bench) at(name string) string { return filepath.Join(b.root, name) }

func (b *bench) write(name string, data []byte, mode os.FileMode) {
	b.t.Helper()
	file := b.at(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, mode); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) run(name string, args ...string) {
	b.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = b.work
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// script builds a root from lines:
//
//	exe PATH key=value…   a program
//	lib PATH key=value…   a shared object
//	link PATH TARGET      a symbolic link
//	hard PATH TARGET      a hard link
//	remove PATH
//	dir PATH
//	text PATH WORDS…      a word a line
//	conf PATH WORDS…      the words in one line, with a comment
//	env NAME=VALUE
//	ldconfig              run it
//
// Keys are soname, needed (a list), rpath, runpath, filter, aux, audit,
// depaudit; flags are nodeflib, m32, arm64 and s390x (the machine in the
// header), msb (the byte order in the header).
func (b *bench) script(text string) {
	b.t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "exe", "lib":
			b.object(f[0] == "exe", f[1], f[2:])
		case "link", "hard":
			if err := os.MkdirAll(filepath.Dir(b.at(f[1])), 0o755); err != nil {
				b.t.Fatal(err)
			}
			create := func() error { return os.Symlink(f[2], b.at(f[1])) }
			if f[0] == "hard" {
				create = func() error { return os.Link(b.at(f[2]), b.at(f[1])) }
			}
			if err := create(); err != nil {
				b.t.Fatal(err)
			}
		case "remove":
			if err := os.Remove(b.at(f[1])); err != nil {
				b.t.Fatal(err)
			}
		case "dir":
			if err := os.MkdirAll(b.at(f[1]), 0o755); err != nil {
				b.t.Fatal(err)
			}
		case "text":
			b.write(f[1], []byte(strings.Join(f[2:], "\n")+"\n"), 0o644)
		case "conf":
			b.write(f[1], []byte(" "+strings.Join(f[2:], " ")+" # and so on\nhwcap 0 nothing\n"), 0o644)
		case "env":
			b.env = append(b.env, f[1])
		case "ldconfig":
			need(b.t, "ldconfig")
			b.write("/etc/.made", nil, 0o644)
			b.run("ldconfig", "-X", "-r", b.root)
		default:
			b.t.Fatalf("unknown line %q", line)
		}
	}
}

// object links one program or shared object.
func (b *bench) object(exe bool, name string, keys []string) {
	b.t.Helper()
	input := b.empty(slices.Contains(keys, "m32"))
	args := []string{"--no-as-needed", "--hash-style=gnu", "-o", b.at(name)}
	var patch []func([]byte)
	for _, k := range keys {
		key, value, _ := strings.Cut(k, "=")
		switch key {
		case "soname":
			args = append(args, "-soname", value)
		case "needed":
			for _, n := range strings.Split(value, ",") {
				args = append(args, b.stub(n, slices.Contains(keys, "m32")))
			}
		case "rpath":
			args = append(args, "--disable-new-dtags", "-rpath", value)
		case "runpath":
			args = append(args, "--enable-new-dtags", "-rpath", value)
		case "filter":
			args = append(args, "-F", value)
		case "aux":
			for _, v := range strings.Split(value, ",") {
				args = append(args, "-f", v)
			}
		case "audit":
			args = append(args, "--audit", value)
		case "depaudit":
			args = append(args, "--depaudit", value)
		case "nodeflib":
			args = append(args, "-z", "nodefaultlib")
		case "m32":
			args = append(args, "-m", "elf_i386")
		case "arm64":
			patch = append(patch, func(data []byte) { data[18] = 183 })
		case "s390x":
			patch = append(patch, func(data []byte) { data[18], data[19] = 0, 22 })
		case "msb":
			patch = append(patch, func(data []byte) { data[5] = 2 })
		default:
			b.t.Fatalf("unknown key %q", k)
		}
	}
	if exe {
		args = append(args, "-pie", "-dynamic-linker", b.linker)
	} else {
		args = append(args, "-shared")
	}
	if err := os.MkdirAll(filepath.Dir(b.at(name)), 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.run("ld", append(args, input)...)
	for _, p := range patch {
		data, err := os.ReadFile(b.at(name))
		if err != nil {
			b.t.Fatal(err)
		}
		p(data)
		b.write(name, data, 0o755)
	}
}

// stub returns an object to link with, whose soname is the name.
func (b *bench) stub(name string, narrow bool) string {
	b.t.Helper()
	stub := "stub-" + strings.NewReplacer("/", "_", "$", "_").Replace(name)
	if narrow {
		return b.made(stub+"-32", "ld", "-m", "elf_i386", "-shared", "-soname", name, b.empty(true))
	}
	return b.made(stub, "ld", "-shared", "-soname", name, b.empty(false))
}

// traced runs a program under its linker, which lists what it loads and stops.
func (b *bench) traced(program string) ([]byte, error) { return b.tracing(program).Output() }

// tracing is the command of traced.
func (b *bench) tracing(program string) *exec.Cmd {
	b.t.Helper()
	// There is no proc(5) in the root, so the program's real path, which ld.so
	// takes for $ORIGIN, is given as the kernel would.
	at, err := rootTree(b.t, b.root).Resolve(program)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(b.at("/proc/self"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(at.Path(), b.at("/proc/self/exe")); err != nil {
		b.t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: program, Args: []string{program}}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: b.root}
	cmd.Env = append([]string{"LD_TRACE_LOADED_OBJECTS=1", elftest.BaselineCPU}, b.env...)
	return cmd
}

// masked lists what a program loads on a CPU of the baseline.
func (b *bench) masked(program string, levels ...string) ([]byte, error) {
	cmd := &exec.Cmd{
		Path: glibcLinker, Args: []string{glibcLinker, "--glibc-hwcaps-mask", strings.Join(append(levels, "none"), ":"), "--list", program},
		Dir: "/", Env: []string{elftest.BaselineCPU}, SysProcAttr: &syscall.SysProcAttr{Chroot: b.root},
	}
	return cmd.CombinedOutput()
}

// compare holds the model's answer against the linker's.
func (b *bench) compare(program string) {
	b.t.Helper()
	out, failed := b.traced(program)
	l := loader.New(rootTree(b.t, b.root), loader.Options{Env: b.env})
	p, err := l.Load(context.Background(), program)
	if err != nil {
		b.t.Fatal(err)
	}
	if failed != nil {
		for _, m := range p.Missing {
			if m.Fatal() && m.Reason != "" {
				return
			}
		}
		var exit *exec.ExitError
		errors.As(failed, &exit)
		b.t.Fatalf("the linker refuses (%v, %s), the model has %+v", failed, exit.Stderr, p)
	}
	want, wantMissing := parseList(out, glibcLinker)
	var got, gotMissing []string
	for _, lib := range p.Libraries {
		if lib.Kind != loader.Audit {
			got = append(got, lib.Name+" => "+lib.Path)
		}
	}
	for _, m := range p.Missing {
		if m.Kind != loader.Preload && m.Kind != loader.Audit {
			gotMissing = append(gotMissing, m.Name)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		b.t.Errorf("libraries (-linker +model):\n%s\n%s", d, out)
	}
	if d := cmp.Diff(wantMissing, gotMissing); d != "" {
		b.t.Errorf("missing (-linker +model):\n%s\n%s", d, out)
	}
}
