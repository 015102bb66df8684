// Package openpgp tells whose key vouches for a document: a detached or
// clearsigned OpenPGP signature (RFC 9580, and RFC 4880's version 3 that old
// RPM packages carry) is verified with the public keys that the caller trusts.
// It makes no signatures and trusts no key by itself: no web of trust, no key
// server.
package openpgp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// maxKeyring bounds the bytes of a keyring. Debian's has 56 kB.
const maxKeyring = 16 << 20

// A Keyring is the public keys that are trusted for something.
type Keyring struct{ keys openpgp.EntityList }

// ReadKeyring reads public keys, binary or armoured, one after the other. Keys
// that cannot be read are left out; where none is left that is an error.
func ReadKeyring(data []byte) (*Keyring, error) {
	switch {
	case len(data) > maxKeyring:
		return nil, fmt.Errorf("a keyring of more than %d bytes", maxKeyring)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("an empty keyring")
	case !isArmoured(data):
		keys, err := openpgp.ReadKeyRing(bytes.NewReader(data))
		return newKeyring(keys, err)
	}
	var all openpgp.EntityList
	var failed error
	for r := bufio.NewReader(bytes.NewReader(data)); ; {
		block, err := armor.Decode(r)
		if errors.Is(err, io.EOF) {
			return newKeyring(all, failed)
		}
		if err != nil {
			return newKeyring(all, err)
		}
		if block.Type != openpgp.PublicKeyType {
			failed = fmt.Errorf("it holds a %s, not a %s", block.Type, openpgp.PublicKeyType)
			continue
		}
		keys, err := openpgp.ReadKeyRing(block.Body)
		if err != nil {
			failed = err
		}
		all = append(all, keys...)
	}
}

func newKeyring(keys openpgp.EntityList, err error) (*Keyring, error) {
	if len(keys) > 0 {
		return &Keyring{keys}, nil
	}
	if err == nil {
		err = errors.New("there is none in it")
	}
	return nil, fmt.Errorf("cannot read OpenPGP keys: %w", err)
}

// isArmoured says whether data is text with a block in it. Binary packets
// begin with a byte above 0x7f (RFC 9580, 4.2).
func isArmoured(data []byte) bool { return len(data) > 0 && data[0] < 0x80 }

// Join returns a keyring with the keys of all.
func Join(all ...*Keyring) *Keyring {
	joined := &Keyring{}
	for _, k := range all {
		joined.keys = append(joined.keys, k.keys...)
	}
	return joined
}

// Only returns the keys with the given fingerprints, of the primary key or of
// a subkey, in any case and with any spaces.
func (k *Keyring) Only(fingerprints ...string) *Keyring {
	wanted := make([]string, len(fingerprints))
	for i, f := range fingerprints {
		wanted[i] = strings.ToUpper(strings.Join(strings.Fields(f), ""))
	}
	only := &Keyring{}
	for _, e := range k.keys {
		has := slices.Contains(wanted, fingerprint(e.PrimaryKey.Fingerprint))
		for _, sub := range e.Subkeys {
			has = has || slices.Contains(wanted, fingerprint(sub.PublicKey.Fingerprint))
		}
		if has {
			only.keys = append(only.keys, e)
		}
	}
	return only
}

// Fingerprints returns those of the primary keys, in upper case, sorted.
func (k *Keyring) Fingerprints() []string {
	all := make([]string, len(k.keys))
	for i, e := range k.keys {
		all[i] = fingerprint(e.PrimaryKey.Fingerprint)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func fingerprint(f []byte) string { return fmt.Sprintf("%X", f) }

// ByID returns the public keys, primary or not, that have a key ID, for
// formats whose signatures are not of a document.
func (k *Keyring) ByID(id uint64) []*packet.PublicKey {
	var keys []*packet.PublicKey
	for _, e := range k.keys.KeysById(id) {
		keys = append(keys, e.PublicKey)
	}
	return keys
}
