package repodata

import (
	"errors"
	"strings"
	"testing"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro/rpm/relation"
)

// What is said of metadata of repositories that cannot be used.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"": "not a metalink", "<html/>": "not a metalink", "<metalink><url>": "cannot read the metalink: unexpected EOF: <url> is not closed", "<metalink></metalink>": "the metalink names no mirror by http, https or file, or no digest of repomd.xml",
	} {
		if _, err := ParseMetalink([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("metalink %q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"": "the list names no mirror by http, https or file", "# none\nftp://example.org/\n": "the list names no mirror by http, https or file"} {
		if _, err := ParseMirrorlist([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("mirrorlist %q: got %v, want %s", text, err, want)
		}
	}
	const sha1 = `<repomd><data type="primary"><checksum type="sha">da39a3ee5e6b4b0d3255bfef95601890afd80709</checksum><location href="p"/></data></repomd>`
	for text, want := range map[string]string{
		"": "not a repomd.xml file", "<html>": "not a repomd.xml file", "<repomd></repomd>": "cannot read repomd.xml: it names no primary metadata", sha1: "cannot read repomd.xml: primary: its checksums are too weak; the repository must be made with --checksum sha256", "<!DOCTYPE x>": "not a repomd.xml file\na document type, which repository metadata has none of", "<repomd><data": "cannot read repomd.xml: unexpected EOF",
		"<repomd><data type=x></repomd>": "cannot read repomd.xml: <data>: an attribute without a value", "<repomd>&what;</repomd>": "cannot read repomd.xml: the entity &what; is not known", "<repomd></data>": "cannot read repomd.xml: </data> closes nothing",
	} {
		if _, err := ParseRepomd([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("repomd %q: got %v, want %s", text, err, want)
		}
	}
}

// What is said of lists of files that cannot be read.
func TestMistakesInFilelists(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "not a filelists file",
		"<metadata/>":                           "not a filelists file",
		"<filelists><package>":                  "unexpected EOF: <package> is not closed",
		"<filelists><package><file><b/></file>": "<file> holds <b>",
	} {
		if err := readFilelists(strings.NewReader(text), func(fileList) error { return nil }); err == nil || err.Error() != want {
			t.Errorf("%.80q: got %v, want %s", text, err, want)
		}
	}
	record := (&Package{Name: "a"}).encode()
	if _, err := decode(record[:len(record)-1]); !errors.Is(err, errRecord) || err.Error() != "the index in the cache is damaged" {
		t.Errorf("got %v", err)
	}
	if _, err := decodeList(record[:1]); !errors.Is(err, errRecord) {
		t.Errorf("got %v", err)
	}
}

// What is said of requests, and of dependencies of packages, that are none.
func TestMistakesInRequests(t *testing.T) {
	index, err := NewIndex(storetest.New(t), []*Package{{Name: "libfoo", Arch: "noarch", EVR: relation.EVR{Version: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	c, err := New(t.Context(), []*Repository{{Index: index}}, Options{Machine: "x86_64"})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"@web":               "@web: groups of packages are not supported: name packages",
		"a >":                `"a >" is neither a package nor a relation`,
		"a[":                 `"a[" is not a valid glob: its [ is not closed or is empty`,
		"nothing":            "no package is called nothing or provides it",
		"foo":                "no package is called foo or provides it; libfoo exists",
		"(a or":              `rich dependency "(a or": "" where a verb should stand`,
		"((a and b) with c)": `rich dependency ((a and b) with c): "and" cannot stand in "with"`,
		"(" + strings.Repeat("(a and b) or ", 20) + "c)": "rich dependency (" + strings.Repeat("(a and b) or ", 15) + "(a a: it stands for more than 10000 clauses",
	} {
		if _, err := c.Want(request); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", request, err, want)
		}
	}
}
