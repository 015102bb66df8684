package certificates

import (
	"crypto/md5" //nolint:gosec // the hash is a name, not a protection
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"strings"

	"smith/internal/tree"
)

// hashed is the folder that newer distributions have as /etc/ssl/certs.
const hashed = extracted + "/pem/directory-hash"

// folder is a folder of those that are trusted for servers, each in a file
// called by its label, with links by the hashes of its subject, as OpenSSL
// looks for them and as it did before 1.0; and the names that Debian's and
// older tools have for the bundle.
func (l *trustList) folder() []tree.Entry {
	var entries []tree.Entry
	taken := map[string]bool{}
	add := func(name string, n *tree.Node) {
		taken[name] = true
		entries = append(entries, tree.Entry{Path: hashed + "/" + name, Node: n})
	}
	leads := func(to string) *tree.Node { return &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: to} }
	free := func(form string, n int) string {
		for ; ; n++ {
			if name := fmt.Sprintf(form, n); !taken[name] {
				return name
			}
		}
	}
	for _, a := range l.all {
		if !a.vouches(forServers) {
			continue
		}
		base := fileName(a.label)
		file := base + ".pem"
		if taken[file] {
			file = free(base+".%d.pem", 1)
		}
		add(file, tree.NewFile(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.der}), 0o444))
		if sum, err := subjectHash(a.der); err == nil {
			add(free(fmt.Sprintf("%08x", sum)+".%d", 0), leads(file))
		}
		old := md5.Sum(a.subject) //nolint:gosec // likewise
		add(free(fmt.Sprintf("%08x", binary.LittleEndian.Uint32(old[:]))+".%d", 0), leads(file))
	}
	for _, name := range []string{"ca-bundle.crt", "ca-certificates.crt"} {
		add(name, leads("../tls-ca-bundle.pem"))
	}
	return entries
}

// fileName is what p11-kit calls the file of a label.
func fileName(label string) string {
	if label == "" {
		return "certificate"
	}
	var b strings.Builder
	for i := range len(label) {
		c := label[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// GUIDs of UEFI's signature lists, as they lie in memory: the type of an X.509
// certificate (UEFI 2.10, 32.4.1), and the owner that p11-kit names.
const (
	guidX509 = "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"
	guidP11  = "\x50\x3b\xdd\xdc\x05\xf4\xfd\x43\x96\xbe\xbd\x33\xb1\x73\x47\x76"
)

// forUEFI writes those that are trusted for servers as signature lists of one
// certificate each (EFI_SIGNATURE_LIST).
func (l *trustList) forUEFI() []byte {
	var data []byte
	for _, a := range l.all {
		if !a.vouches(forServers) {
			continue
		}
		const header = len(guidX509) + 3*4
		size := uint32(len(guidP11) + len(a.der))
		data = append(data, guidX509...)
		for _, n := range []uint32{uint32(header) + size, 0, size} {
			data = binary.LittleEndian.AppendUint32(data, n)
		}
		data = append(append(data, guidP11...), a.der...)
	}
	return data
}
