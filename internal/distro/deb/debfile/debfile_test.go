package debfile

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store/storetest"
	"smith/internal/tree"
)

// run runs one of dpkg's or a machine's programs and returns what it prints.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "SOURCE_DATE_EPOCH=1700000000")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}

// folder writes files, by their paths; those that end in "@" are links.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, strings.TrimSuffix(name, "@"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if link := strings.HasSuffix(name, "@"); link {
			if err := os.Symlink(text, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const postinst = "#!/bin/sh\nset -e # caf\xe9\nldconfig\n"

// sample has dpkg-deb build a package, its members compressed in a way.
func sample(t testing.TB, compression string) []byte { return sized(t, compression, 500_000) }

// sized builds the sample with a large file of a size.
func sized(t testing.TB, compression string, size int) []byte {
	t.Helper()
	dir := folder(t, map[string]string{
		"DEBIAN/control":   "Package: sample\nVersion: 1:2-3\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a sample\n of two lines\n",
		"DEBIAN/postinst":  postinst,
		"DEBIAN/conffiles": "/etc/sample.conf\n",
		"DEBIAN/triggers":  "# none\nactivate-noawait ldconfig\n",
		"DEBIAN/md5sums":   "d41d8cd98f00b204e9800998ecf8427e  usr/lib/empty\n",
		"etc/sample.conf":  "setting\n",
		"usr/lib/empty":    "",
		"usr/lib/large":    strings.Repeat("0123456789", size/10),
		"usr/lib/link@":    "large",
		"lib/a b":          "spaces\n",
	})
	if err := os.Chmod(filepath.Join(dir, "DEBIAN/postinst"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "usr/lib/large"), filepath.Join(dir, "usr/lib/other")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "sample.deb")
	run(t, "dpkg-deb", "--root-owner-group", "-Z"+compression, "-b", dir, out)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func opener(data []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// list shows the files of a package as `dpkg-deb --contents` does.
func list(t testing.TB, f *File) string {
	t.Helper()
	entries, err := f.Entries(nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if e.Node == nil {
			fmt.Fprintf(&b, "%s link to %s\n", e.Path, e.Hardlink)
			continue
		}
		fmt.Fprintf(&b, "%s %04o %d:%d %d %d", e.Path, e.Node.Mode, e.Node.UID, e.Node.GID, e.Node.Size, e.Node.ModTime.Unix())
		if e.Node.Kind == tree.Symlink {
			fmt.Fprintf(&b, " -> %s", e.Node.Link)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestOpen(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			data, st := sample(t, compression), storetest.New(t)
			for _, from := range []func(context.Context) (io.ReadCloser, error){
				opener(data),
				func(context.Context) (io.ReadCloser, error) { return nil, errors.New("it is in the cache already") },
			} {
				f, err := Open(t.Context(), st, digest.FromBytes(data), from)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				check(t, f)
			}
		})
	}
}

// check compares a package with the sample.
func check(t *testing.T, f *File) {
	t.Helper()
	if got := f.Control.Get("version"); got != "1:2-3" {
		t.Errorf("version %q", got)
	}
	if got := f.Scripts(); len(got) != 1 || got[0].Name != "postinst" || got[0].Text != postinst {
		t.Errorf("scripts: %+v", got)
	}
	got := []any{f.Triggers(), f.Conffiles(), f.MD5Sums()}
	want := []any{[]string{"activate-noawait ldconfig"}, []string{"/etc/sample.conf"}, map[string]string{"/usr/lib/empty": "d41d8cd98f00b204e9800998ecf8427e"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	want2 := `./ 0755 0:0 0 1700000000
./etc/ 0755 0:0 0 1700000000
./etc/sample.conf 0644 0:0 8 1700000000
./lib/ 0755 0:0 0 1700000000
./lib/a b 0644 0:0 7 1700000000
./usr/ 0755 0:0 0 1700000000
./usr/lib/ 0755 0:0 0 1700000000
./usr/lib/empty 0644 0:0 0 1700000000
./usr/lib/large 0644 0:0 500000 1700000000
./usr/lib/other link to ./usr/lib/large
./usr/lib/link 0777 0:0 0 1700000000 -> large
`
	if d := cmp.Diff(want2, list(t, f)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// ar packs members as dpkg-deb does.
func ar(members ...string) []byte {
	var b bytes.Buffer
	b.WriteString(arMagic)
	for i := 0; i < len(members); i += 2 {
		name, data := members[i], members[i+1]
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name, 0, 0, 0, "100644", len(data), data)
		if len(data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// member takes a member of a package apart with ar(1).
func member(t testing.TB, deb []byte, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(path, deb, 0o644); err != nil {
		t.Fatal(err)
	}
	return run(t, "ar", "p", path, name)
}

func filtered(t testing.TB, data string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s: %v", name, err)
	}
	return string(out)
}

// What dpkg-deb no longer writes, and what others write.
func TestOtherForms(t *testing.T) {
	plain := sample(t, "none")
	control, data := member(t, plain, "control.tar"), member(t, plain, "data.tar")
	for name, members := range map[string][]string{
		"bzip2":           {"control.tar.gz", filtered(t, control, "gzip"), "data.tar.bz2", filtered(t, data, "bzip2")},
		"lzma":            {"control.tar.gz", filtered(t, control, "gzip"), "data.tar.lzma", filtered(t, data, "xz", "--format=lzma")},
		"slashes":         {"control.tar/", control, "data.tar/", data},
		"private members": {"_gpgorigin", "odd", "control.tar", control, "_x", "", "data.tar", data, "_y", "z"},
	} {
		t.Run(name, func(t *testing.T) {
			deb := ar(append([]string{"debian-binary", "2.1\nmore\n"}, members...)...)
			f, err := Open(t.Context(), storetest.New(t), digest.FromBytes(deb), func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(iotest.OneByteReader(bytes.NewReader(deb))), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			check(t, f)
		})
	}
}

func TestRefused(t *testing.T) {
	plain := sample(t, "none")
	control, data := member(t, plain, "control.tar"), member(t, plain, "data.tar")
	version := []string{"debian-binary", "2.0\n"}
	deb := func(members ...string) []byte { return ar(append(version, members...)...) }
	long := ar("debian-binary", "2.0\n")
	var many bytes.Buffer
	for w, i := tar.NewWriter(&many), 0; i <= maxControlMembers; i++ {
		if err := w.WriteHeader(&tar.Header{Name: strconv.Itoa(i), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":        {nil, "it is no Debian package: it does not begin as an ar archive"},
		"text":           {[]byte("hello, world"), "it is no Debian package: it does not begin as an ar archive"},
		"no version":     {ar("control.tar", control), `it is no Debian package: its first member is "control.tar"`},
		"old format":     {ar("debian-binary", "0.939\n"), `its format is "0.939", this smith reads 2.0`},
		"no members":     {deb(), "it holds no control.tar and data.tar"},
		"no data":        {deb("control.tar", control), "it holds no control.tar and data.tar"},
		"no control":     {deb("data.tar", data), `member "data.tar" is not expected in a Debian package`},
		"odd member":     {deb("control.tar", control, "other", ""), `member "other" is not expected in a Debian package`},
		"bad header":     {append(bytes.Clone(long), strings.Repeat("x", 60)...), `member "xxxxxxxxxxxxxxxx": its header is damaged`},
		"negative size":  {append(bytes.Clone(long), fmt.Sprintf("%-48s%-10d`\n", "control.tar", -1)...), `member "control.tar": its header is damaged`},
		"cut in control": {deb("control.tar", control)[:600], "control.tar: unexpected EOF"},
		"cut in data":    {deb("control.tar", control, "data.tar", data)[:20000], `data.tar: tar entry after "./usr/lib/large": unexpected EOF`},
		"empty control":  {deb("control.tar", "", "data.tar", data), "control.tar: it holds no control file"},
		"many files":     {deb("control.tar", many.String()), "control.tar: more than 1000 members"},
		"no xz":          {deb("control.tar", control, "data.tar.xz", "\xfd7zXZ\x00no"), "data.tar.xz: tar entry after the first: xz: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			st := storetest.New(t)
			f, err := Open(t.Context(), st, digest.FromBytes(c.data), opener(c.data))
			if err == nil {
				f.Close()
			}
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if _, err := known(st, digest.FromBytes(c.data)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is in the cache all the same: %v", err)
			}
		})
	}
}

// What is said of digests that are none, and of control files in the cache that
// smith did not write.
func TestMistakes(t *testing.T) {
	st, d := storetest.New(t), digest.FromString("x")
	if _, err := Open(t.Context(), st, "sha512:1", nil); err == nil || err.Error() != `digest "sha512:1": only sha256 is supported` {
		t.Error(err)
	}
	if err := st.Save(controlBucket, d.String(), []byte("{")); err != nil {
		t.Fatal(err)
	}
	want := "cannot read the control files of " + d.String() + " in the cache: unexpected end of JSON input"
	if _, err := Open(t.Context(), st, d, nil); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Nothing is believed that does not have the digest, and the digest is the
// first thing that is told.
func TestWrongDigest(t *testing.T) {
	data, st := sample(t, "gzip"), storetest.New(t)
	other := digest.FromString("other")
	for _, bytes := range [][]byte{data, data[:len(data)-10], append(data[:len(data):len(data)], 'x')} {
		_, err := Open(t.Context(), st, other, opener(bytes))
		if err == nil || !strings.Contains(err.Error(), "its digest is "+digest.FromBytes(bytes).String()) {
			t.Errorf("got %v", err)
		}
	}
	broken := errors.New("broken wire")
	_, err := Open(t.Context(), st, digest.FromBytes(data), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken))), nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := known(st, digest.FromBytes(data)); err == nil {
		t.Error("what could not be read to its end is in the cache")
	}
}

// The packages that this machine's apt has kept are read as dpkg-deb reads
// them.
func TestAsDpkg(t *testing.T) {
	debs, err := filepath.Glob("/var/cache/apt/archives/*.deb")
	if err != nil {
		t.Fatal(err)
	}
	if len(debs) == 0 {
		t.Skip("apt has kept no packages on this machine")
	}
	for _, name := range debs[:min(len(debs), 8)] {
		t.Run(filepath.Base(name), func(t *testing.T) { compare(t, name) })
	}
}

// compare reads a package and compares it with what `dpkg-deb -x` makes of it.
func compare(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), storetest.New(t), digest.FromBytes(data), opener(data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries, err := f.Entries(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := tree.New()
	if err := got.Apply(entries); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", name, dir)
	if d := cmp.Diff(disk(t, dir), memory(t, got)); d != "" {
		t.Errorf("(-dpkg-deb +smith):\n%s", d)
	}
	if want := run(t, "dpkg-deb", "-f", name, "Version"); f.Control.Get("Version") != strings.TrimSpace(want) {
		t.Errorf("version %q, dpkg-deb says %q", f.Control.Get("Version"), want)
	}
}

// disk describes the files in a folder by their paths.
func disk(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
			files[name] = fmt.Sprintf("dir %04o", info.Mode().Perm())
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			files[name] = "symlink " + link
			return err
		default:
			data, err := os.ReadFile(path)
			files[name] = fmt.Sprintf("file %04o %s", info.Mode().Perm(), digest.FromBytes(data))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// memory describes the files of a tree in the same way.
func memory(t *testing.T, from *tree.Tree) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := from.Walk(func(n *tree.Node) error {
		switch n.Kind {
		case tree.Symlink:
			files[n.Path()] = "symlink " + n.Link
		case tree.File:
			sum, err := n.Digest()
			files[n.Path()] = fmt.Sprintf("file %04o %s", n.Mode&0o777, sum)
			return err
		default:
			files[n.Path()] = fmt.Sprintf("%s %04o", n.Kind, n.Mode&0o777)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(files, func(name, _ string) bool { return name == "/" })
	return files
}

func FuzzOpen(f *testing.F) {
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		f.Add(sized(f, compression, 100)) // large inputs are changed slowly
	}
	st := storetest.New(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(t.Context(), st, digest.FromBytes(data), opener(data))
		if err != nil {
			return
		}
		defer file.Close()
		entries, err := file.Entries(nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = tree.New().Apply(entries) // may be refused
		file.Triggers()
		file.Conffiles()
		file.MD5Sums()
	})
}
