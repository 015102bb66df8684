package openpgp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const (
	// maxSignature bounds the bytes of a document's signatures, maxSignatures
	// their number.
	maxSignature  = 1 << 20
	maxSignatures = 64
	minRSA        = 2048 // bits
)

// A Signature is one that vouches for a document.
type Signature struct {
	// Key is the fingerprint of the primary key, in upper case.
	Key string
	// Created is when the signature says it was made.
	Created time.Time
}

// An UnknownKeyError says that a document is signed, and by no key that the
// keyring has.
type UnknownKeyError struct {
	// Wanted are the keys that signed it: fingerprints, or key IDs where the
	// signature names only those.
	Wanted []string
}

func (e *UnknownKeyError) Error() string {
	return "it is signed by the key " + strings.Join(e.Wanted, " and ") + ", which is not among the trusted ones"
}

// Verify checks a detached signature, binary or armoured, of data. at is the
// time at which keys and signature must be valid. It is enough that one of
// several signatures is good and by a key of the keyring.
func (k *Keyring) Verify(data, signature []byte, at time.Time) (*Signature, error) {
	if isArmoured(signature) {
		block, err := armor.Decode(bytes.NewReader(signature))
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is no OpenPGP signature")
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the signature: %w", err)
		}
		if signature, err = io.ReadAll(io.LimitReader(block.Body, maxSignature+1)); err != nil {
			return nil, fmt.Errorf("cannot read the signature: %w", err)
		}
	}
	if len(signature) > maxSignature {
		return nil, fmt.Errorf("a signature of more than %d bytes", maxSignature)
	}
	return k.verify(data, signature, at)
}

// VerifyClearsigned checks a clearsigned document (RFC 9580, 7) and returns the
// text that is signed, with "\n" at the ends of lines. Anything before or after
// the one signed text is an error, for readers could take it for signed.
func (k *Keyring) VerifyClearsigned(document []byte, at time.Time) ([]byte, *Signature, error) {
	if !bytes.HasPrefix(document, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		return nil, nil, errors.New("it does not begin as a clearsigned document does")
	}
	block, rest := clearsign.Decode(document)
	if block == nil {
		return nil, nil, errors.New("it is no clearsigned document")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, errors.New("text follows the signature, which does not vouch for it")
	}
	signature, err := io.ReadAll(io.LimitReader(block.ArmoredSignature.Body, maxSignature+1))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the signature: %w", err)
	}
	s, err := k.verify(block.Bytes, signature, at)
	if err != nil {
		return nil, nil, err
	}
	return signedText(block), s, nil
}

// verify tries the signature packets in turn.
func (k *Keyring) verify(data, packets []byte, at time.Time) (*Signature, error) {
	unknown := &UnknownKeyError{}
	var failed error
	r := packet.NewOpaqueReader(bytes.NewReader(packets))
	for range maxSignatures {
		p, err := r.Next()
		if err != nil {
			break
		}
		made, err := readMark(p)
		if err != nil {
			failed = err
			continue
		}
		keys := k.keys.KeysById(made.keyID)
		if len(keys) == 0 {
			unknown.Wanted = append(unknown.Wanted, made.by)
			continue
		}
		for _, key := range keys {
			if err = made.check(key, data, at); err == nil {
				return &Signature{Key: fingerprint(key.Entity.PrimaryKey.Fingerprint), Created: made.created}, nil
			}
			failed = fmt.Errorf("the signature by the key %s is not good: %w", fingerprint(key.Entity.PrimaryKey.Fingerprint), err)
		}
	}
	switch {
	case failed != nil:
		return nil, failed
	case len(unknown.Wanted) == 0:
		return nil, errors.New("it holds no signature")
	}
	slices.Sort(unknown.Wanted)
	unknown.Wanted = slices.Compact(unknown.Wanted)
	return nil, unknown
}

// A mark is a signature packet that may turn out good.
type mark struct {
	keyID   uint64
	by      string // the fingerprint, or the key ID
	created time.Time
	expired func(time.Time) bool
	hash    crypto.Hash
	// start returns the hash for the document, verify looks at it afterwards.
	start  func() (hash.Hash, error)
	verify func(key *packet.PublicKey, h hash.Hash) error
}

// readMark reads a signature packet of any version.
func readMark(p *packet.OpaquePacket) (*mark, error) {
	if p.Tag != 2 || len(p.Contents) == 0 {
		return nil, errors.New("it holds something that is no signature")
	}
	if p.Contents[0] == 3 {
		return readVersion3(p.Contents)
	}
	parsed, err := p.Parse()
	if err != nil {
		return nil, fmt.Errorf("cannot read the signature: %w", err)
	}
	s, ok := parsed.(*packet.Signature)
	if !ok || s.IssuerKeyId == nil {
		return nil, errors.New("cannot read the signature: it does not say which key made it")
	}
	if s.SigType != packet.SigTypeBinary && s.SigType != packet.SigTypeText {
		return nil, fmt.Errorf("the signature is of type %#x, which is not for documents", s.SigType)
	}
	m := &mark{keyID: *s.IssuerKeyId, created: s.CreationTime, expired: s.SigExpired, hash: s.Hash}
	if m.by = fmt.Sprintf("%016X", m.keyID); len(s.IssuerFingerprint) > 0 {
		m.by = fingerprint(s.IssuerFingerprint)
	}
	var under hash.Hash
	m.start = func() (hash.Hash, error) {
		if under, err = s.PrepareVerify(); err != nil || s.SigType == packet.SigTypeBinary {
			return under, err
		}
		return openpgp.NewCanonicalTextHash(under), nil
	}
	m.verify = func(key *packet.PublicKey, _ hash.Hash) error { return key.VerifySignature(under, s) }
	return m, nil
}

// readVersion3 reads a version 3 signature (RFC 4880, 5.2.2) by an RSA key.
func readVersion3(p []byte) (*mark, error) {
	const head = 19 // version, 5, type, time (4), key ID (8), algorithm, hash, tag (2)
	if len(p) < head+2 || p[1] != 5 || p[15] != byte(packet.PubKeyAlgoRSA) || p[2] > 1 {
		return nil, errors.New("cannot read the signature: of version 3 only those by RSA keys are known")
	}
	bits, value := int(p[head])<<8|int(p[head+1]), p[head+2:]
	which, known := openpgp.HashIdToHash(p[16])
	if p[16] == 1 || p[16] == 2 {
		which, known = []crypto.Hash{crypto.MD5, crypto.SHA1}[p[16]-1], true
	}
	if !known || len(value) != (bits+7)/8 {
		return nil, fmt.Errorf("cannot read the signature: of version 3, by hash %d, which is not known, or cut short", p[16])
	}
	m := &mark{hash: which, expired: func(time.Time) bool { return false }}
	for _, b := range p[7:15] {
		m.keyID = m.keyID<<8 | uint64(b)
	}
	m.by = fmt.Sprintf("%016X", m.keyID)
	m.created = time.Unix(int64(p[3])<<24|int64(p[4])<<16|int64(p[5])<<8|int64(p[6]), 0)
	m.start = func() (hash.Hash, error) {
		if p[2] == byte(packet.SigTypeText) {
			return openpgp.NewCanonicalTextHash(which.New()), nil
		}
		return which.New(), nil
	}
	m.verify = func(key *packet.PublicKey, h hash.Hash) error {
		public, ok := key.PublicKey.(*rsa.PublicKey)
		if !ok || len(value) > public.Size() {
			return rsa.ErrVerification
		}
		h.Write(p[2:7])
		padded := append(make([]byte, public.Size()-len(value)), value...)
		return rsa.VerifyPKCS1v15(public, which, h.Sum(nil), padded)
	}
	return m, nil
}

// check says whether a key made the mark for a document, and may.
func (m *mark) check(key openpgp.Key, document []byte, at time.Time) error {
	if weak := weakness(m.hash, key.PublicKey); weak != "" {
		return fmt.Errorf("%s is too weak: ask who offers it for a newer signature", weak)
	}
	if s := key.SelfSignature; s == nil || s.FlagsValid && !s.FlagSign {
		return errors.New("the key is not for signing")
	}
	h, err := m.start()
	if err != nil {
		return err
	}
	h.Write(document)
	if err := m.verify(key.PublicKey, h); err != nil {
		return errors.New("the document is not the one that was signed")
	}
	return m.valid(key, at)
}

// valid says whether key and signature count at a time.
func (m *mark) valid(key openpgp.Key, at time.Time) error {
	primary, identity := key.Entity.PrimarySelfSignature()
	switch {
	case m.created.After(at):
		return fmt.Errorf("it is made in the future, on %s: is this machine's clock right?", m.created.UTC().Format(time.RFC1123))
	case key.Entity.Revoked(at) || identity != nil && identity.Revoked(at) || key.Revoked(at):
		return errors.New("the key is revoked")
	case primary != nil && key.Entity.PrimaryKey.KeyExpired(primary, at), key.PublicKey.KeyExpired(key.SelfSignature, at):
		return errors.New("the key has expired; a newer keyring may have it with a later date")
	case m.expired(at):
		return errors.New("the signature has expired")
	}
	return nil
}

// weakness names what is too weak in a signature, or "".
func weakness(h crypto.Hash, key *packet.PublicKey) string {
	switch h {
	case crypto.MD5, crypto.SHA1, crypto.RIPEMD160:
		return "its hash, " + h.String() + ","
	}
	if public, ok := key.PublicKey.(*rsa.PublicKey); ok && public.N.BitLen() < minRSA {
		return fmt.Sprintf("the key, RSA of %d bits,", public.N.BitLen())
	}
	if key.PubKeyAlgo == packet.PubKeyAlgoDSA {
		return "the key, DSA,"
	}
	return ""
}

// Unverified returns the text of a clearsigned document without looking at the
// signature: for a source that the user trusts without one.
func Unverified(document []byte) ([]byte, error) {
	block, _ := clearsign.Decode(document)
	if block == nil {
		return nil, errors.New("it is no clearsigned document")
	}
	return signedText(block), nil
}

// signedText is the text that a signature is for, with "\n" at its lines' ends.
func signedText(block *clearsign.Block) []byte {
	text := bytes.ReplaceAll(block.Bytes, []byte("\r\n"), []byte("\n"))
	if !bytes.HasSuffix(text, []byte("\n")) { // the last line's end is not signed
		text = append(text, '\n')
	}
	return text
}
