package elf_test

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf"
	"smith/internal/elf/elftest"
)

func read(t testing.TB, data []byte) (*elf.File, error) {
	t.Helper()
	return elf.Read(bytes.NewReader(data), int64(len(data)))
}

func TestNotELF(t *testing.T) {
	for _, text := range []string{"", "\x7f", "\x7fEL", "#!/bin/sh\n", "\x7felf and more"} {
		if _, err := read(t, []byte(text)); !errors.Is(err, elf.ErrNotELF) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	good := elftest.Build(elftest.Object{Needed: []string{"libc.so.6"}, Interpreter: "/lib/ld.so"})
	for name, change := range map[string]func([]byte) []byte{
		"cut in the header":         func(d []byte) []byte { return d[:20] },
		"cut in program headers":    func(d []byte) []byte { return d[:70] },
		"class":                     func(d []byte) []byte { d[4] = 7; return d },
		"byte order":                func(d []byte) []byte { d[5] = 7; return d },
		"version":                   func(d []byte) []byte { d[6] = 7; return d },
		"size of a program header":  func(d []byte) []byte { d[54] = 1; return d },
		"number of program headers": func(d []byte) []byte { d[56], d[57] = 0xff, 0xff; return d },
		"cut in the dynamic section": func(d []byte) []byte {
			f, _ := stdelf.NewFile(bytes.NewReader(d))
			for _, p := range f.Progs {
				if p.Type == stdelf.PT_DYNAMIC {
					return d[:p.Off+8]
				}
			}
			return nil
		},
	} {
		if _, err := read(t, change(bytes.Clone(good))); err == nil || errors.Is(err, elf.ErrNotELF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file may not ask for so much that the search for it does not end.
func TestBounds(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = "a"
	}
	for want, o := range map[string]elftest.Object{
		"dependencies": {Needed: many},
		"search path":  {RUNPATH: strings.Repeat("/a:", 3000)},
	} {
		if _, err := read(t, elftest.Build(o)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestForms(t *testing.T) {
	object := elftest.Object{
		Soname: "libx.so.1", Needed: []string{"libc.so.6", "liby.so"}, Interpreter: "/lib/ld.so",
		RPATH: "$ORIGIN:/opt", RUNPATH: "", NoDefaultLib: true,
		VersionNeeds: []elf.VersionNeed{{Library: "libc.so.6", Versions: []elf.Version{{Name: "GLIBC_2.4"}, {Name: "GLIBC_2.9", Weak: true}}}},
		VersionDefs:  []string{"libx.so.1", "X_1"},
	}
	for _, class := range []stdelf.Class{stdelf.ELFCLASS32, stdelf.ELFCLASS64} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			object.Class, object.ByteOrder = class, order
			f, err := read(t, elftest.Build(object))
			if err != nil {
				t.Fatalf("%s %s: %v", class, order, err)
			}
			if f.Class != class || f.ByteOrder != order || f.Interpreter != "/lib/ld.so" || f.Soname != "libx.so.1" || !f.NoDefaultLib || f.RUNPATH != nil {
				t.Errorf("%s %s: %+v", class, order, f)
			}
			for _, d := range []string{
				cmp.Diff(object.Needed, f.Needed), cmp.Diff([]string{"$ORIGIN", "/opt"}, f.RPATH),
				cmp.Diff(object.VersionNeeds, f.VersionNeeds), cmp.Diff(object.VersionDefs, f.VersionDefs),
			} {
				if d != "" {
					t.Errorf("%s %s (-want +got):\n%s", class, order, d)
				}
			}
		}
	}
}

func TestPlatform(t *testing.T) {
	for want, o := range map[string]elftest.Object{
		"amd64 ":   {Machine: stdelf.EM_X86_64},
		"386 ":     {Machine: stdelf.EM_386, Class: stdelf.ELFCLASS32},
		"arm64 ":   {Machine: stdelf.EM_AARCH64},
		"arm v7":   {Machine: stdelf.EM_ARM, Class: stdelf.ELFCLASS32, Flags: 0x5000400},
		"arm v5":   {Machine: stdelf.EM_ARM, Class: stdelf.ELFCLASS32, Flags: 0x5000200},
		"riscv64 ": {Machine: stdelf.EM_RISCV},
		"ppc64le ": {Machine: stdelf.EM_PPC64},
		"s390x ":   {Machine: stdelf.EM_S390, ByteOrder: binary.BigEndian},
	} {
		f, err := read(t, elftest.Build(o))
		if err != nil {
			t.Fatal(err)
		}
		arch, variant := f.Platform()
		if got := arch + " " + variant; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDlopenNotes(t *testing.T) {
	text := `[{"feature":"z","description":"d","priority":"required","soname":["libz.so.1"]},{"soname":["liba.so","libb.so"]}]`
	f, err := read(t, elftest.Build(elftest.Object{Dlopen: text}))
	if err != nil {
		t.Fatal(err)
	}
	want := []elf.DlopenNote{
		{Feature: "z", Description: "d", Priority: "required", Sonames: []string{"libz.so.1"}},
		{Priority: "recommended", Sonames: []string{"liba.so", "libb.so"}},
	}
	if d := cmp.Diff(want, f.DlopenNotes); d != "" {
		t.Error(d)
	}
}

// What is read of this machine's objects is what debug/elf reads by their
// sections, and is the same when the section headers are cut off.
func TestThisMachine(t *testing.T) {
	var files []string
	for _, pattern := range []string{"/usr/bin/*", "/usr/lib/*/lib*.so*"} {
		list, _ := filepath.Glob(pattern)
		files = append(files, list...)
	}
	compared := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil || len(data) > 4<<20 {
			continue
		}
		want, err := stdelf.NewFile(bytes.NewReader(data))
		if err != nil {
			continue
		}
		for range 2 {
			compareWithSections(t, name, want, data)
			clear(data[0x28:0x30]) // e_shoff, e_shnum of 64 bits
			clear(data[0x3c:0x40])
		}
		compared++
	}
	if t.Logf("%d objects compared", compared); compared == 0 {
		t.Skip("this machine has no ELF files")
	}
}

func compareWithSections(t *testing.T, name string, want *stdelf.File, data []byte) {
	t.Helper()
	got, err := read(t, data)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	needed, _ := want.ImportedLibraries()
	imports, _ := want.ImportedSymbols()
	names := map[string]bool{}
	for _, s := range imports {
		names[s.Name] = true
	}
	gotNames, err := got.Imports(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	// debug/elf leaves out weak symbols; one may be there in two versions.
	gotNames = slices.DeleteFunc(gotNames, func(s string) bool { return !names[s] })
	slices.Sort(gotNames)
	gotNames = slices.Compact(gotNames)
	if d := cmp.Diff(needed, got.Needed); d != "" {
		t.Errorf("%s: needed (-sections +ours):\n%s", name, d)
	}
	if len(names) != len(gotNames) {
		t.Errorf("%s: %d imports, want %d", name, len(gotNames), len(names))
	}
	versions, _ := want.DynamicVersions()
	if len(versions) != len(got.VersionDefs) {
		t.Errorf("%s: %d versions defined, want %d", name, len(got.VersionDefs), len(versions))
	}
}

func TestNames(t *testing.T) {
	source := `const char *const names[] = {"libfoo.so.1", "/opt/lib/libbar.so", "lib%s.so", "a libx.so text", "libno.sox", "libend.so.2.3"};
int main(void) { return names[0][0]; }`
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	dir := t.TempDir()
	cmd := exec.Command("gcc", "-x", "c", "-", "-o", filepath.Join(dir, "main"))
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "main"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Names(bytes.NewReader(data), int64(len(data)))
	if d := cmp.Diff([]string{"/opt/lib/libbar.so", "libend.so.2.3", "libfoo.so.1"}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
}

func TestPaths(t *testing.T) {
	data := elftest.Build(elftest.Object{
		Class: stdelf.ELFCLASS64, Needed: []string{"a"},
		Strings: []string{"/usr/share/app", "/etc/magic:/usr/share/misc/magic", "/usr/lib/app/%s.so", "share/below", "no/path", "x /usr/share/text", "/short", "/usr//share/x", "/usr/lib/q?"},
	})
	f, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Paths(bytes.NewReader(data), int64(len(data)))
	if d := cmp.Diff([]string{"/etc/magic", "/usr/lib", "/usr/lib/app", "/usr/share/app", "/usr/share/misc/magic", "share/below"}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
}

func FuzzRead(f *testing.F) {
	for _, class := range []stdelf.Class{stdelf.ELFCLASS32, stdelf.ELFCLASS64} {
		f.Add(elftest.Build(elftest.Object{
			Class: class, Needed: []string{"a", "b"}, RUNPATH: "x:y", Interpreter: "/l", Dlopen: `[{"soname":["x"]}]`,
			VersionNeeds: []elf.VersionNeed{{Library: "a", Versions: []elf.Version{{Name: "V"}}}}, VersionDefs: []string{"D"},
		}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := elf.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		file.Platform()
		_, _ = file.Imports(bytes.NewReader(data), int64(len(data)))
		_, _ = file.Names(bytes.NewReader(data), int64(len(data)))
		_, _ = file.Paths(bytes.NewReader(data), int64(len(data)))
	})
}
