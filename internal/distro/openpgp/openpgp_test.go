package openpgp

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// made is when the tests' keys and signatures are made.
var made = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return made.Add(d) }

const day = 24 * time.Hour

func config(at time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, Algorithm: packet.PubKeyAlgoEdDSA}
}

// newKey makes a key that lives for some days, 0 is for ever.
func newKey(t *testing.T, days int, change func(*packet.Config)) *openpgp.Entity {
	t.Helper()
	c := config(made)
	c.KeyLifetimeSecs = uint32(days * 24 * 60 * 60)
	if change != nil {
		change(c)
	}
	e, err := openpgp.NewEntity("test", "", "test@example.org", c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// public is the binary form of public keys.
func public(t *testing.T, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, k := range keys {
		if err := k.Serialize(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func armoured(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

func keyring(t *testing.T, keys ...*openpgp.Entity) *Keyring {
	t.Helper()
	k, err := ReadKeyring(public(t, keys...))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, key *openpgp.Entity, data string, c *packet.Config) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.DetachSign(&out, key, strings.NewReader(data), c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func clearsigned(t *testing.T, text string, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var private []*packet.PrivateKey
	for _, k := range keys {
		private = append(private, k.PrivateKey)
	}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, private, config(made))
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func name(e *openpgp.Entity) string { return fingerprint(e.PrimaryKey.Fingerprint) }

func TestReadKeyring(t *testing.T) {
	a, b := newKey(t, 0, nil), newKey(t, 0, nil)
	both := []string{name(a), name(b)}
	slices.Sort(both)
	for form, data := range map[string][]byte{
		"binary":            public(t, a, b),
		"armoured":          armoured(t, public(t, a, b)),
		"one after another": append(armoured(t, public(t, a)), armoured(t, public(t, b))...),
		"with text around":  append([]byte("the keys:\n"), armoured(t, public(t, b, a))...),
	} {
		k, err := ReadKeyring(data)
		if err != nil || !slices.Equal(k.Fingerprints(), both) {
			t.Errorf("%s: %v", form, err)
		}
	}
	for want, data := range map[string]string{
		"an empty keyring": " \n",
		"cannot read OpenPGP keys: there is none in it":                                  "some text",
		"cannot read OpenPGP keys: it holds a PGP SIGNATURE, not a PGP PUBLIC KEY BLOCK": "-----BEGIN PGP SIGNATURE-----\n\nwsE=\n-----END PGP SIGNATURE-----\n",
		"cannot read OpenPGP keys: unexpected EOF":                                       "\x99\x01",
		"a keyring of more than 16777216 bytes":                                          strings.Repeat("x", maxKeyring+1),
	} {
		if _, err := ReadKeyring([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%.80q: got %v, want %s", data, err, want)
		}
	}
	k := keyring(t, a, b)
	if got := k.Only(strings.ToLower(name(a))).Fingerprints(); !slices.Equal(got, both[slices.Index(both, name(a)):][:1]) {
		t.Errorf("only %s: %v", name(a), got)
	}
	if got := Join(keyring(t, a), keyring(t, b)).Fingerprints(); !slices.Equal(got, both) {
		t.Errorf("joined: %v", got)
	}
}

func TestVerify(t *testing.T) {
	const data = "the document\n"
	good, other, short := newKey(t, 0, nil), newKey(t, 0, nil), newKey(t, 30, nil)
	weak := newKey(t, 0, func(c *packet.Config) { c.Algorithm, c.RSABits = packet.PubKeyAlgoRSA, 1024 })
	six := newKey(t, 0, func(c *packet.Config) { c.V6Keys, c.Algorithm = true, packet.PubKeyAlgoEd25519 })
	quantum := newKey(t, 0, func(c *packet.Config) { c.V6Keys, c.Algorithm = true, packet.PubKeyAlgoMldsa65Ed25519 })
	both := append(sign(t, other, data, config(made)), sign(t, good, data, config(made))...)
	brief := config(made)
	brief.SigLifetimeSecs = 60
	for what, test := range map[string]struct {
		signature []byte
		at        time.Time
		by        *openpgp.Entity
		err       string
	}{
		"good":                          {sign(t, good, data, config(made)), after(day), good, ""},
		"of version 6":                  {sign(t, six, data, config(made)), after(day), six, ""},
		"of version 6, of another text": {sign(t, six, data+"x", config(made)), after(day), nil, "the signature by the key " + name(six) + " is not good: the document is not the one that was signed"},
		"by ML-DSA":                     {sign(t, quantum, data, config(made)), after(day), quantum, ""},
		"two, one is known":             {both, after(day), good, ""},
		"before it expires":             {sign(t, short, data, config(made)), after(29 * day), short, ""},
		"expired key":                   {sign(t, short, data, config(made)), after(31 * day), nil, "the signature by the key " + name(short) + " is not good: the key has expired; a newer keyring may have it with a later date"},
		"expired signature":             {sign(t, good, data, brief), after(day), nil, "the signature by the key " + name(good) + " is not good: the signature has expired"},
		"in the future":                 {sign(t, good, data, config(made)), after(-2 * day), nil, "the signature by the key " + name(good) + " is not good: it is made in the future, on " + made.UTC().Format(time.RFC1123) + ": is this machine's clock right?"},
		"unknown":                       {sign(t, other, data, config(made)), after(day), nil, "it is signed by the key " + name(other) + ", which is not among the trusted ones"},
		"of another text":               {sign(t, good, data+"x", config(made)), after(day), nil, "the signature by the key " + name(good) + " is not good: the document is not the one that was signed"},
		"weak key":                      {sign(t, weak, data, config(made)), after(day), nil, "the signature by the key " + name(weak) + " is not good: the key, RSA of 1024 bits, is too weak: ask who offers it for a newer signature"},
		"nothing":                       {nil, after(day), nil, "it holds no signature"},
		"no signature":                  {public(t, good), after(day), nil, "the signature is of type 0x18, which is not for documents"},
	} {
		s, err := keyring(t, good, short, weak, six, quantum).Verify([]byte(data), test.signature, test.at)
		switch {
		case test.by != nil && (err != nil || s.Key != name(test.by) || !s.Created.Equal(made)):
			t.Errorf("%s: %+v, %v", what, s, err)
		case test.by == nil && (err == nil || err.Error() != test.err):
			t.Errorf("%s: got %v, want %s", what, err, test.err)
		}
	}
	_, err := keyring(t, good).Verify([]byte(data), sign(t, other, data, config(made)), after(day))
	if unknown, ok := errors.AsType[*UnknownKeyError](err); !ok || !slices.Equal(unknown.Wanted, []string{name(other)}) {
		t.Errorf("%v does not say which key is wanted", err)
	}
}

func TestVerifyArmoured(t *testing.T) {
	key := newKey(t, 0, nil)
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSignText(&out, key, strings.NewReader("a\nb\n"), config(made)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a\nb\n", "a\r\nb\r\n"} {
		if _, err := keyring(t, key).Verify([]byte(text), out.Bytes(), after(day)); err != nil {
			t.Error(err)
		}
	}
}

func TestVerifyRevoked(t *testing.T) {
	key := newKey(t, 0, nil)
	signature := sign(t, key, "a", config(made))
	if err := key.RevokeKey(packet.KeyCompromised, "", config(after(day))); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring(t, key).Verify([]byte("a"), signature, after(2*day)); err == nil || err.Error() != "the signature by the key "+name(key)+" is not good: the key is revoked" {
		t.Error(err)
	}
}

func TestVerifyClearsigned(t *testing.T) {
	key, other := newKey(t, 0, nil), newKey(t, 0, nil)
	const text = "Origin: Test\n- dashed\n\nlast  \n"
	document := string(clearsigned(t, text, other, key))
	got, s, err := keyring(t, key).VerifyClearsigned([]byte(document), after(day))
	if err != nil || s.Key != name(key) || string(got) != "Origin: Test\n- dashed\n\nlast\n" {
		t.Errorf("%q, %+v, %v", got, s, err)
	}
	for want, changed := range map[string]string{
		"the signature by the key " + name(key) + " is not good: the document is not the one that was signed": strings.Replace(document, "Test", "Tost", 1),
		"it does not begin as a clearsigned document does":                                                    "Origin: Other\n" + document,
		"text follows the signature, which does not vouch for it":                                             document + "\nOrigin: Other\n",
		"it is no clearsigned document":                                                                       document[:len(document)/2],
		"cannot read the signature: unexpected EOF":                                                           document[:strings.Index(document, "\n\nw")+9] + "\n-----END PGP SIGNATURE-----\n",
	} {
		if _, _, err := keyring(t, key).VerifyClearsigned([]byte(changed), after(day)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Unverified([]byte("Origin: Other\n")); err == nil || err.Error() != "it is no clearsigned document" {
		t.Error(err)
	}
}

// version3 signs as old RPM packages are signed (RFC 4880, 5.2.2).
func version3(t *testing.T, key *openpgp.Entity, data string, which crypto.Hash, id byte) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint32([]byte{3, 5, 0}, uint32(made.Unix()))
	h := which.New()
	h.Write([]byte(data))
	h.Write(head[2:])
	sum := h.Sum(nil)
	value, err := rsa.SignPKCS1v15(rand.Reader, key.PrivateKey.PrivateKey.(*rsa.PrivateKey), which, sum)
	if err != nil {
		t.Fatal(err)
	}
	value = bytes.TrimLeft(value, "\x00")
	body := binary.BigEndian.AppendUint64(head, key.PrimaryKey.KeyId)
	body = append(body, byte(packet.PubKeyAlgoRSA), id, sum[0], sum[1])
	body = binary.BigEndian.AppendUint16(body, uint16(len(value)*8))
	return opaque(t, 2, append(body, value...))
}

func TestVerifyVersion3(t *testing.T) {
	key := newKey(t, 0, func(c *packet.Config) { c.Algorithm, c.RSABits = packet.PubKeyAlgoRSA, 2048 })
	k, signature := keyring(t, key), version3(t, key, "a", crypto.SHA256, 8)
	if s, err := k.Verify([]byte("a"), signature, after(day)); err != nil || !s.Created.Equal(made) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := k.Verify([]byte("b"), signature, after(day)); err == nil {
		t.Error("it vouches for another document")
	}
	weak := version3(t, key, "a", crypto.SHA1, 2)
	if _, err := k.Verify([]byte("a"), weak, after(day)); err == nil || err.Error() != "the signature by the key "+name(key)+" is not good: its hash, SHA-1, is too weak: ask who offers it for a newer signature" {
		t.Error(err)
	}
}

// What is said of signatures that cannot be read, or are by keys that may not
// sign.
func TestMistakes(t *testing.T) {
	rsaKey := newKey(t, 0, func(c *packet.Config) { c.Algorithm, c.RSABits = packet.PubKeyAlgoRSA, 2048 })
	curve, encrypts := newKey(t, 0, nil), newKey(t, 0, nil)
	byEncrypting := sign(t, encrypts, "a", config(made))
	for _, identity := range encrypts.Identities {
		identity.SelfSignature.FlagSign = false
	}
	encrypts.Subkeys = nil
	k := &Keyring{openpgp.EntityList{rsaKey, curve, encrypts}}
	old := func(change func(p []byte)) []byte {
		p, err := packet.NewOpaqueReader(bytes.NewReader(version3(t, rsaKey, "a", crypto.SHA256, 8))).Next()
		if err != nil {
			t.Fatal(err)
		}
		change(p.Contents)
		return opaque(t, 2, p.Contents)
	}
	good := sign(t, curve, "a", config(made))
	for _, tt := range []struct {
		what      string
		signature []byte
		want      string
	}{
		{"a truncated armour", []byte("-----BEGIN PGP SIGNATURE-----\n\nwsE"), "cannot read the signature: unexpected EOF"},
		{"another text", []byte("hello"), "it is no OpenPGP signature"},
		{"a bad sum", []byte("-----BEGIN PGP SIGNATURE-----\n\n!!!!\n-----END PGP SIGNATURE-----\n"), "cannot read the signature: illegal base64 data at input byte 0"},
		{"a large one", bytes.Repeat([]byte{0xff}, maxSignature+1), "a signature of more than 1048576 bytes"},
		{"a literal", opaque(t, 11, []byte("b")), "it holds something that is no signature"},
		{"an empty packet", opaque(t, 2, nil), "it holds something that is no signature"},
		{"version 9", opaque(t, 2, []byte{9, 0}), "cannot read the signature: openpgp: unsupported feature: signature packet version 9"},
		{"nobody's", opaque(t, 2, []byte{4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 0, 0, 0, 0, 8, 1}), "cannot read the signature: it does not say which key made it"},
		{"version 3 by DSA", old(func(p []byte) { p[15] = byte(packet.PubKeyAlgoDSA) }), "cannot read the signature: of version 3 only those by RSA keys are known"},
		{"version 3 with an unknown hash", old(func(p []byte) { p[16] = 99 }), "cannot read the signature: of version 3, by hash 99, which is not known, or cut short"},
		{"version 3 by a key that is no RSA", old(func(p []byte) { binary.BigEndian.PutUint64(p[7:], curve.PrimaryKey.KeyId) }), "the signature by the key " + name(curve) + " is not good: the document is not the one that was signed"},
		{"by a key that encrypts", byEncrypting, "the signature by the key " + name(encrypts) + " is not good: the key is not for signing"},
		{"cut", good[:len(good)-3], "it holds no signature"},
	} {
		if _, err := k.Verify([]byte("a"), tt.signature, after(day)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.what, err, tt.want)
		}
	}
}

// opaque returns a packet of any content.
func opaque(t *testing.T, tag uint8, contents []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&packet.OpaquePacket{Tag: tag, Contents: contents}).Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestDistributionKeys reads the public keys of distributions.
func TestDistributionKeys(t *testing.T) {
	data := os.Getenv("SMITH_TESTDATA")
	if data == "" {
		t.Skip("SMITH_TESTDATA is not set: no keys of distributions at hand")
	}
	var files []string
	err := filepath.WalkDir(filepath.Join(data, "keys"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(filepath.Base(path), "GPG-KEY") && !strings.HasSuffix(path, "-IMA") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no keys: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(text, []byte("RPM-GPG-KEY")) {
			continue // a link to another file, stored as text
		}
		if _, err := ReadKeyring(text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzReadKeyring(f *testing.F) {
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n"))
	f.Add([]byte("\x99\x01\x00\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := ReadKeyring(data); err == nil && len(k.Fingerprints()) == 0 {
			t.Error("a keyring without keys")
		}
	})
}

func FuzzVerify(f *testing.F) {
	key, err := openpgp.NewEntity("test", "", "", config(made))
	if err != nil {
		f.Fatal(err)
	}
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, key, strings.NewReader("a"), config(made)); err != nil {
		f.Fatal(err)
	}
	f.Add(signature.Bytes())
	f.Add([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na\n-----BEGIN PGP SIGNATURE-----\n\nwsE=\n-----END PGP SIGNATURE-----\n"))
	k := &Keyring{openpgp.EntityList{key}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := k.Verify([]byte("b"), data, after(day)); err == nil {
			t.Error("a signature for another document is good")
		}
		if _, _, err := k.VerifyClearsigned(data, after(day)); err == nil {
			t.Error("a signature made without the key is good")
		}
	})
}
