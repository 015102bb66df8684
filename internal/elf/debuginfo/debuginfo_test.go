package debuginfo_test

import (
	stdelf "debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf/debuginfo"
	"smith/internal/elf/elftest"
	"smith/internal/tree"
)

// file makes an ELF file out of words: "id=abcd" is its build id, "link=NAME"
// its debug link to bytes of which "sum=TEXT" tells the sum, "shared=PATH=ID"
// what it shares with others, "dwarf" says that it holds debug information.
func file(t *testing.T, text string) []byte {
	t.Helper()
	var sections []elftest.Section
	sum := make([]byte, 4)
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "id":
			id, err := hex.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			sections = append(sections, elftest.Section{Name: ".note.gnu.build-id", Kind: stdelf.SHT_NOTE, Data: elftest.BuildID(binary.LittleEndian, string(id))})
		case "sum":
			binary.LittleEndian.PutUint32(sum, crc32.ChecksumIEEE(file(t, strings.ReplaceAll(value, "+", " "))))
		case "link":
			padded := append([]byte(value), make([]byte, 4-len(value)%4)...)
			sections = append(sections, elftest.Section{Name: ".gnu_debuglink", Data: append(padded, sum...)})
		case "shared":
			name, id, _ := strings.Cut(value, "=")
			raw, err := hex.DecodeString(id)
			if err != nil {
				t.Fatal(err)
			}
			sections = append(sections, elftest.Section{Name: ".gnu_debugaltlink", Data: append([]byte(name+"\x00"), raw...)})
		case "dwarf":
			sections = append(sections, elftest.Section{Name: ".debug_info", Data: []byte("x")})
		}
	}
	return elftest.Sections(stdelf.ELFCLASS64, binary.LittleEndian, sections...)
}

// files makes a tree out of lines: "PATH -> TARGET", "PATH: WORDS" as file has
// them, "PATH" for a text.
func files(t *testing.T, text string) *tree.Tree {
	t.Helper()
	out := tree.New()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, target, isLink := strings.Cut(line, " -> ")
		n := &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: target}
		if !isLink {
			var words string
			if name, words, _ = strings.Cut(line, ":"); words == "" {
				n = tree.NewFile([]byte("text"), 0o644)
			} else {
				n = tree.NewFile(file(t, words), 0o755)
			}
		}
		if err := out.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// show lists what was found, a line each, folders left out, and what was not.
func show(t *testing.T, f *debuginfo.Found) string {
	t.Helper()
	var b strings.Builder
	err := f.Tree.Walk(func(n *tree.Node) error {
		reasons := f.Reasons[n.Path()]
		if len(reasons) == 0 && n.Parent() != nil {
			t.Errorf("%s has no reason", n.Path())
		}
		if n.Kind == tree.Dir {
			return nil
		}
		b.WriteString(n.Path())
		for _, r := range reasons {
			fmt.Fprintf(&b, " (%s, %s: %s)", r.Rule, r.From, r.Detail)
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range f.Missing {
		fmt.Fprintf(&b, "missing: %s %s\n", m.Node.Path(), m.Why)
	}
	for _, p := range f.Unmatched {
		fmt.Fprintf(&b, "unmatched: %s\n", p.Pattern)
	}
	return b.String()
}

func TestFind(t *testing.T) {
	const p = "/usr/bin/p"
	of := " (debuginfo, /usr/bin/p: of build abcdef)\n"
	for name, c := range map[string]struct {
		image, offered, debug string
		paths                 []debuginfo.Path
		want                  string
	}{
		"by build id, as Debian has it": {
			image: p + ": id=abcdef link=cdef.debug",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf shared=/usr/lib/debug/.dwz/x/p.debug=77\n" +
				"/usr/lib/debug/.dwz/x/p.debug: id=77 dwarf\n/usr/lib/debug/.build-id/ab/other.debug: id=abcd0e dwarf",
			want: "/usr/lib/debug/.build-id/ab/cdef.debug" + of +
				"/usr/lib/debug/.dwz/x/p.debug (debuginfo, /usr/lib/debug/.build-id/ab/cdef.debug: shared by several files of debug information)\n",
		},
		"by links, as RPM has it": {
			image:   p + ": id=abcdef link=p-1.debug",
			offered: "/usr/lib/.build-id/ab/cdef -> ../../../bin/p\n" + p + ": id=abcdef link=p-1.debug",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug -> ../../usr/bin/p-1.debug\n/usr/lib/debug/.build-id/ab/cdef -> ../../../.build-id/ab/cdef\n" +
				"/usr/lib/debug/usr/bin/p-1.debug: id=abcdef dwarf shared=../../.dwz/src-1=77\n/usr/lib/debug/.dwz/src-1: id=77 dwarf",
			want: "/usr/lib/.build-id/ab/cdef (debuginfo, /usr/bin/p: leads here from its build id)\n" +
				"/usr/lib/debug/.build-id/ab/cdef (debuginfo, /usr/bin/p: leads here from its build id)\n" +
				"/usr/lib/debug/.build-id/ab/cdef.debug" + of +
				"/usr/lib/debug/.dwz/src-1 (debuginfo, /usr/lib/debug/usr/bin/p-1.debug: shared by several files of debug information)\n" +
				"/usr/lib/debug/usr/bin/p-1.debug" + of,
		},
		"by the path only, as old RPMs have it": {
			image: p + ": id=abcdef",
			debug: "/usr/lib/debug/bin/p.debug: id=abcdef dwarf",
			want:  "/usr/lib/debug/bin/p.debug" + of,
		},
		"in the source itself": {
			image:   p + ": id=abcdef",
			offered: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf",
			want:    "/usr/lib/debug/.build-id/ab/cdef.debug" + of,
		},
		"by the debug link and its sum": {
			image: p + ": sum=dwarf link=p.debug",
			debug: "/usr/lib/debug/usr/bin/p.debug: dwarf",
			want:  "/usr/lib/debug/usr/bin/p.debug (debuginfo, /usr/bin/p: by its debug link)\n",
		},
		"another sum": {
			image: p + ": link=p.debug",
			debug: "/usr/lib/debug/usr/bin/p.debug: dwarf",
			want:  "missing: /usr/bin/p /usr/lib/debug/usr/bin/p.debug is of another build\n",
		},
		"of another build": {
			image: p + ": id=abcdef",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcd dwarf",
			want:  "missing: /usr/bin/p /usr/lib/debug/.build-id/ab/cdef.debug is of another build\n",
		},
		"no ELF file": {
			image: p + ": id=abcdef",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug",
			want:  "missing: /usr/bin/p /usr/lib/debug/.build-id/ab/cdef.debug is of another build\n",
		},
		"the shared file of another build": {
			image: p + ": id=abcdef",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf shared=../../.dwz/s=77\n/usr/lib/debug/.dwz/s: id=78 dwarf",
			want: "/usr/lib/debug/.build-id/ab/cdef.debug" + of +
				"missing: /usr/bin/p /usr/lib/debug/.dwz/s, which it shares with others, is not there\n",
		},
		"a link that names the file itself, or leads out": {
			image: p + ": id=abcdef link=p\n/usr/bin/q: id=abcdee link=../../etc/x",
			want:  "missing: /usr/bin/p \nmissing: /usr/bin/q \n",
			debug: "/etc/x: id=abcdee dwarf", offered: p + ": id=abcdef link=p",
		},
		"nothing to look for": {
			image: p + ": id=abcdef dwarf\n/usr/bin/s\n/usr/bin/t: x\n/usr/lib/debug/x: id=abcdef",
		},
		"already there": {
			image:   p + ": id=abcdef\n/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf",
			offered: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf",
		},
		"left out": {
			image: p + ": id=abcdef",
			debug: "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf shared=../../.dwz/out=77\n/usr/lib/debug/.dwz/out: id=77 dwarf",
			want:  "/usr/lib/debug/.build-id/ab/cdef.debug" + of,
		},
		"further files": {
			offered: "/usr/bin/other\n" + p + ": x",
			image:   p + ": x",
			debug: "/usr/src/debug/a.c\n/usr/src/debug/deep/b.c\n/usr/lib/debug/.build-id/ab/one -> ../../../../bin/p\n" +
				"/usr/lib/debug/.build-id/ab/two -> ../../../../bin/other\n/usr/lib/debug/.build-id/ab/gone -> nowhere",
			paths: []debuginfo.Path{{Pattern: "/usr/src/debug", Detail: "here"}, {Pattern: "/usr/lib/debug/**", Detail: "there"}, {Pattern: "/none*"}},
			want: "/usr/lib/debug/.build-id/ab/one (path, : there)\n" +
				"/usr/src/debug/a.c (path, : here)\n/usr/src/debug/deep/b.c (path, : here)\nunmatched: /none*\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			image := files(t, c.image)
			objects, err := debuginfo.Objects(image)
			if err != nil {
				t.Fatal(err)
			}
			in := debuginfo.Input{
				Objects: objects, Image: image, Offered: files(t, c.offered), Debug: files(t, c.debug), Paths: c.paths,
				Excluded: func(name string) bool { return strings.HasSuffix(name, "/out") },
			}
			found, err := debuginfo.Find(in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, show(t, found)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// What only its owner may read is not given to everybody.
func TestModes(t *testing.T) {
	debug := files(t, "/usr/src/debug/a.c")
	at, err := debug.Lookup("/usr/src/debug/a.c")
	if err != nil {
		t.Fatal(err)
	}
	at.Node.Mode = 0o640
	_, err = debuginfo.Find(debuginfo.Input{Image: tree.New(), Debug: debug, Paths: []debuginfo.Path{{Pattern: "/usr/src/**"}}})
	if err == nil || err.Error() != "others may not read /usr/src/debug/a.c (mode 0640), and in the image they could" {
		t.Errorf("%v", err)
	}

	image, debug := files(t, "/usr/bin/p: id=abcdef"), files(t, "/usr/lib/debug/.build-id/ab/cdef.debug: id=abcdef dwarf")
	if at, err = debug.Lookup("/usr/lib/debug/.build-id/ab/cdef.debug"); err != nil {
		t.Fatal(err)
	}
	at.Node.Mode = 0o600
	objects, err := debuginfo.Objects(image)
	if err != nil {
		t.Fatal(err)
	}
	found, err := debuginfo.Find(debuginfo.Input{Image: image, Debug: debug, Objects: objects})
	if err != nil {
		t.Fatal(err)
	}
	want := "missing: /usr/bin/p others may not read /usr/lib/debug/.build-id/ab/cdef.debug\n"
	if got := show(t, found); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}
