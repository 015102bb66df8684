package rpmfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/tree"
)

func regular(path, data string) recipeFile {
	return recipeFile{path: path, mode: modeFile | 0o644, data: data}
}

// names returns files that are one.
func names(data string, paths ...string) []recipeFile {
	var files []recipeFile
	for _, path := range paths {
		files = append(files, recipeFile{path: path, mode: modeFile | 0o644, data: data, inode: 7})
	}
	return files
}

func dump(t *testing.T, p *Package) string {
	t.Helper()
	var b strings.Builder
	err := lay(t, p).Walk(func(n *tree.Node) error {
		if n.Kind != tree.File {
			b.WriteString(n.Kind.String() + " " + n.Path() + " " + n.Link + "\n")
			return nil
		}
		data, err := n.ReadAll(1000)
		b.WriteString("file " + n.Path() + " = " + string(data) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadsMadePackages(t *testing.T) {
	tests := []struct {
		name string
		make recipe
		want string
	}{
		{"no files", recipe{}, "dir / \n"},
		{"a signature header of rpm 3", recipe{rpm3: true, files: []recipeFile{regular("/a", "1")}}, "dir / \nfile /a = 1\n"},
		{"files", recipe{files: []recipeFile{regular("/a", "1"), regular("/d/b", "")}}, "dir / \nfile /a = 1\ndir /d \nfile /d/b = \n"},
		{"names without the dot", recipe{
			files:   []recipeFile{regular("/a", "1"), regular("/b", "22")},
			members: []recipeMember{{"b", "22"}, {"/a", "1"}},
		}, "dir / \nfile /a = 1\nfile /b = 22\n"},
		{"a link as the header says", recipe{
			files:   []recipeFile{{path: "/l", mode: modeLink | 0o777, link: "right"}},
			members: []recipeMember{{"./l", "wrong"}},
		}, "dir / \nsymlink /l right\n"},
		{"a ghost is left out", recipe{
			files: []recipeFile{regular("/a", "1"), {path: "/g", mode: modeFile | 0o644, flags: Ghost}},
		}, "dir / \nfile /a = 1\n"},
		{"hard links, the content on the last", recipe{files: names("123", "/a", "/b", "/c")}, "dir / \nfile /a = 123\nfile /b = 123\nfile /c = 123\n"},
		{"hard links, the content on the first", recipe{
			files: names("123", "/a", "/b"), members: []recipeMember{{"./a", "123"}, {"./b", ""}},
		}, "dir / \nfile /a = 123\nfile /b = 123\n"},
		{"hard links of nothing", recipe{files: names("", "/a", "/b")}, "dir / \nfile /a = \nfile /b = \n"},
		{"the form for large files", recipe{
			files: append(names("123", "/a", "/b"), regular("/c", "4"), recipeFile{path: "/l", mode: modeLink, link: "xyz"}, regular("/z", "5")), form: magicStripped,
		}, "dir / \nfile /a = 123\nfile /b = 123\nfile /c = 4\nsymlink /l xyz\nfile /z = 5\n"},
		{"padding after the trailer", recipe{files: []recipeFile{regular("/a", "1")}, after: strings.Repeat("\x00", 512)}, "dir / \nfile /a = 1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := openStore(t)
			p, err := Read(t.Context(), st, bytes.NewReader(tt.make.build()))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if diff := cmp.Diff(tt.want, dump(t, p)); diff != "" {
				t.Error(diff)
			}
			again, err := Open(st, p.Digest)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if diff := cmp.Diff(tt.want, dump(t, again)); diff != "" {
				t.Errorf("from the cache: %s", diff)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	one := []recipeFile{regular("/a", "1")}
	tests := []struct {
		name   string
		make   recipe
		reason string
	}{
		{"leaving by name", recipe{files: []recipeFile{regular("/../a", "1")}}, `header: file "/../a": the name holds ".."`},
		{"a relative name", recipe{files: []recipeFile{regular("a", "1")}}, `header: file "a": the name is not absolute`},
		{"a name twice", recipe{files: []recipeFile{regular("/a", "1"), regular("//a", "2")}}, `header: file "/a" is listed twice`},
		{"an unknown kind", recipe{files: []recipeFile{{path: "/a", mode: 0o030000}}}, `header: file "/a": unknown kind of file: mode 30000`},
		{"a member that leaves", recipe{files: one, members: []recipeMember{{"../a", "1"}}}, `payload: "../a": the name holds ".."`},
		{"a member that leaves within", recipe{files: one, members: []recipeMember{{"./b/../a", "1"}}}, `payload: "./b/../a": the name holds ".."`},
		{"a member not listed", recipe{files: one, members: []recipeMember{{"./b", "1"}}}, `payload: "./b" is not in the package's list of files`},
		{"a member twice", recipe{files: one, members: []recipeMember{{"./a", "1"}, {"a", "1"}}}, `payload: "/a": it stands twice`},
		{"a file that is not there", recipe{files: one, members: []recipeMember{}}, `payload: it lacks "/a"`},
		{"another size", recipe{files: one, members: []recipeMember{{"./a", "12"}}}, `payload: "/a": its 2 bytes are 1 in the package's list`},
		{"a hard link's content twice", recipe{files: names("1", "/a", "/b"), members: []recipeMember{{"./a", "1"}, {"./b", "1"}}}, `payload: the content of "/b", a hard link, stands twice`},
		{"a hard link without content", recipe{files: names("1", "/a", "/b"), members: []recipeMember{{"./a", ""}, {"./b", ""}}}, `payload: it lacks the content of "/a", a hard link`},
		{"a place that is not in the list", recipe{files: one, members: []recipeMember{{"./a", "1"}, {"./b", ""}}, form: magicStripped}, "payload: it holds file 1 of 1"},
		{"bytes after the trailer", recipe{files: one, after: strings.Repeat("x", maxPadding+1)}, "payload: more than 1048576 bytes follow its end"},
		{"another payload", recipe{files: one, tags: map[Tag]any{tagPayloadSHA256: []string{strings.Repeat("0", 64)}}}, "its payload SHA256 digest is 5b3b38fd5a124d5946c52169f1aa1303351e23ff1b1d121e1260f7492661aff5, it says " + strings.Repeat("0", 64)},
		{"no digest of the payload", recipe{files: one, tags: map[Tag]any{tagPayloadSHA256: nil}}, "it carries no digest of its payload"},
		{"a source package", recipe{tags: map[Tag]any{tagSourcePackage: []uint32{1}}}, "it is a source package: it holds no program to run"},
		{"another payload format", recipe{tags: map[Tag]any{tagPayloadFormat: "drpm"}}, `its payload is in the format "drpm", only cpio is known`},
		{"no name", recipe{tags: map[Tag]any{TagName: nil}}, "header: it lacks a name, a version or a release"},
		{"too few sizes", recipe{files: one, tags: map[Tag]any{tagFileSizes: nil}}, "header: it lists 1 files with 0 sizes and 1 modes"},
		{"a folder that is not listed", recipe{tags: map[Tag]any{
			TagBaseNames: []string{"a"}, tagDirNames: []string{"/"}, tagDirIndexes: []uint32{1},
		}}, `header: file "a": it lies in folder 1 of 1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Read(t.Context(), openStore(t), bytes.NewReader(tt.make.build()))
			if err == nil {
				p.Close()
			}
			if err == nil || err.Error() != tt.reason {
				t.Errorf("got %v, want %s", err, tt.reason)
			}
		})
	}
}

// TestRefusesHeaders changes single bytes of a good header.
func TestRefusesHeaders(t *testing.T) {
	good := makeHeader(tagImmutable, map[Tag]any{TagName: "p", TagVersion: "1", tagFileSizes: []uint32{1, 2}, tagDirNames: []string{"/"}})
	if _, err := parseHeader(good, tagImmutable); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(h []byte)
		reason string
	}{
		{"magic", func(h []byte) { h[0]++ }, "it does not begin as a header does"},
		{"more tags than bytes", func(h []byte) { h[8] = 1 }, "16777221 tags with 30 bytes are not what is there"},
		{"a type that is none", func(h []byte) { h[introSize+fieldSize+7] = 99 }, "tag 1000: type 99, 1 values at 0: not possible"},
		{"an offset outside", func(h []byte) { h[introSize+fieldSize+8] = 0x7f }, "tag 1000: type 6, 1 values at 2130706432: not possible"},
		{"a negative offset", func(h []byte) { h[introSize+fieldSize+8] = 0xff }, "tag 1000: type 6, 1 values at 4278190080: not possible"},
		{"more values than bytes", func(h []byte) { h[introSize+3*fieldSize+13] = 0xff }, "tag 1028: 66846728 bytes at 4 are not in the header"},
		{"no values", func(h []byte) { h[introSize+fieldSize+15] = 0 }, "tag 1000: type 6, 0 values at 0: not possible"},
		{"numbers not aligned", func(h []byte) { h[introSize+3*fieldSize+11]++ }, "tag 1028: 8 bytes at 5 are not in the header"},
		{"a tag twice", func(h []byte) { copy(h[introSize+2*fieldSize:], h[introSize+fieldSize:introSize+2*fieldSize]) }, "tag 1000 stands twice"},
		{"a region that ends early", func(h []byte) { h[len(h)-5] += fieldSize }, "its region covers 4 of 5 tags and 30 of 30 bytes"},
		{"another region", func(h []byte) { h[introSize+3] = byte(tagSignatures) }, "its region has tag 62, type 7, 16 bytes"},
		{"no end of a string", func(h []byte) { h[introSize+5*fieldSize-1] = 200 }, "tag 1118: a string has no end"},
		{"many values of one string", func(h []byte) { h[introSize+fieldSize+15] = 200 }, "tag 1000: a string of 200 values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := bytes.Clone(good)
			tt.change(h)
			if _, err := parseHeader(h, tagImmutable); err == nil || err.Error() != tt.reason {
				t.Errorf("got %v, want %s", err, tt.reason)
			}
		})
	}
}

// TestTellsCutPackages reads every beginning of a package.
func TestTellsCutPackages(t *testing.T) {
	file, st := recipe{files: []recipeFile{regular("/a", "1")}}.build(), openStore(t)
	for n := range file {
		if p, err := Read(t.Context(), st, bytes.NewReader(file[:n])); err == nil {
			p.Close()
			t.Fatalf("accepted with %d of %d bytes", n, len(file))
		}
	}
}

// TestTheSuppliersErrorComesFirst reads from a source that finds at its end
// that its bytes were wrong.
func TestTheSuppliersErrorComesFirst(t *testing.T) {
	wrong := errors.New("other bytes than the index says")
	for _, data := range [][]byte{recipe{}.build(), []byte("no package")} {
		_, err := Read(t.Context(), openStore(t), io.MultiReader(bytes.NewReader(data), failing{wrong}))
		if !errors.Is(err, wrong) {
			t.Errorf("got %v", err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzRead(f *testing.F) {
	f.Add(recipe{files: []recipeFile{regular("/a", "1"), {path: "/l", mode: modeLink, link: "x"}}}.build())
	f.Add(recipe{files: names("123", "/a", "/b"), form: magicStripped}.build())
	f.Add(recipe{tags: map[Tag]any{tagPayloadSHA256: nil}}.build())
	st := openStore(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(t.Context(), st, bytes.NewReader(data))
		if err != nil {
			return
		}
		defer p.Close()
		want, got := listing(p), ""
		if again, err := Open(st, p.Digest); err != nil {
			t.Errorf("read, but not from the cache: %v", err)
		} else {
			got = listing(again)
			again.Close()
		}
		if want != got {
			t.Errorf("from the cache %q, before %q", got, want)
		}
	})
}

// FuzzUnpack leaves the digests aside, which a fuzzer does not guess.
func FuzzUnpack(f *testing.F) {
	with := recipe{files: append(names("123", "/a", "/b"), regular("/c", "4"))}
	f.Add(with.payload())
	with.form = magicStripped
	f.Add(with.payload())
	f.Fuzz(func(_ *testing.T, data []byte) {
		files := []File{
			{Path: "/a", Kind: tree.File, Size: 3, inode: inode{0, 7}},
			{Path: "/b", Kind: tree.File, Size: 3, inode: inode{0, 7}},
			{Path: "/c", Kind: tree.File, Size: 1},
			{Path: "/l", Kind: tree.Symlink, Link: "x"},
		}
		_, _ = unpack(&archive{r: bytes.NewReader(data)}, files, io.Discard)
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(makeHeader(tagImmutable, map[Tag]any{TagName: "p", tagFileSizes: []uint32{1, 2}, tagDirNames: []string{"/a", "/b"}}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		h, err := readHeader(bytes.NewReader(data), tagImmutable)
		if err != nil {
			return
		}
		for tag := range h.fields {
			h.Strings(tag)
			_ = h.String(tag)
			h.Numbers(tag)
			h.Number(tag)
			h.Bytes(tag)
		}
		_, _ = listFiles(h)
	})
}

func FuzzSignature(f *testing.F) {
	f.Add([]byte{0x88, 0x0a, 3, 5, 0, 1, 2, 3, 4, 5, 6, 7})
	f.Add(append([]byte{0x88, 0x17, 3, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 8, 0, 0}, 0, 16, 1, 2))
	f.Add(append([]byte{0xc2, 0x12, 4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 0, 0, 0}, 0, 8, 1))
	f.Fuzz(func(_ *testing.T, data []byte) {
		s := &Signature{}
		s.read(data)
		s.finish()
		s.KeyID()
	})
}
