package rpmfile

import (
	"crypto/md5"  //nolint:gosec // what old packages carry
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// A check is a digest that the package states, and the hash to compare.
type check struct {
	of     string // "header SHA256"
	stated string // in hex
	hash   hash.Hash
}

func (c check) done() error {
	if got := hex.EncodeToString(c.hash.Sum(nil)); !strings.EqualFold(got, c.stated) {
		return fmt.Errorf("its %s digest is %s, it says %.128s", c.of, got, c.stated)
	}
	return nil
}

func newSHA3() hash.Hash { return sha3.New256() }

// checkHeader checks the digests of the main header. They protect against
// damage only: who changes the header can change them.
func checkHeader(signature, header *Header) error {
	for _, d := range []struct {
		name string
		tag  Tag
		hash func() hash.Hash
	}{
		{"header SHA1", tagSHA1Header, sha1.New},
		{"header SHA256", tagSHA256Header, sha256.New},
		{"header SHA3-256", tagSHA3Header, newSHA3},
	} {
		if !signature.Has(d.tag) {
			continue
		}
		c := check{d.name, signature.String(d.tag), d.hash()}
		c.hash.Write(header.raw)
		if err := c.done(); err != nil {
			return err
		}
	}
	return nil
}

// payloadChecks returns the digests to compare the compressed payload with.
// signed says that the main header states one, so that a signature of the
// header covers the payload. MD5 is only asked where nothing better is there.
func payloadChecks(signature, header *Header) (checks []check, signed bool, err error) {
	for _, d := range []struct {
		name string
		tag  Tag
		hash func() hash.Hash
	}{
		{"payload SHA256", tagPayloadSHA256, sha256.New},
		{"payload SHA512", tagPayloadSHA512, sha512.New},
		{"payload SHA3-256", tagPayloadSHA3, newSHA3},
	} {
		if header.Has(d.tag) {
			checks = append(checks, check{d.name, header.String(d.tag), d.hash()})
		}
	}
	if len(checks) > 0 {
		return checks, true, nil
	}
	stated := signature.Bytes(TagMD5)
	if len(stated) == 0 {
		return nil, false, errors.New("it carries no digest of its payload")
	}
	c := check{"MD5", hex.EncodeToString(stated), md5.New()} //nolint:gosec // as above
	c.hash.Write(header.raw)
	return []check{c}, false, nil
}

// writers returns the hashes of checks.
func writers(checks []check) []io.Writer {
	list := make([]io.Writer, len(checks))
	for i, c := range checks {
		list[i] = c.hash
	}
	return list
}
