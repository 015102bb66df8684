package rpmfile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// maxSignatures bounds the signatures of one package.
const maxSignatures = 32

// A Signature is one that a package carries.
type Signature struct {
	// Payload says that header and payload are signed, not the header alone.
	Payload bool
	// Several says that it is one of many that stand for each other (rpm 6).
	Several bool

	packet *packet.Signature
	suffix []byte // hashed after what is signed
	fault  error  // why it cannot be verified, whatever the key
	hash   hash.Hash
	sum    []byte
}

// signatureTags are the fields that hold signatures, and what they sign.
var signatureTags = []struct {
	tag     Tag
	payload bool
}{{tagOpenPGP, false}, {tagRSAHeader, false}, {tagDSAHeader, false}, {tagPGP, true}, {tagGPG, true}}

// signatures returns what a signature header carries. Where it has signatures
// in the form of rpm 6, the older forms are passed over, as rpm 6 does.
func signatures(h *Header) ([]*Signature, error) {
	var list []*Signature
	for _, text := range h.Strings(tagOpenPGP) {
		s := &Signature{Several: true}
		raw, err := base64.StdEncoding.DecodeString(text)
		if s.fault = err; err == nil {
			s.read(raw)
		}
		list = append(list, s)
	}
	if len(list) > maxSignatures {
		return nil, fmt.Errorf("%d signatures are more than the %d allowed", len(list), maxSignatures)
	}
	if len(list) > 0 {
		return list, nil
	}
	for _, t := range signatureTags {
		if raw := h.Bytes(t.tag); raw != nil {
			s := &Signature{Payload: t.payload}
			s.read(raw)
			list = append(list, s)
		}
	}
	return list, nil
}

// read takes the signature packet apart.
func (s *Signature) read(raw []byte) {
	body, err := packetBody(raw)
	if err != nil {
		s.fault = err
		return
	}
	if len(body) > 0 && body[0] == 3 {
		if body, s.suffix, err = upgrade(body); err != nil {
			s.fault = err
			return
		}
	}
	p, err := packet.Read(bytes.NewReader(wrap(body)))
	if err != nil {
		s.fault = err
		return
	}
	var ok bool
	if s.packet, ok = p.(*packet.Signature); !ok {
		s.fault = errors.New("not a signature")
		return
	}
	if s.packet.SigType != packet.SigTypeBinary {
		s.fault = fmt.Errorf("of type %d, not of a file", s.packet.SigType)
		return
	}
	if s.suffix == nil {
		s.suffix = s.packet.HashSuffix
	}
	s.hash, s.fault = s.packet.PrepareVerify()
}

// packetBody returns the body of the one packet that raw holds (RFC 4880, 4.2).
func packetBody(raw []byte) ([]byte, error) {
	errPacket := errors.New("not one OpenPGP signature packet")
	if len(raw) < 2 || raw[0]&0x80 == 0 {
		return nil, errPacket
	}
	tag, size, head := raw[0]>>2&0xf, uint64(0), 0
	if raw[0]&0x40 == 0 {
		switch raw[0] & 3 {
		case 0:
			size, head = uint64(raw[1]), 2
		case 1:
			head = 3
		case 2:
			head = 5
		case 3:
			return nil, errPacket
		}
	} else {
		tag = raw[0] & 0x3f
		switch {
		case raw[1] < 192:
			size, head = uint64(raw[1]), 2
		case raw[1] < 224 && len(raw) > 2:
			size, head = uint64(raw[1]-192)<<8+uint64(raw[2])+192, -3
		case raw[1] == 255:
			head = 6
		}
	}
	switch {
	case head > 2 && len(raw) >= head:
		start := 1
		if head == 6 {
			start = 2
		}
		for _, b := range raw[start:head] {
			size = size<<8 | uint64(b)
		}
	case head == -3:
		head = 3
	}
	if tag != 2 || head < 2 || len(raw) < head || uint64(len(raw)-head) != size {
		return nil, errPacket
	}
	return raw[head:], nil
}

// wrap puts a header before the body of a signature packet.
func wrap(body []byte) []byte {
	raw := binary.BigEndian.AppendUint32([]byte{0xc2, 0xff}, uint32(len(body)))
	return append(raw, body...)
}

// upgrade writes a signature packet of version 3 (RFC 4880, 5.2.2) as one of
// version 4, and returns what version 3 hashes after the signed bytes.
// go-crypto reads no version 3, but what is verified with a key, a sum and
// numbers, is the same in both.
func upgrade(body []byte) (v4, suffix []byte, err error) {
	const size = 1 + 1 + 5 + 8 + 2 + 2
	if len(body) < size || body[1] != 5 {
		return nil, nil, errors.New("the signature packet of version 3 is too short")
	}
	suffix, keyID, algorithms, rest := body[2:7], body[7:15], body[15:17], body[17:]
	v4 = []byte{4, suffix[0], algorithms[0], algorithms[1]}
	v4 = append(v4, 0, 6, 5, 2) // a hashed part of 6 bytes: the time of signing
	v4 = append(v4, suffix[1:]...)
	v4 = append(v4, 0, 10, 9, 16) // an unhashed part of 10 bytes: the key
	v4 = append(v4, keyID...)
	return append(v4, rest...), suffix, nil
}

// finish ends the hash of what is signed.
func (s *Signature) finish() {
	if s.fault == nil {
		s.hash.Write(s.suffix)
		s.sum = s.hash.Sum(nil)
	}
}

// KeyID names the key that signed: 16 digits, or "" where it is not told.
func (s *Signature) KeyID() string {
	if s.packet == nil || s.packet.IssuerKeyId == nil {
		return ""
	}
	return fmt.Sprintf("%016X", *s.packet.IssuerKeyId)
}

// name tells which signature of a package is spoken of.
func (s *Signature) name() string {
	if id := s.KeyID(); id != "" {
		return "the signature by key " + id
	}
	return "a signature"
}

// ErrUnknownKey says that the keys at hand did not make a signature.
var ErrUnknownKey = errors.New("the key is not known")

// verify checks the signature with the keys of its ID and returns the one that
// made it.
func (s *Signature) verify(keys Keys) (*packet.PublicKey, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	if s.packet.IssuerKeyId == nil {
		return nil, errors.New("it does not tell its key")
	}
	err := ErrUnknownKey
	for _, key := range keys.ByID(*s.packet.IssuerKeyId) {
		if err = key.VerifySignature(summed{s.sum}, s.packet); err == nil {
			return key, nil
		}
	}
	return nil, err
}

// summed is a hash whose sum is known.
type summed struct{ sum []byte }

var _ hash.Hash = summed{}

func (s summed) Write(p []byte) (int, error) { return len(p), nil }
func (s summed) Sum(b []byte) []byte         { return append(b, s.sum...) }
func (s summed) Reset()                      {}
func (s summed) Size() int                   { return len(s.sum) }
func (s summed) BlockSize() int              { return 1 }
