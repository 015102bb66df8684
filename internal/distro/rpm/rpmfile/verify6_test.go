package rpmfile

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"smith/internal/distro/openpgp"
)

// A maker is a key that signs packages as rpm 6 does; gpg makes no keys and
// signatures of version 6, and rpm 4.18 judges none.
type maker struct {
	name   string
	config *packet.Config
	entity *pgp.Entity
	ring   *openpgp.Keyring
}

func newMaker(t *testing.T, name string, config *packet.Config) *maker {
	t.Helper()
	e, err := pgp.NewEntity(name, "", name+"@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	ring, err := openpgp.ReadKeyring(public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return &maker{name, config, e, ring}
}

// sign returns a value of the tag OPENPGP.
func (m *maker) sign(t *testing.T, header []byte) string {
	t.Helper()
	var signature bytes.Buffer
	if err := pgp.DetachSign(&signature, m.entity, bytes.NewReader(header), m.config); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature.Bytes())
}

// recipe6 is a package with the digests that rpm 6 writes.
func recipe6() recipe {
	r := recipe{files: []recipeFile{regular("/a", "1")}}
	payload := r.payload()
	r.tags = map[Tag]any{
		tagPayloadSHA256: fmt.Sprintf("%x", sha256.Sum256(payload)),
		tagPayloadSHA512: fmt.Sprintf("%x", sha512.Sum512(payload)),
		tagPayloadSHA3:   fmt.Sprintf("%x", sha3.Sum256(payload)),
	}
	r.sign = func(header []byte) map[Tag]any {
		return map[Tag]any{
			tagSHA256Header: fmt.Sprintf("%x", sha256.Sum256(header)), tagSHA3Header: fmt.Sprintf("%x", sha3.Sum256(header)),
		}
	}
	return r
}

// package6 returns such a package, signed by makers.
func package6(t *testing.T, makers ...*maker) []byte {
	t.Helper()
	r := recipe6()
	digests := r.sign
	r.sign = func(header []byte) map[Tag]any {
		tags := digests(header)
		var all []string
		for _, m := range makers {
			all = append(all, m.sign(t, header))
		}
		tags[tagOpenPGP] = all
		return tags
	}
	return r.build()
}

func TestVerifiesVersion6(t *testing.T) {
	hash := func(h crypto.Hash, c packet.Config) *packet.Config {
		c.DefaultHash = h
		return &c
	}
	makers := []*maker{
		newMaker(t, "v6-ed25519", hash(crypto.SHA512, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519})),
		newMaker(t, "v6-ed448", hash(crypto.SHA512, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd448})),
		newMaker(t, "v6-rsa", hash(crypto.SHA3_256, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})),
		newMaker(t, "v6-ecdsa", hash(crypto.SHA256, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoECDSA, Curve: packet.CurveNistP384})),
		newMaker(t, "v6-mldsa65", hash(crypto.SHA512, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoMldsa65Ed25519})),
		newMaker(t, "v6-mldsa87", hash(crypto.SHA512, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoMldsa87Ed448})),
		newMaker(t, "v4-rsa", hash(crypto.SHA256, packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})),
		newMaker(t, "v4-eddsa", hash(crypto.SHA256, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})),
	}
	st := openStore(t)
	verify := func(t *testing.T, file []byte, keys Keys) (string, error) {
		t.Helper()
		p, err := Read(t.Context(), st, bytes.NewReader(file))
		if err != nil {
			return "", err
		}
		defer p.Close()
		return p.Verify(keys)
	}
	other := newMaker(t, "other", makers[0].config)
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			file := package6(t, m)
			key, err := verify(t, file, m.ring)
			if want := fmt.Sprintf("%X", m.entity.PrimaryKey.Fingerprint); err != nil || key != want {
				t.Errorf("key %s, want %s: %v", key, want, err)
			}
			if _, err := verify(t, file, other.ring); err == nil {
				t.Error("accepted with another key")
			}
			// Of several signatures one by a known key is enough; a bad one is
			// one too many.
			several := package6(t, other, m)
			if _, err := verify(t, several, m.ring); err != nil {
				t.Errorf("one of two: %v", err)
			}
			if _, err := verify(t, spoiled(t, several), openpgp.Join(m.ring, other.ring)); err == nil || !strings.Contains(err.Error(), "signature by key") {
				t.Errorf("with a bad signature beside the good one: %v", err)
			}
			if _, err := verify(t, spoiled(t, file), m.ring); err == nil {
				t.Error("accepted with a bad signature")
			}
		})
	}
}

// Distributions' keys of version 6, for signatures that quantum computers do
// not forge, are read.
func TestReadsKeysOfVersion6(t *testing.T) {
	dir := filepath.Join(testdata(t), "keys/rpm-software-management+distribution-gpg-keys/keys")
	for _, name := range []string{"centos/RPM-GPG-KEY-centosofficial-PQC", "redhat/RPM-GPG-KEY-redhat9-PQC-release"} {
		keys := readKeys(t, filepath.Join(dir, name)).Fingerprints()
		if len(keys) != 1 || len(keys[0]) != 2*sha256.Size {
			t.Errorf("%s: %v", name, keys)
		}
	}
}

// spoiled changes the last signature of a package, and nothing else.
func spoiled(t *testing.T, file []byte) []byte {
	t.Helper()
	h, err := readHeader(bytes.NewReader(file[leadSize:]), tagSignatures)
	if err != nil {
		t.Fatal(err)
	}
	all := h.Strings(tagOpenPGP)
	last := all[len(all)-1]
	raw, err := base64.StdEncoding.DecodeString(last)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-7] ^= 1
	return bytes.Replace(file, []byte(last), []byte(base64.StdEncoding.EncodeToString(raw)), 1)
}

// Each of the digests of rpm 6 is checked by itself.
func TestChecksDigestsOf6(t *testing.T) {
	wrong := strings.Repeat("0", 64)
	for tag, want := range map[Tag]string{
		tagSHA256Header: "its header SHA256 digest is", tagSHA3Header: "its header SHA3-256 digest is",
		tagPayloadSHA256: "its payload SHA256 digest is", tagPayloadSHA512: "its payload SHA512 digest is",
		tagPayloadSHA3: "its payload SHA3-256 digest is",
	} {
		r := recipe6()
		if _, ok := r.tags[tag]; ok {
			r.tags[tag] = wrong
		} else {
			sign := r.sign
			r.sign = func(header []byte) map[Tag]any {
				tags := sign(header)
				tags[tag] = wrong
				return tags
			}
		}
		if _, err := Read(t.Context(), openStore(t), bytes.NewReader(r.build())); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
