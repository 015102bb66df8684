package rpmfile

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/opencontainers/go-digest"

	"smith/internal/distro/openpgp"
	"smith/internal/tree"
)

// What is said of the beginnings of packages that cannot be read, before or
// beside what the header has.
func TestMistakesInHeaders(t *testing.T) {
	intro := func(tags, size uint32) []byte {
		head := binary.BigEndian.AppendUint32(bytes.Clone(headerMagic), tags)
		return binary.BigEndian.AppendUint32(head, size)
	}
	good := makeHeader(tagSignatures, map[Tag]any{TagMD5: []byte("0123456789abcdef")})
	other := makeHeader(tagImmutable, map[Tag]any{TagVersion: "1"})
	other[introSize+3] = 64
	pad := make([]byte, -len(good)&7)
	lead := append([]byte(leadMagic), make([]byte, leadSize-len(leadMagic))...)
	for _, tt := range []struct {
		file []byte
		want string
	}{
		{nil, "it is not an RPM package"},
		{[]byte("!<arch>\ndebian-binary"), "it is not an RPM package"},
		{lead, "signature header: unexpected EOF"},
		{slices.Concat(lead, make([]byte, introSize)), "signature header: it does not begin as a header does"},
		{slices.Concat(lead, intro(0, 0)), "signature header: 0 tags with 0 bytes: more than 65535 with 67108864, or none"},
		{slices.Concat(lead, intro(maxTags+1, 0)), "signature header: 65536 tags with 0 bytes: more than 65535 with 67108864, or none"},
		{slices.Concat(lead, intro(1, maxData+1)), "signature header: 1 tags with 67108865 bytes: more than 65535 with 67108864, or none"},
		{slices.Concat(lead, intro(1, 1)), "signature header: unexpected EOF"},
		{slices.Concat(lead, good, pad, other), "header: it has no region"},
		{slices.Concat(lead, good), "header: unexpected EOF"},
		{append(slices.Concat(lead, good), make([]byte, introSize+7)...), "header: it does not begin as a header does"},
		{recipe{tags: map[Tag]any{TagBaseNames: []string{"a"}}}.build(), "header: it lists 1 files in 0 folders"},
		{recipe{sign: func([]byte) map[Tag]any { return map[Tag]any{tagOpenPGP: make([]string, maxSignatures+1)} }}.build(), "33 signatures are more than the 32 allowed"},
	} {
		if _, err := Read(t.Context(), openStore(t), bytes.NewReader(tt.file)); err == nil || err.Error() != tt.want {
			t.Errorf("%.40q: got %v, want %s", tt.file, err, tt.want)
		}
	}
}

// What is said of archives in packages that cannot be read.
func TestMistakesInPayloads(t *testing.T) {
	good := string(recipe{files: []recipeFile{regular("/a", "1")}}.payload())
	stripped := string(recipe{files: []recipeFile{regular("/a", "1")}, form: magicStripped}.payload())
	nameSize := len(magicNewc) + 11*fieldDigits
	for _, tt := range []struct{ archive, want string }{
		{"", "payload after its beginning: unexpected EOF"},
		{"BZh91AY", `payload after its beginning: bad magic "BZh91A" in the cpio archive`},
		{good[:50], "payload after its beginning: unexpected EOF"},
		{strings.Replace(good, "00000001", "0000000x", 1), `payload after its beginning: bad number "0000000x" in the cpio archive`},
		{strings.Replace(stripped, "00000000", "-0000000", 1), `payload after its beginning: bad number "-0000000" in the cpio archive`},
		{good[:nameSize] + "00000000" + good[nameSize+8:], "payload after its beginning: a name of 0 bytes in the cpio archive"},
		{good[:nameSize] + "00001001" + good[nameSize+8:], "payload after its beginning: a name of 4097 bytes in the cpio archive"},
		{good[:nameSize] + "00000003" + good[nameSize+8:], "payload after its beginning: a name without an end in the cpio archive"},
		{good[:len(good)-len(trailerName)-2], `payload after "/a": unexpected EOF`},
	} {
		files := []File{{Path: "/a", Kind: tree.File, Size: 1}}
		if _, err := unpack(&archive{r: strings.NewReader(tt.archive)}, files, io.Discard); err == nil || err.Error() != tt.want {
			t.Errorf("%q: got %v, want %s", tt.archive, err, tt.want)
		}
	}
}

// What is said of signatures that no key can make good.
func TestMistakesInSignatures(t *testing.T) {
	version3 := []byte{0x88, 0x17, 3, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 8, 0, 0, 0, 16, 1, 2}
	ofKey := bytes.Clone(version3)
	ofKey[4] = 0x10
	nobody := append([]byte{0xc2, 0x12, 4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 0, 0, 0}, 0, 8)
	nobody = append(nobody, 1)
	nobody[1] = byte(len(nobody) - 2)
	for _, tt := range []struct {
		tag   Tag
		value any
		want  string
	}{
		{tagRSAHeader, []byte{1}, "a signature: not one OpenPGP signature packet"},
		{tagRSAHeader, []byte{0x88, 2, 3, 5}, "a signature: the signature packet of version 3 is too short"},
		{tagRSAHeader, []byte{0xb4, 1, 'u'}, "a signature: not one OpenPGP signature packet"},
		{tagRSAHeader, ofKey, "the signature by key 05060708090A0B0C: of type 16, not of a file"},
		{tagRSAHeader, nobody, "a signature: it does not tell its key"},
		{tagRSAHeader, version3, "the signature by key 05060708090A0B0C: the key is not known"},
		{tagOpenPGP, []string{"%"}, "a signature: illegal base64 data at input byte 0"},
		{tagOpenPGP, []string{base64.StdEncoding.EncodeToString(version3)}, "the signature by key 05060708090A0B0C: the key is not known"},
		{tagSHA256Header, nil, "it is not signed"},
	} {
		r := recipe{sign: func([]byte) map[Tag]any { return map[Tag]any{tt.tag: tt.value, TagMD5: []byte("x")} }}
		p, err := Read(t.Context(), openStore(t), bytes.NewReader(r.build()))
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Verify(openpgp.Join())
		p.Close()
		if err == nil || err.Error() != tt.want {
			t.Errorf("%v: got %v, want %s", tt.value, err, tt.want)
		}
	}
}

// A signature of the header alone does not vouch for a payload that the header
// has no digest of.
func TestMistakeInWhatIsSigned(t *testing.T) {
	m := newMaker(t, "us", &packet.Config{DefaultHash: crypto.SHA256, Algorithm: packet.PubKeyAlgoEdDSA})
	r := recipe{files: []recipeFile{regular("/a", "1")}, tags: map[Tag]any{tagPayloadSHA256: nil}}
	r.sign = func(header []byte) map[Tag]any {
		raw, err := base64.StdEncoding.DecodeString(m.sign(t, header))
		if err != nil {
			t.Fatal(err)
		}
		sum := md5.Sum(slices.Concat(header, r.payload()))
		return map[Tag]any{tagRSAHeader: raw, TagMD5: sum[:]}
	}
	p, err := Read(t.Context(), openStore(t), bytes.NewReader(r.build()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Verify(m.ring); err == nil || err.Error() != "its header is signed, its payload is not" {
		t.Errorf("got %v", err)
	}
}

// What is said of entries of the cache that something else than smith wrote.
func TestMistakesInTheCache(t *testing.T) {
	st := openStore(t)
	header := makeHeader(tagImmutable, nil)
	for data, want := range map[string]string{
		"":                        "the package's cache entry is damaged",
		"short":                   "the package's cache entry is damaged",
		strings.Repeat("\xff", 9): "the package's cache entry is damaged",
		strings.Repeat("\x00", 9): "it does not begin as a header does",
		"\x10" + string(header[:16]) + strings.Repeat("\x00", 8): "1 tags with 16 bytes are not what is there",
	} {
		file := digest.FromString(data)
		w, err := st.Create(bucket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
		entry, err := w.Commit(file.String())
		if err != nil {
			t.Fatal(err)
		}
		entry.Close()
		if _, err := Open(st, file); err == nil || err.Error() != "cannot read package "+file.String()+" from the cache: "+want {
			t.Errorf("%.5q: got %v, want %s", data, err, want)
		}
	}
}
