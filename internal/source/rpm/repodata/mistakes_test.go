package repodata

import "testing"

// What is said of metadata of repositories that cannot be used.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"": "it is no metalink", "<html/>": "it is no metalink", "<metalink></metalink>": "the metalink names no mirror by http, https or file, or no digest of repomd.xml",
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
		"": "it is no repomd.xml", "<html>": "it is no repomd.xml", "<repomd></repomd>": "cannot read repomd.xml: it names no primary metadata", sha1: "cannot read repomd.xml: primary: its checksums are too weak; the repository must be made with --checksum sha256", "<!DOCTYPE x>": "it is no repomd.xml\na document type, which repository metadata has none of", "<repomd><data": "cannot read repomd.xml: unexpected EOF",
		"<repomd><data type=x></repomd>": "cannot read repomd.xml: <data>: an attribute without a value", "<repomd>&what;</repomd>": "cannot read repomd.xml: the entity &what; is not known", "<repomd></data>": "cannot read repomd.xml: </data> closes nothing",
	} {
		if _, err := ParseRepomd([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("repomd %q: got %v, want %s", text, err, want)
		}
	}
}
