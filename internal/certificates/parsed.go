package certificates

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
)

// A parsed certificate is what matters for trust of one (RFC 5280, 4.1).
// Package x509 refuses certificates that OpenSSL and p11-kit read.
type parsed struct {
	der, serial, issuer, subject, key []byte
	extensions                        []pkix.Extension
	first                             bool // version 1, which has no extensions
}

// errNoCertificate says that bytes are no certificate. It is passed over, as
// OpenSSL and p11-kit do.
var errNoCertificate = errors.New("it is no certificate")

// parse reads a certificate in DER.
func parse(der []byte) (*parsed, error) {
	var outer, tbs asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return nil, errNoCertificate
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &tbs); err != nil {
		return nil, err
	}
	c := &parsed{der: der, first: true}
	var fields []asn1.RawValue
	for rest := tbs.Bytes; len(rest) > 0; {
		var field asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return nil, err
		}
		switch {
		case field.Class == asn1.ClassUniversal:
			fields = append(fields, field)
		case field.Tag == 0:
			c.first = false
		case field.Tag == 3:
			if _, err := asn1.Unmarshal(field.Bytes, &c.extensions); err != nil {
				return nil, err
			}
		}
	}
	if len(fields) != 6 { // serial number, signature, issuer, validity, subject, key
		return nil, errNoCertificate
	}
	c.serial, c.issuer, c.subject, c.key = fields[0].FullBytes, fields[2].FullBytes, fields[4].FullBytes, fields[5].FullBytes
	return c, nil
}

// authority says whether the certificate may sign others.
func (c *parsed) authority() bool {
	for _, e := range c.extensions {
		if e.Id.Equal(extensionBase) {
			var base struct {
				CA     bool `asn1:"optional"`
				MaxLen int  `asn1:"optional,default:-1"`
			}
			_, err := asn1.Unmarshal(e.Value, &base)
			return err == nil && base.CA
		}
	}
	return c.first && bytes.Equal(c.issuer, c.subject)
}

// commonName is the last of the subject's, or "".
func (c *parsed) commonName() string {
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.subject, &subject); err != nil {
		return ""
	}
	var name pkix.Name
	name.FillFromRDNSequence(&subject)
	return name.CommonName
}

// An auxiliary is what OpenSSL puts behind a certificate (X509_CERT_AUX in its
// x_x509a.c).
type auxiliary struct {
	Trust  []asn1.ObjectIdentifier `asn1:"optional,omitempty"`
	Reject []asn1.ObjectIdentifier `asn1:"optional,omitempty,tag:0"`
	Alias  string                  `asn1:"optional,utf8,omitempty"`
}

// refused are the uses that nobody may have of what is distrusted.
func refused() []asn1.ObjectIdentifier {
	ipsec := func(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, n} }
	return []asn1.ObjectIdentifier{forServers, forClients, forCode, forEmail, ipsec(5), ipsec(6), ipsec(7), ipsec(8)}
}

// auxiliary is what OpenSSL reads of the uses of an authority.
func (a *authority) auxiliary() []byte {
	aux := auxiliary{Reject: a.notAllowed, Alias: a.label}
	switch {
	case a.distrusted:
		aux.Reject = append(slices.Clone(a.notAllowed), refused()...)
	case a.anchor:
		aux.Trust = a.allowed
	}
	der, err := asn1.Marshal(aux)
	if err != nil { // a label that is no UTF-8
		aux.Alias = ""
		der, _ = asn1.Marshal(aux) // identifiers that were read can be written
	}
	return der
}

// readAuxiliary takes over what OpenSSL has behind a certificate.
func (a *authority) readAuxiliary(der []byte) {
	var aux auxiliary
	if _, err := asn1.Unmarshal(der, &aux); err != nil {
		return
	}
	a.anchor = a.anchor || len(aux.Trust) > 0
	if a.allowed = aux.Trust; len(aux.Reject) > 0 {
		a.notAllowed = aux.Reject
	}
	if aux.Alias != "" {
		a.label = aux.Alias
	}
}
