package certificates

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the hash is a name, not a protection
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// An attribute is one part of a distinguished name (RFC 5280, 4.1.2.4).
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// subject returns the subject of a certificate, in DER (RFC 5280, 4.1). Package
// x509 refuses certificates that OpenSSL reads.
func subject(certificate []byte) ([]byte, error) {
	var outer, tbs, field asn1.RawValue
	if _, err := asn1.Unmarshal(certificate, &outer); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &tbs); err != nil {
		return nil, err
	}
	rest := tbs.Bytes
	// After the version, which may be missing: serial number, signature,
	// issuer, validity, subject.
	for left := 5; left > 0; {
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return nil, err
		}
		if field.Class == asn1.ClassUniversal {
			left--
		}
	}
	return field.FullBytes, nil
}

// subjectHash returns the number by which OpenSSL looks for a certificate, given
// in DER: the first four bytes, little endian, of the SHA-1 of its subject's
// canonical form (X509_NAME_hash_ex(3)).
func subjectHash(certificate []byte) (uint32, error) {
	name, err := subject(certificate)
	if err != nil {
		return 0, err
	}
	var sets []asn1.RawValue
	if rest, err := asn1.Unmarshal(name, &sets); err != nil || len(rest) > 0 {
		return 0, errNoCertificate
	}
	var form []byte
	for _, set := range sets {
		encoded, err := canonicalSet(set)
		if err != nil {
			return 0, err
		}
		form = append(form, encoded...)
	}
	sum := sha1.Sum(form) //nolint:gosec // see above
	return binary.LittleEndian.Uint32(sum[:]), nil
}

// canonicalSet returns the canonical form of a relative distinguished name.
func canonicalSet(set asn1.RawValue) ([]byte, error) {
	var members [][]byte
	for rest := set.Bytes; len(rest) > 0; {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, err
		}
		if text, ok := textOf(a.Value); ok {
			a.Value = asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagUTF8String, Bytes: []byte(canonicalText(text))}
		}
		member, err := asn1.Marshal(a)
		if err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	slices.SortFunc(members, bytes.Compare) // DER orders the members of a SET OF
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(members, nil)})
}

// tagUniversalString is a tag that package asn1 does not name.
const tagUniversalString = 28

// textOf returns the text of a value of the types that have a canonical form.
func textOf(v asn1.RawValue) (string, bool) {
	if v.Class != asn1.ClassUniversal {
		return "", false
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String:
		return string(v.Bytes), true
	case asn1.TagT61String: // read as Latin-1
		var b strings.Builder
		for _, c := range v.Bytes {
			b.WriteRune(rune(c))
		}
		return b.String(), true
	case asn1.TagBMPString:
		units := make([]uint16, len(v.Bytes)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(v.Bytes[2*i:])
		}
		return string(utf16.Decode(units)), true
	case tagUniversalString:
		runes := make([]rune, len(v.Bytes)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(v.Bytes[4*i:]))
		}
		return string(runes), true
	}
	return "", false
}

// canonicalText has no space around it, one between words, and small letters
// of ASCII.
func canonicalText(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }), " ")
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
