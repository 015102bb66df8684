package rpmfile

import (
	"errors"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Keys are the public keys that packages may be signed with.
type Keys interface {
	// ByID returns the keys whose ID, the end of the fingerprint, is given.
	ByID(id uint64) []*packet.PublicKey
}

// ErrUnsigned is returned where a package carries no signature.
var ErrUnsigned = errors.New("it is not signed")

// Verify checks that the package is signed by one of the keys, header and
// payload, and returns the fingerprint of the key.
//
// What is accepted is what rpm 4.18 accepts (rpmvs.c): every signature that
// the package carries must be good, and between them they must cover header
// and payload, either directly or because the signed header states a digest of
// the payload. Of the signatures in the form of rpm 6, which stand for each
// other, one good one is enough and none may be bad. Beyond rpm, ECDSA keys
// are accepted; MD5 is refused.
func (p *Package) Verify(keys Keys) (fingerprint string, err error) {
	if len(p.signatures) == 0 {
		return "", ErrUnsigned
	}
	payload := false
	var unknown error
	for _, s := range p.signatures {
		key, err := s.verify(keys)
		switch {
		case err == nil:
			fingerprint = fmt.Sprintf("%X", key.Fingerprint)
			payload = payload || s.Payload || p.payloadSigned
		case s.Several && (s.fault != nil || errors.Is(err, ErrUnknownKey)):
			unknown = fmt.Errorf("%s: %w", s.name(), err)
		default:
			return "", fmt.Errorf("%s: %w", s.name(), err)
		}
	}
	switch {
	case fingerprint == "":
		return "", unknown
	case !payload:
		return "", errors.New("its header is signed, its payload is not")
	}
	return fingerprint, nil
}
