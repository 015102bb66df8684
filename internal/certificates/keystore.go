package certificates

import (
	"crypto/sha1" //nolint:gosec // what the form asks for; a digest under a public password vouches for nothing
	"crypto/x509"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf16"
)

// Where Debian's ca-certificates-java has its files: the hook says that the
// keystore is wanted.
const (
	keystoreHook = "/etc/ca-certificates/update.d/jks-keystore"
	keystore     = folder + "/java/cacerts"
)

// keystorePassword is the one under which every Java reads its authorities.
const keystorePassword = "changeit"

// Keystore writes certificates, in DER, by their aliases in the form that Java
// reads by itself: a "JKS" of trusted certificates, as keytool(1) makes it. All
// have the date 0.
func Keystore(certificates map[string][]byte) []byte {
	const magic, version, trusted = 0xfeedfeed, 2, 2
	b := binary.BigEndian.AppendUint32(nil, magic)
	b = binary.BigEndian.AppendUint32(b, version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(certificates)))
	for _, alias := range slices.Sorted(maps.Keys(certificates)) {
		der := certificates[alias]
		b = binary.BigEndian.AppendUint32(b, trusted)
		b = appendUTF(b, strings.ToLower(alias))
		b = binary.BigEndian.AppendUint64(b, 0)
		b = appendUTF(b, "X.509")
		b = binary.BigEndian.AppendUint32(b, uint32(len(der)))
		b = append(b, der...)
	}
	h := sha1.New() //nolint:gosec // see the import
	for _, unit := range utf16.Encode([]rune(keystorePassword)) {
		h.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(b)
	return h.Sum(b)
}

// debianKeystore is what the hook's jar makes of the authorities by their
// links.
func debianKeystore(authorities map[string][]byte) []byte {
	all := map[string][]byte{}
	for name, der := range authorities {
		if _, err := x509.ParseCertificate(der); err == nil {
			all["debian:"+name] = der
		}
	}
	return Keystore(all)
}

// appendUTF appends a text as Java's DataOutput.writeUTF does, cut where its
// length would not fit: each unit of UTF-16 by itself, and 0 in two bytes.
func appendUTF(b []byte, text string) []byte {
	var units []byte
	for _, u := range utf16.Encode([]rune(text)) {
		switch {
		case u != 0 && u < 0x80:
			units = append(units, byte(u))
		case u < 0x800:
			units = append(units, 0xc0|byte(u>>6), 0x80|byte(u&0x3f))
		default:
			units = append(units, 0xe0|byte(u>>12), 0x80|byte(u>>6&0x3f), 0x80|byte(u&0x3f))
		}
		if len(units) > math.MaxUint16-3 {
			break
		}
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(units))), units...)
}
