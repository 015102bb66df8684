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
		"an empty keyring":                           " \n",
		"cannot read OpenPGP keys: there is none":    "some text",
		"it holds a PGP SIGNATURE, not a PGP PUBLIC": "-----BEGIN PGP SIGNATURE-----\n\nwsE=\n-----END PGP SIGNATURE-----\n",
		"cannot read OpenPGP keys: ":                 "\x99\x01",
	} {
		if _, err := ReadKeyring([]byte(data)); err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", data, err)
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
		"of version 6, of another text": {sign(t, six, data+"x", config(made)), after(day), nil, "not the one that was signed"},
		"by ML-DSA":                     {sign(t, quantum, data, config(made)), after(day), quantum, ""},
		"two, one is known":             {both, after(day), good, ""},
		"before it expires":             {sign(t, short, data, config(made)), after(29 * day), short, ""},
		"expired key":                   {sign(t, short, data, config(made)), after(31 * day), nil, "the key has expired"},
		"expired signature":             {sign(t, good, data, brief), after(day), nil, "the signature has expired"},
		"in the future":                 {sign(t, good, data, config(made)), after(-2 * day), nil, "is this machine's clock right?"},
		"unknown":                       {sign(t, other, data, config(made)), after(day), nil, "signed by the key " + name(other) + ", which is not among the trusted ones"},
		"of another text":               {sign(t, good, data+"x", config(made)), after(day), nil, "not the one that was signed"},
		"weak key":                      {sign(t, weak, data, config(made)), after(day), nil, "RSA of 1024 bits, is too weak"},
		"nothing":                       {nil, after(day), nil, "it holds no signature"},
		"no signature":                  {public(t, good), after(day), nil, "which is not for documents"},
	} {
		s, err := keyring(t, good, short, weak, six, quantum).Verify([]byte(data), test.signature, test.at)
		switch {
		case test.by != nil && (err != nil || s.Key != name(test.by) || !s.Created.Equal(made)):
			t.Errorf("%s: %+v, %v", what, s, err)
		case test.by == nil && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %v, want …%s…", what, err, test.err)
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
	if _, err := keyring(t, key).Verify([]byte("a"), signature, after(2*day)); err == nil || !strings.Contains(err.Error(), "revoked") {
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
		"not the one that was signed": strings.Replace(document, "Test", "Tost", 1),
		"does not begin as":           "Origin: Other\n" + document,
		"text follows the signature":  document + "\nOrigin: Other\n",
		"is no clearsigned document":  document[:len(document)/2],
	} {
		if _, _, err := keyring(t, key).VerifyClearsigned([]byte(changed), after(day)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
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
	var out bytes.Buffer
	if err := (&packet.OpaquePacket{Tag: 2, Contents: append(body, value...)}).Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
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
	if _, err := k.Verify([]byte("a"), weak, after(day)); err == nil || !strings.Contains(err.Error(), "its hash, SHA-1, is too weak") {
		t.Error(err)
	}
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
