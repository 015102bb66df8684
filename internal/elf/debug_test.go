package elf_test

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf"
	"smith/internal/elf/elftest"
)

func readDebug(data []byte) (*elf.Debug, error) {
	return elf.ReadDebug(bytes.NewReader(data), int64(len(data)))
}

// debugForms are a stripped file, and one of debug information.
func debugForms(class stdelf.Class, order binary.ByteOrder) [][]byte {
	note := elftest.Section{Name: ".note.gnu.build-id", Kind: stdelf.SHT_NOTE, Data: elftest.BuildID(order, "\xab\xcd\xef\x01")}
	sum := make([]byte, 4)
	order.PutUint32(sum, 0xcafe)
	return [][]byte{
		elftest.Sections(class, order, note, elftest.Section{Name: ".gnu_debuglink", Data: append([]byte("a.debug\x00"), sum...)}),
		elftest.Sections(class, order, note,
			elftest.Section{Name: ".debug_info", Data: []byte("x")},
			elftest.Section{Name: ".gnu_debugaltlink", Data: []byte("../.dwz/a\x00\x12\x34")}),
	}
}

func TestDebugForms(t *testing.T) {
	want := []*elf.Debug{
		{BuildID: "abcdef01", Link: "a.debug", Sum: 0xcafe},
		{BuildID: "abcdef01", Shared: "../.dwz/a", SharedID: "1234", DWARF: true},
	}
	for _, class := range []stdelf.Class{stdelf.ELFCLASS32, stdelf.ELFCLASS64} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for i, data := range debugForms(class, order) {
				got, err := readDebug(data)
				if d := cmp.Diff(want[i], got); d != "" || err != nil {
					t.Errorf("%v %v: %v (-want +got):\n%s", class, order, err, d)
				}
			}
		}
	}
}

func TestDebugMalformed(t *testing.T) {
	section := func(name string, data string) []byte {
		return elftest.Sections(stdelf.ELFCLASS64, binary.LittleEndian, elftest.Section{Name: name, Data: []byte(data)})
	}
	cut := section(".gnu_debuglink", "a\x00\x00\x00\x01\x02\x03\x04")
	noNames := bytes.Clone(cut)
	binary.LittleEndian.PutUint16(noNames[62:], 1)
	many := bytes.Clone(cut)
	binary.LittleEndian.PutUint16(many[60:], 0xffff)
	headers, large := bytes.Clone(cut), bytes.Clone(cut)
	binary.LittleEndian.PutUint16(headers[58:], 9)
	binary.LittleEndian.PutUint16(large[60:], 0) // the first section tells how many
	binary.LittleEndian.PutUint64(large[binary.LittleEndian.Uint64(large[40:])+32:], 1<<40)
	for want, data := range map[string][]byte{
		"its debug link has no sum":                                                       section(".gnu_debuglink", "abc\x00"),
		"a debug link without a name":                                                     section(".gnu_debuglink", "abc"),
		"a debug link of 5001 bytes":                                                      section(".gnu_debuglink", strings.Repeat("a", 5000)+"\x00"),
		"the build id in its link to shared debug information has 0 bytes":                section(".gnu_debugaltlink", "abc\x00"),
		"the build id in its link to shared debug information has 65 bytes":               section(".gnu_debugaltlink", "abc\x00"+strings.Repeat("i", 65)),
		"it is cut off: at offset 104 there should be 192 bytes more, and it has 295":     cut[:len(cut)-1],
		"section 1, which should hold the sections' names, does not":                      noNames,
		"it is cut off: at offset 104 there should be 4194240 bytes more, and it has 296": many,
		"section headers of 9 bytes":                                                      headers,
		"1099511627776 sections":                                                          large,
	} {
		var format *elf.FormatError
		if got, err := readDebug(data); !errors.As(err, &format) || format.Reason != want {
			t.Errorf("%+v, %v\nwant %s", got, err, want)
		}
	}
	noName := section(".gnu_debuglink", "\x00\x00\x00\x00\x01\x02\x03\x04")
	if _, err := readDebug(noName); err == nil || err.Error() != "malformed ELF file: a debug link without a name" {
		t.Errorf("got %v", err)
	}
	if _, err := readDebug([]byte("#!/bin/sh")); !errors.Is(err, elf.ErrNotELF) {
		t.Errorf("a script: %v", err)
	}
}

// Files as compilers and distributions make them: split, stripped, and with
// what two of them share moved to a third by dwz. eu-strip writes program
// headers into the debug file that lead nowhere.
func TestDebugOfRealFiles(t *testing.T) {
	for _, tool := range []string{"gcc", "objcopy", "eu-strip", "dwz"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	dir := t.TempDir()
	source := `struct shared_between_both { int one; char *two; long three[7]; } %s_value;
static int twice(struct shared_between_both *s) { return 2 * s->one; }
int main(void) { return twice(&%[1]s_value); }`
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name+".c"), []byte(fmt.Sprintf(source, name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, `for x in a b; do gcc -g -O1 -Wl,--build-id -o $x $x.c; cp $x $x.whole; done
		objcopy --only-keep-debug a a.debug; strip a; objcopy --add-gnu-debuglink=a.debug a
		eu-strip -f b.debug b
		cp a.debug a.alone
		dwz -m both -M ../.dwz/both a.debug b.debug`)
	get := func(name string) *elf.Debug {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		d, err := readDebug(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return d
	}
	both := get("both")
	if both.BuildID == "" {
		t.Error("the shared file has no build id")
	}
	for _, x := range []string{"a", "b"} {
		whole, stripped, debug := get(x+".whole"), get(x), get(x+".debug")
		if !whole.DWARF || stripped.DWARF || !debug.DWARF || whole.Link != "" || stripped.Link != x+".debug" {
			t.Errorf("%s: whole %+v, stripped %+v, debug %+v", x, whole, stripped, debug)
		}
		if whole.BuildID == "" || whole.BuildID != stripped.BuildID || whole.BuildID != debug.BuildID {
			t.Errorf("%s: build ids %q, %q, %q", x, whole.BuildID, stripped.BuildID, debug.BuildID)
		}
		if debug.Shared != "../.dwz/both" || debug.SharedID != both.BuildID {
			t.Errorf("%s: shared %q %q, want ../.dwz/both %q", x, debug.Shared, debug.SharedID, both.BuildID)
		}
	}
	alone, err := os.ReadFile(filepath.Join(dir, "a.alone"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := crc32.ChecksumIEEE(alone); get("a").Sum != sum {
		t.Errorf("the sum is %08x, want %08x", get("a").Sum, sum)
	}
}

func run(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func FuzzReadDebug(f *testing.F) {
	for _, class := range []stdelf.Class{stdelf.ELFCLASS32, stdelf.ELFCLASS64} {
		for _, data := range debugForms(class, binary.LittleEndian) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := readDebug(data)
		if err == nil && (len(d.BuildID) > 128 || len(d.SharedID) > 128 || len(d.Link) > 4104 || len(d.Shared) > 4104) {
			t.Errorf("%+v", d)
		}
	})
}
