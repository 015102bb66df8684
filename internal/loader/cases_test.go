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
	"smith/internal/loader"
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
func (b *bench) traced(program string) ([]byte, error) {
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
	cmd.Env = append([]string{"LD_TRACE_LOADED_OBJECTS=1"}, b.env...)
	return cmd.Output()
}

// masked lists what a program loads on a CPU of the baseline.
func (b *bench) masked(program string, levels ...string) ([]byte, error) {
	cmd := &exec.Cmd{
		Path: glibcLinker, Args: []string{glibcLinker, "--glibc-hwcaps-mask", strings.Join(append(levels, "none"), ":"), "--list", program},
		Dir: "/", Env: []string{}, SysProcAttr: &syscall.SysProcAttr{Chroot: b.root},
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

// Each rule of ld.so(8), and rules that meet, are judged by ld.so itself.
func TestRules(t *testing.T) {
	for name, script := range rules {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.script(script)
			b.compare("/bin/main")
		})
	}
}

// The rules hold for an older linker too: that of glibc 2.17 in CentOS 7, whose
// own folders are others. Its libc tells the version.
func TestRulesOfOldGlibc(t *testing.T) {
	rpm := testdata(t, "rpm-repo/centos7-httpd/glibc-2.17-317.el7.x86_64.rpm")
	need(t, "rpm2cpio", "cpio")
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `rpm2cpio "$0" | cpio -id --quiet "./lib64/ld-2.17.so"`, rpm)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	linker, err := os.ReadFile(filepath.Join(dir, "lib64/ld-2.17.so"))
	if err != nil {
		t.Fatal(err)
	}
	libc := architectures[0].with(func(o *elftest.Object) {
		o.Soname, o.VersionDefs = "libc.so.6", []string{"libc.so.6", "GLIBC_2.2.5", "GLIBC_2.17"}
	})
	for name, script := range rules {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.write(glibcLinker, linker, 0o755)
			b.write("/lib64/libc.so.6", libc, 0o755)
			b.script(strings.NewReplacer("/lib/x86_64-linux-gnu", "/lib64", " /lib/", " /lib64/", "=/lib/", "=/lib64/", "/usr/lib/", "/usr/lib64/").Replace(script))
			b.compare("/bin/main")
		})
	}
}

// Auditors are in no list of the linker's; it tells where it searches for them.
func TestAuditors(t *testing.T) {
	for name, script := range map[string]string{
		"the environment, the program, and what they need": `
			env LD_AUDIT=libenv.so:libnone.so
			exe /bin/main needed=liba.so audit=libau.so depaudit=libdep.so
			lib /lib/liba.so
			lib /lib/libenv.so
			lib /lib/libau.so needed=libsub.so
			lib /lib/libdep.so needed=libsub.so,liba.so
			lib /lib/libsub.so`,
		"RUNPATH of the program comes before LD_LIBRARY_PATH": `
			env LD_LIBRARY_PATH=/env
			exe /bin/main audit=libau.so runpath=/opt
			lib /opt/libau.so needed=libsub.so,libown.so
			lib /env/libau.so
			lib /opt/libsub.so runpath=/own needed=libown.so
			lib /env/libsub.so
			lib /own/libown.so
			lib /env/libown.so`,
		"RPATH of the program, and another class": `
			exe /bin/main audit=libau.so rpath=/opt
			lib /opt/libau.so m32
			lib /lib/libau.so needed=libsub.so
			lib /opt/libsub.so`,
		"RUNPATH of the auditor": `
			exe /bin/main audit=libau.so runpath=/opt
			lib /opt/libau.so runpath=/own needed=libsub.so
			lib /opt/libsub.so
			lib /own/libsub.so`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.script(script)
			p, err := loader.New(rootTree(t, b.root), loader.Options{Env: b.env}).Load(context.Background(), "/bin/main")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, lib := range p.Libraries {
				got = append(got, lib.Path)
			}
			slices.Sort(got)
			if d := cmp.Diff(b.searched("/bin/main"), got); d != "" {
				t.Errorf("(-linker +model):\n%s", d)
			}
		})
	}
}

// searched returns the files at which the linker's searches end, in all its
// worlds, sorted.
func (b *bench) searched(program string) []string {
	b.t.Helper()
	cmd := &exec.Cmd{
		Path: program, Args: []string{program}, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Chroot: b.root},
		Env: append([]string{"LD_TRACE_LOADED_OBJECTS=1", "LD_DEBUG=libs"}, b.env...),
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	const tried = "trying file="
	var found []string
	for _, one := range strings.Split(string(out), "find library=")[1:] {
		last := one[max(0, strings.LastIndex(one, tried)+len(tried)):]
		last, _, _ = strings.Cut(last, "\n")
		if _, err := os.Stat(b.at(last)); err == nil && last != "" {
			found = append(found, last)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

var rules = map[string]string{
	"default folders in order": `
		exe /bin/main needed=liba.so,libb.so,libc1.so,libd.so
		lib /usr/lib/liba.so
		lib /lib/liba.so
		lib /usr/lib/libb.so
		lib /usr/lib/x86_64-linux-gnu/libb.so
		lib /lib/x86_64-linux-gnu/libc1.so
		lib /usr/lib/libd.so`,
	"lib64 is no default folder of Debian": `
		exe /bin/main needed=liba.so
		lib /usr/lib64/liba.so`,
	"breadth first": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libc1.so,libd.so
		lib /lib/libb.so needed=libe.so,libc1.so
		lib /lib/libc1.so needed=libf.so
		lib /lib/libd.so
		lib /lib/libe.so needed=liba.so
		lib /lib/libf.so`,
	"RPATH is inherited": `
		exe /bin/main rpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so needed=libb.so
		lib /opt/lib/libb.so needed=libc1.so
		lib /opt/lib/libc1.so
		lib /lib/libc1.so`,
	"RUNPATH is not inherited": `
		exe /bin/main runpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so needed=libb.so
		lib /opt/lib/libb.so
		lib /lib/libb.so`,
	"RUNPATH in the chain hides RPATH of the program": `
		exe /bin/main rpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so runpath=/none needed=libb.so
		lib /opt/lib/libb.so needed=libc1.so
		lib /opt/lib/libc1.so
		lib /lib/libb.so needed=libc1.so
		lib /lib/libc1.so`,
	"RPATH of an object with RUNPATH above it": `
		exe /bin/main runpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so rpath=/opt/a needed=libb.so
		lib /opt/a/libb.so needed=libc1.so
		lib /opt/a/libc1.so
		lib /opt/lib/libc1.so`,
	"RPATH of the nearest object first": `
		exe /bin/main rpath=/opt/1 needed=liba.so
		lib /opt/1/liba.so rpath=/opt/2 needed=libb.so
		lib /opt/1/libb.so
		lib /opt/2/libb.so`,
	"LD_LIBRARY_PATH stands between RPATH and RUNPATH": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main rpath=/opt/rpath needed=liba.so,libb.so
		lib /opt/rpath/liba.so runpath=/opt/runpath needed=libc1.so
		lib /env/liba.so
		lib /env/libb.so
		lib /env/libc1.so
		lib /opt/runpath/libc1.so`,
	"LD_LIBRARY_PATH with semicolons, tokens and empty elements": `
		env LD_LIBRARY_PATH=/none;$ORIGIN/../env:
		exe /bin/main needed=liba.so,libb.so
		lib /env/liba.so
		lib /libb.so
		lib /lib/libb.so`,
	"an empty element of RPATH is the working folder": `
		exe /bin/main rpath=/none: needed=liba.so
		lib /liba.so`,
	"a relative RUNPATH": `
		exe /bin/main runpath=opt/./lib needed=liba.so
		lib /opt/lib/liba.so`,
	"slashes at the end and twice": `
		exe /bin/main runpath=/opt//lib///:/opt/2/ needed=liba.so,libb.so
		lib /opt/lib/liba.so
		lib /opt/2/libb.so`,
	"ORIGIN of a program is its real folder": `
		exe /opt/app/bin/main runpath=$ORIGIN/../lib needed=liba.so
		link /bin/main ../opt/app/bin/main
		lib /opt/app/lib/liba.so
		lib /lib/liba.so`,
	"ORIGIN of a library is the folder it was found in": `
		exe /bin/main runpath=/opt/link needed=liba.so
		link /opt/link real/deep
		lib /opt/real/deep/liba.so runpath=$ORIGIN/../x needed=libb.so
		lib /opt/x/libb.so
		lib /opt/real/x/libb.so`,
	"ORIGIN of a library that is a link": `
		exe /bin/main runpath=/opt/a needed=liba.so
		link /opt/a/liba.so ../b/liba.so
		lib /opt/b/liba.so runpath=$ORIGIN needed=libb.so
		lib /opt/a/libb.so
		lib /opt/b/libb.so`,
	"tokens in both spellings": `
		exe /bin/main runpath=${ORIGIN}/../1:$ORIGIN/../2:/3/$LIB:/4/${LIB}:/5/$PLATFORM:/6/${PLATFORM} needed=lib1.so,lib2.so,lib3.so,lib4.so,lib5.so,lib6.so
		lib /1/lib1.so
		lib /2/lib2.so
		lib /3/lib/x86_64-linux-gnu/lib3.so
		lib /4/lib/x86_64-linux-gnu/lib4.so
		lib /5/x86_64/lib5.so
		lib /6/x86_64/lib6.so`,
	"what only looks like a token": `
		exe /bin/main runpath=/1/$ORIGINAL:/2/$LIBS:/3/${LIB:/4/$UNKNOWN:/5/$:/6/$LIB_ needed=lib1.so,lib2.so,lib3.so,lib4.so,lib5.so,lib6.so
		lib /1/$ORIGINAL/lib1.so
		lib /2/$LIBS/lib2.so
		lib /3/${LIB/lib3.so
		lib /4/$UNKNOWN/lib4.so
		lib /5/$/lib5.so
		lib /6/$LIB_/lib6.so`,
	"slashes in NEEDED": `
		exe /bin/main needed=/opt/liba.so,opt/libb.so,$ORIGIN/../opt/libc1.so
		lib /opt/liba.so
		lib /opt/libb.so
		lib /opt/libc1.so`,
	"a path and a soname are one object": `
		exe /bin/main needed=/opt/liba.so,liba.so.1,libb.so
		lib /opt/liba.so soname=liba.so.1
		lib /lib/liba.so.1
		lib /lib/libb.so needed=liba.so.1,/opt/liba.so`,
	"a soname that is loaded is not searched again": `
		exe /bin/main needed=libx.so,liby.so runpath=/opt
		lib /opt/libx.so soname=libreal.so.1
		lib /opt/liby.so needed=libreal.so.1
		lib /lib/libreal.so.1`,
	"a name that is loaded is not searched again": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so rpath=/opt needed=libz.so
		lib /lib/libb.so needed=libz.so
		lib /opt/libz.so soname=libother.so
		lib /lib/libz.so`,
	"the soname of the program answers": `
		exe /bin/main soname=liba.so needed=libb.so
		lib /lib/libb.so needed=liba.so
		lib /lib/liba.so`,
	"two links to one file": `
		exe /bin/main needed=liba.so.1,liba.so.2,libb.so
		lib /opt/liba.so
		link /lib/liba.so.1 ../opt/liba.so
		link /lib/liba.so.2 ../opt/liba.so
		lib /lib/libb.so needed=liba.so.2,liba.so`,
	"two hard links to one file": `
		exe /bin/main needed=liba.so.1,liba.so.2
		lib /lib/liba.so.1
		hard /lib/liba.so.2 /lib/liba.so.1`,
	"a copy under another name is another object": `
		exe /bin/main needed=liba.so.1,liba.so.2
		lib /lib/liba.so.1 soname=libx.so
		lib /lib/liba.so.2 soname=libx.so`,
	"cycles": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so needed=libb.so,liba.so
		lib /lib/libb.so needed=libc1.so
		lib /lib/libc1.so needed=liba.so`,
	"missing deep in the chain": `
		exe /bin/main needed=liba.so,libd.so
		lib /lib/liba.so needed=libb.so
		lib /lib/libb.so needed=libgone.so,libc1.so
		lib /lib/libc1.so needed=libgone.so
		lib /lib/libd.so`,
	"missing for one and found for another": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libx.so
		lib /lib/libb.so runpath=/opt needed=libx.so
		lib /opt/libx.so`,
	"another class is passed over": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so m32
		lib /lib/liba.so`,
	"another machine is passed over": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so arm64
		lib /lib/liba.so`,
	"another byte order": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so msb
		lib /lib/liba.so`,
	"another class alone": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so m32`,
	"a text file": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/liba.so GROUP ( /lib/liba.so this is a linker script and long enough to be read as a header )
		lib /lib/liba.so`,
	"a folder": `
		exe /bin/main runpath=/opt needed=liba.so
		dir /opt/liba.so
		lib /lib/liba.so`,
	"a program": `
		exe /bin/main runpath=/opt needed=liba.so
		exe /opt/liba.so
		lib /lib/liba.so`,
	"a dangling link": `
		exe /bin/main runpath=/opt needed=liba.so
		link /opt/liba.so none
		lib /lib/liba.so`,
	"a link that leads to itself": `
		exe /bin/main runpath=/opt needed=liba.so
		link /opt/liba.so liba.so
		lib /lib/liba.so`,
	"a file in place of a folder": `
		exe /bin/main runpath=/opt:/usr needed=liba.so
		text /opt x
		lib /usr/liba.so`,
	"NODEFLIB": `
		exe /bin/main nodeflib needed=liba.so,libb.so rpath=/opt
		lib /lib/liba.so
		lib /opt/libb.so needed=libc1.so
		lib /lib/libc1.so`,
	"NODEFLIB and the cache": `
		exe /bin/main nodeflib needed=liba.so,libb.so
		lib /lib/liba.so
		lib /opt/libb.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"the configuration counts for nothing without a cache": `
		exe /bin/main needed=liba.so
		lib /opt/liba.so
		text /etc/ld.so.conf /opt`,
	"the cache": `
		exe /bin/main needed=liba.so,libb.so,libc1.so
		lib /opt/liba.so
		lib /lib/liba.so
		lib /opt/libb.so.1 soname=libb.so
		link /opt/libb.so libb.so.1
		lib /usr/lib/libc1.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"RUNPATH comes before the cache": `
		exe /bin/main runpath=/run needed=liba.so
		lib /opt/liba.so
		lib /run/liba.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"a cache entry whose file is gone": `
		exe /bin/main needed=liba.so
		lib /opt/liba.so
		text /etc/ld.so.conf /opt
		ldconfig
		remove /opt/liba.so
		lib /lib/liba.so`,
	"a cache that is none": `
		exe /bin/main needed=liba.so
		text /etc/ld.so.cache garbage
		lib /lib/liba.so`,
	"LD_PRELOAD": `
		env LD_PRELOAD=libp.so:/opt/libq.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so needed=libb.so
		lib /lib/libb.so
		lib /lib/libp.so needed=libr.so,libb.so
		lib /opt/libq.so
		lib /lib/libr.so`,
	"LD_PRELOAD of what is not there": `
		env LD_PRELOAD=libnone.so:liba.so:$ORIGIN/../lib/libb.so
		exe /bin/main needed=libb.so,liba.so
		lib /lib/liba.so
		lib /lib/libb.so`,
	"LD_PRELOAD by RPATH of the program": `
		env LD_PRELOAD=libp.so
		exe /bin/main needed=liba.so rpath=/opt
		lib /lib/liba.so
		lib /opt/libp.so`,
	"ld.so.preload": `
		env LD_PRELOAD=libp.so
		text /etc/ld.so.preload #nothing /lib/libq.so:libr.so libnone.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so
		lib /lib/libp.so
		lib /lib/libq.so
		lib /lib/libr.so`,
	"auxiliary": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so needed=libc1.so
		lib /lib/libb.so
		lib /lib/libc1.so
		lib /lib/libx.so needed=libd.so
		lib /lib/libd.so`,
	"auxiliary that is not there": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so,liby.so needed=libc1.so
		lib /lib/liby.so
		lib /lib/libb.so
		lib /lib/libc1.so`,
	"filter": `
		exe /bin/main needed=liba.so,libb.so,libx.so
		lib /lib/liba.so filter=libx.so needed=libc1.so
		lib /lib/libb.so
		lib /lib/libc1.so
		lib /lib/libx.so`,
	"a filtee that stands earlier": `
		exe /bin/main needed=libx.so,liba.so,libb.so
		lib /lib/liba.so filter=libx.so
		lib /lib/libb.so aux=liba.so
		lib /lib/libx.so`,
	"a filter that is not there": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so filter=libx.so`,
	"filters of the program": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so aux=libp.so,libq.so
		lib /lib/libp.so aux=libr.so
		lib /lib/libq.so needed=libs.so
		lib /lib/libr.so
		lib /lib/libs.so`,
	"audit": `
		exe /bin/main needed=liba.so audit=libau.so depaudit=/opt/libdep.so
		lib /lib/liba.so
		lib /lib/libau.so needed=libsub.so
		lib /opt/libdep.so
		lib /lib/libsub.so`,
	"hwcaps folders of the platform": `
		exe /bin/main runpath=/opt needed=liba.so,libb.so
		lib /opt/tls/x86_64/liba.so
		lib /opt/tls/liba.so
		lib /opt/liba.so
		lib /opt/x86_64/x86_64/libb.so
		lib /opt/libb.so`,
	"the linker by its soname": `
		exe /bin/main needed=ld-linux-x86-64.so.2,liba.so
		lib /lib/liba.so needed=ld-linux-x86-64.so.2`,
	"the linker by its path": `
		exe /bin/main needed=/lib64/ld-linux-x86-64.so.2,liba.so
		lib /lib/liba.so`,
	"dot dot through a link": `
		exe /bin/main runpath=/opt/link/../lib needed=liba.so
		link /opt/link ../deep/er
		dir /deep/er
		lib /deep/lib/liba.so
		lib /opt/lib/liba.so`,

	// Pairs of rules that meet.
	"ORIGIN in an inherited RPATH is that of the object with the RPATH": `
		exe /opt/app/main rpath=$ORIGIN/lib needed=liba.so
		link /bin/main ../opt/app/main
		lib /opt/app/lib/liba.so needed=libb.so
		lib /opt/app/lib/libb.so
		lib /opt/app/lib/lib/libb.so`,
	"LD_LIBRARY_PATH and an inherited RPATH": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main rpath=/opt needed=liba.so,libb.so
		lib /opt/liba.so runpath=/run needed=libb.so
		lib /opt/libb.so
		lib /env/libb.so
		lib /run/libb.so`,
	"an object with RUNPATH asks for what RPATH above it has": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so runpath=/none needed=libb.so
		lib /opt/libb.so`,
	"RUNPATH that is empty hides RPATH above it": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so runpath= needed=libb.so
		lib /opt/libb.so
		lib /lib/libb.so`,
	"the cache and an inherited RPATH": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so
		lib /opt/libb.so
		lib /cached/libb.so
		text /etc/ld.so.conf /cached
		ldconfig`,
	"another class in RUNPATH and the right one in the cache": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so m32
		lib /cached/liba.so
		lib /lib/liba.so
		text /etc/ld.so.conf /cached
		ldconfig`,
	"both classes in the cache": `
		exe /bin/main needed=liba.so.1
		lib /narrow/liba.so.1 soname=liba.so.1 m32 needed=libc.so.6
		lib /wide/liba.so.1 soname=liba.so.1
		text /etc/ld.so.conf /narrow /wide
		ldconfig`,
	"a cache entry that became one of another class": `
		exe /bin/main needed=liba.so
		lib /cached/liba.so
		text /etc/ld.so.conf /cached
		ldconfig
		remove /cached/liba.so
		lib /cached/liba.so m32
		lib /lib/liba.so`,
	"another machine in LD_LIBRARY_PATH, and RPATH before it": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main runpath=/opt needed=liba.so,libb.so
		lib /env/liba.so arm64
		lib /opt/liba.so
		lib /env/libb.so arm64
		lib /lib/libb.so`,
	"another byte order and machine": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so msb s390x
		lib /lib/liba.so`,
	"another class by its path": `
		exe /bin/main needed=/opt/liba.so,liba.so
		lib /opt/liba.so m32
		lib /lib/liba.so`,
	"NODEFLIB of a library, and its RUNPATH into a default folder": `
		exe /bin/main needed=liba.so,libc1.so
		lib /lib/liba.so nodeflib runpath=/lib/x:/lib needed=libb.so,libd.so
		lib /lib/libb.so
		lib /usr/lib/libc1.so needed=libd.so
		lib /usr/lib/libd.so`,
	"NODEFLIB and LD_PRELOAD": `
		env LD_PRELOAD=libp.so
		env LD_LIBRARY_PATH=/env
		exe /bin/main nodeflib needed=liba.so
		lib /lib/libp.so
		lib /env/liba.so`,
	"NODEFLIB and an entry of the cache below a default folder": `
		exe /bin/main nodeflib needed=liba.so
		lib /lib/sub/liba.so
		text /etc/ld.so.conf /lib/sub
		ldconfig`,
	"NODEFLIB and RPATH above": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so nodeflib needed=libb.so,libd.so
		lib /opt/libb.so
		lib /lib/libd.so`,
	"LD_PRELOAD answers for a soname": `
		env LD_PRELOAD=/opt/mine.so
		exe /bin/main needed=liba.so.1
		lib /opt/mine.so soname=liba.so.1 runpath=/opt needed=libq.so
		lib /opt/libq.so
		lib /lib/liba.so.1`,
	"LD_PRELOAD of another class": `
		env LD_PRELOAD=libp.so
		env LD_LIBRARY_PATH=/env
		exe /bin/main needed=liba.so
		lib /env/libp.so m32
		lib /lib/libp.so
		lib /lib/liba.so`,
	"LD_PRELOAD with tokens, and a filter": `
		env LD_PRELOAD=/opt/$LIB/libp.so:/opt/${PLATFORM}/libq.so
		exe /bin/main needed=liba.so
		lib /opt/lib/x86_64-linux-gnu/libp.so aux=libx.so
		lib /lib/liba.so
		lib /lib/libx.so`,
	"ld.so.preload and what LD_PRELOAD brought": `
		env LD_PRELOAD=/opt/libp.so
		text /etc/ld.so.preload libr.so.1 /opt/libp.so
		exe /bin/main needed=libr.so.1
		lib /opt/libp.so soname=libr.so.1
		lib /lib/libr.so.1`,
	"a filtee by the RPATH of its filter": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so rpath=$ORIGIN/f filter=libx.so
		lib /lib/f/libx.so needed=liby.so
		lib /lib/f/liby.so`,
	"a filtee of another class": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so runpath=/opt aux=libx.so
		lib /opt/libx.so m32
		lib /usr/lib/libx.so`,
	"a filtee that needs its filter": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so needed=libb.so
		lib /lib/libx.so needed=liba.so,libq.so
		lib /lib/libb.so
		lib /lib/libq.so`,
	"a filtee by its path, known by its soname": `
		exe /bin/main needed=libx.so.1,liba.so
		lib /lib/liba.so aux=/opt/libx.so,$ORIGIN/liby.so
		lib /opt/libx.so soname=libx.so.1
		lib /lib/libx.so.1
		lib /lib/liby.so`,
	"a path through a link and a name": `
		exe /bin/main runpath=/opt/link:/opt/real needed=liba.so,/opt/real/liba.so,libb.so
		link /opt/link real
		lib /opt/real/liba.so needed=libb.so
		lib /opt/real/libb.so`,
	"a soname that is a path": `
		exe /bin/main needed=/opt/liba.so,libb.so
		lib /opt/liba.so soname=/opt/other.so
		lib /lib/libb.so needed=/opt/other.so
		lib /opt/other.so`,
	"a path that is not there, and the same name elsewhere": `
		exe /bin/main needed=/opt/liba.so,libb.so
		lib /lib/libb.so needed=liba.so,/opt/liba.so
		lib /lib/liba.so`,
	"tokens in NEEDED and the ORIGIN of the asker": `
		exe /bin/main needed=/opt/sub/liba.so
		lib /opt/sub/liba.so needed=$ORIGIN/libb.so,${ORIGIN}/../libd.so
		lib /opt/sub/libb.so
		lib /opt/libd.so`,
	"ORIGIN of the root": `
		exe /main runpath=$ORIGIN needed=liba.so
		link /bin/main ../main
		lib /liba.so
		lib /bin/liba.so`,
	"cycles through RPATH, missing at the end": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so
		lib /opt/libb.so rpath=/opt2 needed=liba.so,libd.so
		lib /opt2/libd.so needed=libb.so,libgone.so
		lib /opt2/liba.so`,
	"a link in a circle ends its path and no more": `
		exe /bin/main runpath=/opt:/opt2 needed=liba.so,libb.so
		link /opt/liba.so liba.so
		lib /opt2/liba.so
		lib /lib/liba.so
		link /opt/libb.so liba.so
		lib /opt2/libb.so`,
	"a link through a file ends its path": `
		exe /bin/main runpath=/opt:/opt2 needed=liba.so
		text /opt/file x
		link /opt/liba.so file/liba.so
		lib /opt2/liba.so
		lib /usr/lib/liba.so`,
	"a link in a circle, in two paths": `
		env LD_LIBRARY_PATH=/env:/none
		exe /bin/main runpath=/none:/opt2 needed=liba.so
		link /env/liba.so liba.so
		lib /opt2/liba.so`,
	"a truncated file": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/liba.so short
		lib /lib/liba.so`,
	"hwcaps and the class": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/tls/liba.so m32
		lib /opt/liba.so`,
	"hwcaps folders in the cache": `
		exe /bin/main needed=liba.so.1,libb.so.1
		lib /opt/tls/liba.so.1 soname=liba.so.1
		lib /opt/liba.so.1 soname=liba.so.1
		lib /opt/libb.so.1 soname=libb.so.1
		text /etc/ld.so.conf /opt
		ldconfig`,
	"the working folder and an inherited RPATH": `
		exe /bin/main rpath=: needed=liba.so
		lib /liba.so needed=libb.so
		lib /libb.so`,
	"RPATH of the program for what a preload needs": `
		env LD_PRELOAD=/pre/libp.so
		exe /bin/main rpath=/opt needed=liba.so
		lib /pre/libp.so needed=libq.so
		lib /opt/libq.so
		lib /lib/liba.so`,
	"a second time under the soname of a missing library": `
		exe /bin/main needed=libgone.so,liba.so
		lib /lib/liba.so soname=libgone.so
		lib /usr/lib/libb.so needed=libgone.so`,
}
