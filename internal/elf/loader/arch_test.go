//go:build linux

package loader_test

import (
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf"
	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
)

// An architecture is one whose own linker is run under qemu-user. The linkers
// are those of Debian's libc6-ARCH-cross packages.
type architecture struct {
	name, variant string
	triplet       string
	linker        string
	qemu          string // "" where this machine runs it
	object        elftest.Object
	flags         uint32 // in ld.so.cache
}

var architectures = []architecture{
	{"amd64", "", "x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2", "x86_64", elftest.Object{Machine: stdelf.EM_X86_64}, 0x303},
	{"386", "", "i386-linux-gnu", "/lib/ld-linux.so.2", "i386", elftest.Object{Machine: stdelf.EM_386, Class: stdelf.ELFCLASS32}, 3},
	{"arm64", "", "aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1", "aarch64", elftest.Object{Machine: stdelf.EM_AARCH64}, 0xa03},
	{"arm", "v7", "arm-linux-gnueabihf", "/lib/ld-linux-armhf.so.3", "arm", elftest.Object{Machine: stdelf.EM_ARM, Class: stdelf.ELFCLASS32, Flags: 0x5000400}, 0x903},
	{"arm", "v5", "arm-linux-gnueabi", "/lib/ld-linux.so.3", "arm", elftest.Object{Machine: stdelf.EM_ARM, Class: stdelf.ELFCLASS32, Flags: 0x5000200}, 0xb03},
	{"riscv64", "", "riscv64-linux-gnu", "/lib/ld-linux-riscv64-lp64d.so.1", "riscv64", elftest.Object{Machine: stdelf.EM_RISCV, Flags: 5}, 0x1003},
	{"ppc64le", "", "powerpc64le-linux-gnu", "/lib64/ld64.so.2", "ppc64le", elftest.Object{Machine: stdelf.EM_PPC64, Flags: 2}, 0x503},
	{"s390x", "", "s390x-linux-gnu", "/lib/ld64.so.1", "s390x", elftest.Object{Machine: stdelf.EM_S390, ByteOrder: binary.BigEndian}, 0x403},
}

// with returns an object of the architecture.
func (a architecture) with(change func(o *elftest.Object)) []byte {
	o := a.object
	change(&o)
	return elftest.Build(o)
}

func (a architecture) library(soname string, needed ...string) []byte {
	return a.with(func(o *elftest.Object) { o.Soname, o.Needed = soname, needed })
}

// floating returns a library of the same machine for another float ABI, or one
// that is the same where a machine has only one.
func (a architecture) floating(soname string) []byte {
	return a.with(func(o *elftest.Object) {
		o.Soname = soname
		switch {
		case a.name == "arm":
			o.Flags ^= 0x600
		case a.name == "riscv64":
			o.Flags = 1
		}
	})
}

// files returns a root in which each way of finding a library counts once.
func (a architecture) files() map[string][]byte {
	other := architectures[0]
	switch a.name {
	case "amd64":
		other = architectures[7]
	case other.name:
		other = architectures[2]
	}
	return map[string][]byte{
		"/bin/main": a.with(func(o *elftest.Object) {
			o.Interpreter, o.PIE, o.RUNPATH = a.linker, true, "$ORIGIN/../run:/run/$LIB"
			o.Needed = []string{"librun.so", "liblib.so", "libmulti.so", "libusrmulti.so", "libbase.so", "libusr.so", "libcached.so", "libother.so", "libfloat.so", "lib64.so", "libgone.so"}
		}),
		"/run/librun.so":                               a.library("librun.so"),
		"/run/lib/" + a.triplet + "/liblib.so":         a.library("liblib.so", "libcached.so"),
		"/lib/" + a.triplet + "/libmulti.so":           a.library("libmulti.so"),
		"/usr/lib/" + a.triplet + "/libmulti.so":       a.library("libmulti.so"),
		"/usr/lib/" + a.triplet + "/libusrmulti.so":    a.library("libusrmulti.so"),
		"/lib/libbase.so":                              a.library("libbase.so"),
		"/usr/lib/libusr.so":                           a.library("libusr.so"),
		"/usr/lib64/lib64.so":                          a.library("lib64.so"),
		"/opt/libcached.so":                            a.library("libcached.so", "libdeep.so"),
		"/lib/libcached.so":                            a.library("libcached.so"),
		"/opt/libdeep.so":                              a.library("libdeep.so"),
		"/run/libother.so":                             other.library("libother.so"),
		"/run/libfloat.so":                             a.floating("libfloat.so"),
		"/lib/libfloat.so":                             a.library("libfloat.so"),
		"/usr/lib/" + a.triplet + "/libother.so":       a.library("libother.so"),
		"/usr/lib/" + other.triplet + "/libforeign.so": other.library("libforeign.so"),
	}
}

// keptAt returns where the machine keeps the architecture's linker.
func (a architecture) keptAt(t *testing.T) string {
	t.Helper()
	triplet := a.triplet
	if a.name == "386" {
		triplet = "i686-linux-gnu"
	}
	file := "/usr/" + triplet + "/lib/" + filepath.Base(a.linker)
	if a.name == "amd64" {
		file = "/lib/x86_64-linux-gnu/" + filepath.Base(a.linker)
	}
	if _, err := os.Stat(file); err != nil {
		skip(t, "no "+file+": install Debian's libc6-*-cross packages")
	}
	return file
}

// ldso returns the architecture's linker.
func (a architecture) ldso(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(a.keptAt(t))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// list runs the architecture's linker over a program.
func (a architecture) list(t *testing.T, root, program string) []byte {
	t.Helper()
	data, err := os.ReadFile(a.emulator(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "qemu"), data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: "/qemu", Args: []string{"/qemu", "-E", "LD_TRACE_LOADED_OBJECTS=1", program},
		Dir: "/", Env: []string{}, SysProcAttr: &syscall.SysProcAttr{Chroot: root},
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return out
}

// On every architecture the model loads what its own linker loads, through a
// cache in its byte order too, and from this machine.
func TestArchitectures(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "chroot needs root")
	}
	for _, a := range architectures {
		t.Run(a.name+a.variant, func(t *testing.T) {
			root := t.TempDir()
			write := func(name string, data []byte) {
				t.Helper()
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, data, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for name, data := range a.files() {
				write(name, data)
			}
			write(a.linker, a.ldso(t))
			cache, err := loader.New(rootTree(t, root), loader.Options{}).CacheOf(context.Background(), a.name, a.variant, []string{"/opt"})
			if err != nil {
				t.Fatal(err)
			}
			write(loader.CachePath, cache.Bytes())

			want, wantMissing := parseList(a.list(t, root, "/bin/main"), a.linker)
			p, err := loader.New(rootTree(t, root), loader.Options{}).Load(context.Background(), "/bin/main")
			if err != nil {
				t.Fatal(err)
			}
			got, gotMissing := modelled(p)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-linker +model):\n%s", d)
			}
			if d := cmp.Diff(wantMissing, gotMissing); d != "" {
				t.Errorf("missing (-linker +model):\n%s", d)
			}
			for _, e := range cache.Entries {
				if e.Soname == "libcached.so" && e.Flags != a.flags {
					t.Errorf("marked %#x in the cache, want %#x", e.Flags, a.flags)
				}
			}
		})
	}
}

// Of an object that has both, which no linker makes today, RUNPATH alone counts.
func TestRPATHBesideRUNPATH(t *testing.T) {
	b, a := newBench(t), architectures[0]
	b.write("/bin/main", a.with(func(o *elftest.Object) {
		o.Interpreter, o.PIE, o.RPATH, o.RUNPATH, o.Needed = a.linker, true, "/rpath", "/runpath", []string{"liba.so", "libb.so"}
	}), 0o755)
	b.write("/rpath/liba.so", a.library("liba.so"), 0o755)
	b.write("/runpath/liba.so", a.library("liba.so", "libc1.so"), 0o755)
	b.write("/rpath/libb.so", a.library("libb.so"), 0o755)
	b.write("/rpath/libc1.so", a.library("libc1.so"), 0o755)
	b.compare("/bin/main")
}

// The symbol versions that glibc's linker misses are those of the model.
func TestVersions(t *testing.T) {
	b := newBench(t)
	need := func(names ...string) []elf.VersionNeed {
		var versions []elf.Version
		for _, n := range names {
			name, weak := strings.CutSuffix(n, "?")
			versions = append(versions, elf.Version{Name: name, Weak: weak})
		}
		return []elf.VersionNeed{{Library: "liba.so", Versions: versions}}
	}
	a := architectures[0]
	for _, c := range []struct {
		name    string
		defined []string
		needed  []elf.VersionNeed
		want    []loader.VersionError
	}{
		{"all there", []string{"liba.so", "A_1", "A_2"}, need("A_1", "A_2", "liba.so"), nil},
		{"one too new", []string{"liba.so", "A_1"}, need("A_1", "A_2"), []loader.VersionError{{Version: "A_2", Library: "/lib/liba.so", NeededBy: "/bin/main"}}},
		{"weak", []string{"liba.so", "A_1"}, need("A_3?"), []loader.VersionError{{Version: "A_3", Library: "/lib/liba.so", NeededBy: "/bin/main", Weak: true}}},
		{"no versions at all", nil, need("A_1"), nil},
		{"weak and strong", []string{"liba.so", "A_1"}, need("A_4?", "A_5"), []loader.VersionError{
			{Version: "A_4", Library: "/lib/liba.so", NeededBy: "/bin/main", Weak: true},
			{Version: "A_5", Library: "/lib/liba.so", NeededBy: "/bin/main"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.write("/lib/liba.so", a.with(func(o *elftest.Object) { o.Soname, o.VersionDefs = "liba.so", c.defined }), 0o755)
			b.write("/bin/main", a.with(func(o *elftest.Object) {
				o.Interpreter, o.PIE, o.Needed, o.VersionNeeds = a.linker, true, []string{"liba.so"}, c.needed
			}), 0o755)
			out, _ := b.masked("/bin/main")
			p, err := loader.New(rootTree(t, b.root), loader.Options{}).Load(context.Background(), "/bin/main")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, p.Versions); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for _, v := range p.Versions {
				if !v.Weak && !strings.Contains(string(out), "version `"+v.Version+"' not found (required by /bin/main)") {
					t.Errorf("the linker says %s", out)
				}
			}
			if len(c.want) == 0 && strings.Contains(string(out), "not found") {
				t.Errorf("the linker says %s", out)
			}
		})
	}
}

// The real data of glibc-hwcaps: what glibc 2.36 loads under each mask.
func TestHwcaps(t *testing.T) {
	root := testdata(t, "elf/hwcaps/root")
	expected, err := os.ReadFile(testdata(t, "elf/hwcaps/glibc-2.36.expected"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	if out, err := exec.Command("cp", "-a", root+"/.", b.root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The linker with the built-in folders of another distribution: the
	// library is found by LD_LIBRARY_PATH, as it was when this was recorded.
	env := []string{"LD_LIBRARY_PATH=/usr/lib64"}
	lines := 0
	for line := range strings.Lines(string(expected)) {
		mask, rest, ok := strings.Cut(strings.TrimPrefix(line, "mask='"), "'")
		_, want, found := strings.Cut(rest, "@ROOT")
		if !ok || !found {
			continue
		}
		p, err := loader.New(rootTree(t, b.root), loader.Options{Level: mask, Env: env}).Load(context.Background(), "/usr/bin/hw")
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Libraries) == 0 || p.Libraries[0].Path != strings.TrimSpace(want) {
			t.Errorf("level %q: %+v, want %s", mask, p.Libraries, want)
		}
		lines++
	}
	if lines != 4 {
		t.Errorf("%d lines", lines)
	}
}

// In the cache too, the level decides, and the base library serves the rest.
func TestHwcapsInCache(t *testing.T) {
	b := newBench(t)
	b.script(`
		exe /bin/main needed=liba.so.1
		lib /opt/liba.so.1 soname=liba.so.1
		lib /opt/glibc-hwcaps/x86-64-v2/liba.so.1 soname=liba.so.1
		lib /opt/glibc-hwcaps/x86-64-v3/liba.so.1 soname=liba.so.1
		text /etc/ld.so.conf /opt
		ldconfig`)
	for level, want := range map[string]string{
		"": "/opt/liba.so.1", "x86-64-v2": "/opt/glibc-hwcaps/x86-64-v2/liba.so.1",
		"x86-64-v3": "/opt/glibc-hwcaps/x86-64-v3/liba.so.1", "x86-64-v4": "/opt/glibc-hwcaps/x86-64-v3/liba.so.1",
	} {
		p, err := loader.New(rootTree(t, b.root), loader.Options{Level: level}).Load(context.Background(), "/bin/main")
		if err != nil || len(p.Libraries) != 1 || p.Libraries[0].Path != want {
			t.Errorf("level %q: %+v, %v, want %s", level, p, err, want)
		}
	}
	out, err := b.masked("/bin/main", "x86-64-v2")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, _ := parseList(out, glibcLinker); len(got) != 1 || !strings.Contains(got[0], "x86-64-v2") {
		t.Logf("this machine's CPU is older than x86-64-v2: %v", got)
	}
}
