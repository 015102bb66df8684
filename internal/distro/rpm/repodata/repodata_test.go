package repodata

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
	"smith/internal/compress"
	"smith/internal/distro/rpm/relation"
)

// testdata returns the directory of real repositories.
func testdata(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set: no real repositories to read")
	}
	return filepath.Join(dir, "rpm-repo")
}

func repositories() []string {
	return []string{"centos7-httpd", "dnf-ci-fedora/dnf-ci-fedora", "azurelinux3", "el9-signed-small"}
}

// directory is a repository on disk.
type directory struct {
	dir string
	st  *store.Store
}

func (f directory) Fetch(_ context.Context, d Data) (*store.Entry, error) {
	data, err := os.ReadFile(filepath.Join(f.dir, d.Location))
	if err != nil {
		return nil, err
	}
	if got := d.Digest.Algorithm().FromBytes(data); got != d.Digest {
		return nil, errors.New("another digest")
	}
	w, err := f.st.Create("files")
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	return w.Commit(d.Digest.String())
}

func openRepository(t testing.TB, st *store.Store, dir string) (*Repomd, *Index) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "repodata/repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	md, err := ParseRepomd(data)
	if err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(t.Context(), st, md.Data["primary"], directory{dir, st})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return md, x
}

// The same metadata as encoding/xml reads it.
type xmlRelation struct {
	Name  string `xml:"name,attr"`
	Flags string `xml:"flags,attr"`
	Epoch string `xml:"epoch,attr"`
	Ver   string `xml:"ver,attr"`
	Rel   string `xml:"rel,attr"`
}

type xmlList struct {
	Entries []xmlRelation `xml:"entry"`
}

type xmlPackage struct {
	Name    string      `xml:"name"`
	Arch    string      `xml:"arch"`
	Version xmlRelation `xml:"version"`
	Sum     struct {
		Kind string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"checksum"`
	Size struct {
		Package   int64 `xml:"package,attr"`
		Installed int64 `xml:"installed,attr"`
	} `xml:"size"`
	Location struct {
		Href string `xml:"href,attr"`
	} `xml:"location"`
	Format struct {
		SourceRPM   string   `xml:"sourcerpm"`
		Provides    xmlList  `xml:"provides"`
		Requires    xmlList  `xml:"requires"`
		Conflicts   xmlList  `xml:"conflicts"`
		Obsoletes   xmlList  `xml:"obsoletes"`
		Recommends  xmlList  `xml:"recommends"`
		Suggests    xmlList  `xml:"suggests"`
		Supplements xmlList  `xml:"supplements"`
		Enhances    xmlList  `xml:"enhances"`
		Files       []string `xml:"file"`
	} `xml:"format"`
}

func (x xmlPackage) plain() *Package {
	list := func(l xmlList) []relation.Relation {
		var all []relation.Relation
		for _, e := range l.Entries {
			op, _ := relation.ParseOp(e.Flags)
			r := relation.Relation{Name: e.Name, Op: op}
			if op != 0 {
				r.EVR = relation.EVR{Epoch: uint32(count(e.Epoch)), Version: e.Ver, Release: e.Rel}
			}
			if !strings.HasPrefix(e.Name, "rpmlib(") {
				all = append(all, r)
			}
		}
		return all
	}
	digest, _ := sum(x.Sum.Kind, x.Sum.Text)
	f := x.Format
	return &Package{
		Name: x.Name, Arch: x.Arch, EVR: relation.EVR{Epoch: uint32(count(x.Version.Epoch)), Version: x.Version.Ver, Release: x.Version.Rel},
		Digest: digest, Location: x.Location.Href, Size: x.Size.Package, Installed: x.Size.Installed, SourceRPM: f.SourceRPM,
		Provides: list(f.Provides), Requires: list(f.Requires), Conflicts: list(f.Conflicts), Obsoletes: list(f.Obsoletes),
		Recommends: list(f.Recommends), Suggests: list(f.Suggests), Supplements: list(f.Supplements), Enhances: list(f.Enhances),
		Files: f.Files,
	}
}

// TestReadsAsEncodingXML compares every package of the real repositories, as
// it comes out of the index, with another reader of the same XML.
func TestReadsAsEncodingXML(t *testing.T) {
	for _, name := range repositories() {
		t.Run(name, func(t *testing.T) {
			dir, st := filepath.Join(testdata(t), name), storetest.New(t)
			md, x := openRepository(t, st, dir)
			f, err := os.Open(filepath.Join(dir, md.Data["primary"].Location))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			r, err := compress.NewReader(t.Context(), f, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var all struct {
				Packages []xmlPackage `xml:"package"`
			}
			if err := xml.NewDecoder(r).Decode(&all); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, want := range all.Packages {
				if want.Arch == "src" {
					continue
				}
				got, err := x.Package(n)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.plain(), got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", want.Name, diff)
				}
				for _, key := range got.keys() {
					if found, err := x.Find(key); err != nil || !slices.Contains(found, n) {
						t.Errorf("%s is not found by %q: %v, %v", got.Name, key, found, err)
					}
				}
				n++
			}
			if n != x.Len() || n == 0 {
				t.Errorf("%d packages, the index has %d", n, x.Len())
			}
		})
	}
}

func TestScanner(t *testing.T) {
	large := strings.Repeat("x", maxToken+1<<20)
	for text, want := range map[string]string{
		`<a b="1" c='2'>x</a>`:                             "<a b=1 c=2>x</a>",
		`<?xml version="1.0"?><!-- > --><r:a><r:b/></r:a>`: "<a><b></b></a>",
		`<a>x &amp; &#65;&#x42;<b/> y</a>`:                 "<a>x & AB<b></b> y</a>",
		`<a b="x > y"/>`:                                   "<a b=x > y></a>",
		`<a><![CDATA[<b>]]></a>`:                           "<a><b></a>",
		`<a`:                                               "!unexpected EOF",
		`<a>`:                                              "!unexpected EOF: <a> is not closed",
		`</a>`:                                             "!</a> closes nothing",
		`<a></b>`:                                          "!</b> closes nothing",
		`<a b></a>`:                                        "!<a>: an attribute without a value",
		`<a b=1></a>`:                                      "!<a>: an attribute without a value",
		`<a b="1></a>`:                                     "!unexpected EOF",
		`<a>&foo;</a>`:                                     "!the entity &foo; is not known",
		`<a>&#0;</a>`:                                      "!the entity &#0; is not known",
		`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`: "!a document type, which repository metadata has none of",
		`<a/>text`:                 "!text follows the last element",
		`<>`:                       "!an element without a name, or more than 64 in each other",
		strings.Repeat("<a>", 100): "!an element without a name, or more than 64 in each other",
		`<a b"="></a>`:             "!<a>: an attribute without an end",
		"<a>" + large:              "!more than 16777216 bytes without '<'",
		"<!--" + strings.Repeat(large[:1<<20]+">", 17):        `!more than 16777216 bytes without "-->"`,
		`<a b="` + strings.Repeat(large[:1<<20]+">", 17):      "!an element of more than 16777216 bytes",
		`<a>x<!-- --> y<![CDATA[z]]></a>`:                     "<a>x yz</a>",
		"<a>x" + strings.Repeat("<!-- -->"+large[:1<<20], 18): "!a text of more than 16777216 bytes",
	} {
		var b strings.Builder
		s := newScanner(strings.NewReader(text))
		var err error
		for err == nil {
			var e event
			if e, err = s.next(); err != nil {
				break
			}
			b.WriteString(s.text)
			if e == closes {
				b.WriteString("</" + s.name + ">")
				continue
			}
			b.WriteString("<" + s.name)
			for _, a := range s.attributes {
				b.WriteString(" " + a.name + "=" + a.value)
			}
			b.WriteString(">")
		}
		got := b.String()
		if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			got = "!" + err.Error()
		}
		if got != want {
			t.Errorf("%.80s: got %s, want %s", text, got, want)
		}
	}
}

func TestRefusesMetadata(t *testing.T) {
	data := `<data type="primary"><checksum type="sha256">` + strings.Repeat("0", 64) + `</checksum><location href="p.xml"/></data>`
	if _, err := ParseRepomd([]byte("<repomd>" + data + "</repomd>")); err != nil {
		t.Error(err)
	}
	var many strings.Builder
	for i := range maxData + 1 {
		fmt.Fprintf(&many, `<data type="%d"></data>`, i)
	}
	for text, want := range map[string]string{
		"":                  "not a repomd.xml file",
		"<html/>":           "not a repomd.xml file",
		"<repomd></repomd>": "cannot read repomd.xml: it names no primary metadata",
		"<repomd>" + data:   "cannot read repomd.xml: unexpected EOF: <repomd> is not closed",
		"<repomd>" + strings.Replace(data, "sha256", "sha", 1) + "</repomd>":               "cannot read repomd.xml: primary: its checksums are too weak; the repository must be made with --checksum sha256",
		"<repomd>" + strings.Replace(data, "000", "0", 1) + "</repomd>":                    "cannot read repomd.xml: primary: checksum sha256:\"" + strings.Repeat("0", 62) + "\": invalid checksum digest length",
		"<repomd>" + strings.Replace(data, "<loc", "<size>-1</size><loc", 1) + "</repomd>": `cannot read repomd.xml: primary: <size> is "-1"`,
		"<repomd>" + many.String() + "</repomd>":                                           "cannot read repomd.xml: more than 1000 kinds of metadata",
	} {
		if _, err := ParseRepomd([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	good := `<metadata><package type="rpm"><name>a</name><arch>x</arch><version epoch="0" ver="1" rel="1"/>` +
		`<checksum type="sha256">` + strings.Repeat("0", 64) + `</checksum><location href="a.rpm"/>` +
		`<format><rpm:requires><rpm:entry name="b" flags="GE" epoch="0" ver="1"/></rpm:requires></format></package></metadata>`
	for change, want := range map[string]string{
		"":                                 "",
		"<name>a</name>=>":                 `package "": it lacks a name, an architecture or a version`,
		`<location href="a.rpm"/>=>`:       `package "a": it lacks a location or a checksum`,
		`flags="GE"=>flags="XX"`:           `package "a": a relation to "b" with the flags "XX"`,
		`name="b"=>name=""`:                `package "a": a relation to "" with the flags "GE"`,
		`epoch="0" ver="1" rel=>epoch="x"`: `package "a": <version>: epoch "x"`,
		"</metadata>=>":                    "unexpected EOF: <metadata> is not closed",
		"metadata>=>other>":                "not primary metadata",
		"<name>a=><name><b/>a":             `package "": <name> holds <b>`,
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.ReplaceAll(good, from, to)
		if change == "" {
			text = good
		}
		err := readPrimary(strings.NewReader(text), func(*Package) error { return nil })
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: got %v, want %s", change, err, want)
		}
	}
}

func FuzzPrimary(f *testing.F) {
	f.Add([]byte(`<metadata><package type="rpm"><name>a</name><arch>x</arch><version epoch="0" ver="1" rel="1"/><checksum type="sha256">` +
		strings.Repeat("0", 64) + `</checksum><location href="a.rpm"/><format><requires><entry name="b" flags="GE" ver="1"/></requires><file>/a</file><file>/b</file></format></package></metadata>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readPrimary(bytes.NewReader(data), func(p *Package) error {
			again, err := decode(p.encode())
			if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
			return nil
		})
	})
}

func FuzzRepomd(f *testing.F) {
	f.Add([]byte(`<repomd><data type="primary"><checksum type="sha256">00</checksum><location href="p"/><size>1</size></data></repomd>`))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParseRepomd(data) })
}

func FuzzDecode(f *testing.F) {
	f.Add((&Package{Name: "a", Files: []string{"/a", "/ab"}, Requires: []relation.Relation{{Name: "b", Op: relation.Equal}}}).encode())
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = decode(data) })
}

// BenchmarkPrimary reads the metadata of CentOS' packages many times over.
func BenchmarkPrimary(b *testing.B) {
	dir := filepath.Join(testdata(b), "centos7-httpd")
	md, _ := openRepository(b, storetest.New(b), dir)
	f, err := os.Open(filepath.Join(dir, md.Data["primary"].Location))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := compress.NewReader(b.Context(), f, 0)
	if err != nil {
		b.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := readPrimary(bytes.NewReader(data), func(p *Package) error { p.encode(); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
