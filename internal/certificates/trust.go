package certificates

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// Where update-ca-trust(8) reads, the first before the second, and writes.
const (
	trustOfAdmin  = "/etc/pki/ca-trust/source"
	trustOfSystem = "/usr/share/pki/ca-trust-source"
	extracted     = "/etc/pki/ca-trust/extracted"
)

// maxTrust bounds one file of sources, in bytes: those that are shipped have
// about one million.
const maxTrust = 16 << 20

// Uses of a certificate (RFC 5280, 4.2.1.12), and OpenSSL's extension for those
// that it is refused for.
var (
	forServers    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	forClients    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	forCode       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	forEmail      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	extensionUses = asn1.ObjectIdentifier{2, 5, 29, 37}
	extensionBase = asn1.ObjectIdentifier{2, 5, 29, 19}
	extensionNot  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 3319, 6, 10, 1}
)

// An authority is a certificate with what is said of it.
type authority struct {
	*parsed
	label               string
	anchor, distrusted  bool
	allowed, notAllowed []asn1.ObjectIdentifier // allowed is nil where nothing is said
}

// vouches says whether the authority is trusted for a use.
func (a *authority) vouches(use asn1.ObjectIdentifier) bool {
	return a.anchor && !a.distrusted && a.authority() && !slices.ContainsFunc(a.notAllowed, use.Equal) &&
		(a.allowed == nil || slices.ContainsFunc(a.allowed, use.Equal))
}

// extractTrust returns what update-ca-trust makes of the sources that a tree
// holds: bundles for servers, mail and code, one for OpenSSL with what each is
// good for, and Java's keystore; a folder by hashes and UEFI's list where the
// distribution has the folder for them. None where there are no sources.
func extractTrust(t *tree.Tree) ([]tree.Entry, error) {
	list := newTrustList()
	for _, dir := range []string{trustOfAdmin, trustOfSystem} {
		for _, part := range []string{"", "/anchors", "/blacklist", "/blocklist"} {
			if err := list.readFolder(t, dir+part); err != nil {
				return nil, err
			}
		}
	}
	if len(list.all) == 0 {
		return nil, nil
	}
	list.finish()
	entries := []tree.Entry{{Path: extracted + "/openssl/ca-bundle.trust.crt", Node: tree.NewFile(list.forOpenSSL(), 0o444)}}
	for name, use := range map[string]asn1.ObjectIdentifier{"tls": forServers, "email": forEmail, "objsign": forCode} {
		entries = append(entries, tree.Entry{Path: extracted + "/pem/" + name + "-ca-bundle.pem", Node: tree.NewFile(list.bundle(use), 0o444)})
	}
	entries = append(entries, tree.Entry{Path: extracted + "/java/cacerts", Node: tree.NewFile(list.keystore(), 0o444)})
	if t.Exists(extracted + "/edk2") {
		entries = append(entries, tree.Entry{Path: extracted + "/edk2/cacerts.bin", Node: tree.NewFile(list.forUEFI(), 0o444)})
	}
	if t.Exists(hashed) {
		entries = append(entries, list.folder()...)
	}
	return entries, nil
}

// A trustList is the authorities of all sources, in their order.
type trustList struct {
	all   []*authority
	known map[string]*authority // by DER
	// extensions stand in for those of the certificates with a public key.
	extensions map[string][]pkix.Extension
	// distrusted are certificates that no source has, by issuer and number.
	distrusted map[string]bool
}

func newTrustList() *trustList {
	return &trustList{known: map[string]*authority{}, extensions: map[string][]pkix.Extension{}, distrusted: map[string]bool{}}
}

func (l *trustList) readFolder(t *tree.Tree, dir string) error {
	paths, err := t.Glob(dir + "/*")
	if err != nil {
		return err
	}
	for _, name := range paths {
		at, err := t.Resolve(name)
		if err != nil || at.Node.Kind != tree.File {
			continue // a folder, or a link to nothing
		}
		data, err := at.Node.ReadAll(maxTrust)
		if err != nil {
			return err
		}
		l.read(data, path.Base(dir))
	}
	return nil
}

// p11Header begins an object in the format that p11-kit keeps on disk.
const p11Header = "[p11-kit-object-v1]"

// read reads a file of a folder: objects of p11-kit, certificates in PEM, which
// may say as OpenSSL does what they are good for, or one in DER. What is none
// of them p11-kit passes over too.
func (l *trustList) read(data []byte, folder string) {
	if strings.HasPrefix(string(data), p11Header) || bytes.Contains(data, []byte("\n"+p11Header)) {
		for _, object := range strings.Split("\n"+string(data), "\n"+p11Header)[1:] {
			l.readObject(object)
		}
		return
	}
	add := func(der []byte) *authority {
		return l.add(&authority{anchor: folder == "anchors", distrusted: strings.HasSuffix(folder, "list")}, der)
	}
	found := false
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		found = true
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			add(block.Bytes)
		case "TRUSTED CERTIFICATE":
			var certificate asn1.RawValue
			after, err := asn1.Unmarshal(block.Bytes, &certificate)
			if a := add(certificate.FullBytes); err == nil && a != nil {
				a.readAuxiliary(after)
			}
		}
	}
	if !found {
		add(data)
	}
}

// readObject reads an object: fields, and a certificate or a public key.
func (l *trustList) readObject(text string) {
	fields := map[string]string{}
	plain, _, _ := strings.Cut(text, "-----BEGIN ")
	for line := range strings.Lines(plain) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if quoted := strings.Trim(value, `"`); quoted != value {
			var err error
			if value, err = url.PathUnescape(quoted); err != nil {
				return
			}
		}
		fields[key] = value
	}
	block, _ := pem.Decode([]byte(text[len(plain):]))
	distrusted := fields["x-distrusted"] == "true"
	switch {
	case fields["class"] == "x-certificate-extension":
		var extension pkix.Extension
		if _, err := asn1.Unmarshal([]byte(fields["value"]), &extension); err == nil && block != nil && block.Type == "PUBLIC KEY" {
			l.extensions[string(block.Bytes)] = append(l.extensions[string(block.Bytes)], extension)
		}
	case block != nil && block.Type == "CERTIFICATE":
		l.add(&authority{label: fields["label"], anchor: fields["trusted"] == "true", distrusted: distrusted}, block.Bytes)
	case distrusted:
		l.distrusted[fields["issuer"]+fields["serial-number"]] = true
	}
}

// add adds a certificate, in DER, unless it is there, and returns it; nil where
// it is no certificate.
func (l *trustList) add(a *authority, der []byte) *authority {
	var err error
	if a.parsed, err = parse(der); err != nil {
		return nil
	}
	if a.label == "" {
		a.label = a.commonName()
	}
	if b := l.known[string(der)]; b != nil {
		b.anchor, b.distrusted = b.anchor || a.anchor, b.distrusted || a.distrusted
		return b
	}
	l.all, l.known[string(der)] = append(l.all, a), a
	return a
}

// finish tells each authority what is said of its key, or what it says itself.
func (l *trustList) finish() {
	for _, a := range l.all {
		for _, e := range append(slices.Clone(l.extensions[string(a.key)]), a.extensions...) {
			var uses []asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(e.Value, &uses); err != nil {
				continue
			}
			switch {
			case e.Id.Equal(extensionUses) && a.allowed == nil:
				a.allowed = uses
			case e.Id.Equal(extensionNot) && a.notAllowed == nil:
				a.notAllowed = uses
			}
		}
		a.distrusted = a.distrusted || l.distrusted[string(a.issuer)+string(a.serial)]
	}
}

// bundle writes those that are trusted for a use.
func (l *trustList) bundle(use asn1.ObjectIdentifier) []byte {
	var parts [][]byte
	for _, a := range l.all {
		if a.vouches(use) {
			parts = append(parts, a.block("CERTIFICATE", a.der))
		}
	}
	return bytes.Join(parts, []byte("\n"))
}

// forOpenSSL writes all, each with what it is good for.
func (l *trustList) forOpenSSL() []byte {
	var parts [][]byte
	for _, a := range l.all {
		parts = append(parts, a.block("TRUSTED CERTIFICATE", append(slices.Clone(a.der), a.auxiliary()...)))
	}
	return bytes.Join(parts, []byte("\n"))
}

// block is the authority in a bundle, below its label.
func (a *authority) block(kind string, der []byte) []byte {
	return append([]byte("# "+a.label+"\n"), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
}

// keystore writes those that are trusted for servers, by their labels.
func (l *trustList) keystore() []byte {
	all := map[string][]byte{}
	for _, a := range l.all {
		if !a.vouches(forServers) {
			continue
		}
		name := strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' {
				return -1 // as p11-kit does
			}
			return r
		}, strings.ToLower(a.label))
		alias := name
		for n := 1; all[alias] != nil; n++ {
			alias = fmt.Sprintf("%s-%d", name, n)
		}
		all[alias] = a.der
	}
	return Keystore(all)
}
