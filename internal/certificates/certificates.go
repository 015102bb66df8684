// Package certificates makes of a distribution's certificate authorities what
// programs look for: one bundle, and a folder of links by which OpenSSL finds
// an authority, as update-ca-certificates(8) and openssl-rehash(1) do, or the
// bundles of update-ca-trust(8).
package certificates

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// Where Debian's ca-certificates package and its kin have their files.
const (
	authorities = "/usr/share/ca-certificates"
	local       = "/usr/local/share/ca-certificates"
	folder      = "/etc/ssl/certs"
	bundle      = folder + "/ca-certificates.crt"
)

// IsSource says whether a file is one that Files makes bundles of.
func IsSource(name string) bool {
	return slices.ContainsFunc([]string{authorities, local, trustOfSystem, trustOfAdmin}, func(dir string) bool {
		return strings.HasPrefix(name, dir+"/")
	})
}

// maxCertificate bounds one file with a certificate, in bytes.
const maxCertificate = 1 << 20

// Files returns what update-ca-certificates makes of the authorities that a
// tree holds: the bundle, a link to each authority, the links by the hashes of
// their names, and Java's keystore where the tree has the hook for it; and what
// update-ca-trust makes of p11-kit's sources. None where the tree holds no
// authority. The nodes have no origin.
func Files(t *tree.Tree) ([]tree.Entry, error) {
	var all []byte
	links := map[string]string{} // by their names
	for _, dir := range []string{authorities, local} {
		paths, err := t.Glob(dir + "/**/*.crt")
		if err != nil {
			return nil, err
		}
		for _, name := range paths {
			at, err := t.Resolve(name)
			if err != nil || at.Node.Kind != tree.File {
				continue // a link to nothing
			}
			data, err := at.Node.ReadAll(maxCertificate)
			if err != nil {
				return nil, err
			}
			links[linkName(name)] = name
			if all = append(all, data...); !bytes.HasSuffix(data, []byte("\n")) && len(data) > 0 {
				all = append(all, '\n')
			}
		}
	}
	entries, err := extractTrust(t)
	if err != nil || len(links) == 0 {
		return entries, err
	}
	file := tree.NewFile(all, 0o644)
	entries = append(entries, tree.Entry{Path: bundle, Node: file})
	for name, target := range links {
		entries = append(entries, link(name, target))
	}
	authorities, err := read(t, links)
	if err != nil {
		return nil, err
	}
	entries = append(entries, hashes(authorities)...)
	if t.Exists(keystoreHook) {
		entries = append(entries, tree.Entry{Path: keystore, Node: tree.NewFile(debianKeystore(authorities), 0o644)})
	}
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries, nil
}

// link returns a link in the folder.
func link(name, target string) tree.Entry {
	return tree.Entry{Path: folder + "/" + name, Node: &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: target}}
}

// linkName is what update-ca-certificates calls the link to an authority.
func linkName(file string) string {
	name := strings.TrimSuffix(path.Base(file), ".crt")
	return strings.NewReplacer(" ", "_", "(", "=", ")", "=", ",", "_").Replace(name) + ".pem"
}

// read returns the certificate that each link leads to, in DER, nil where that
// is not exactly one.
func read(t *tree.Tree, links map[string]string) (map[string][]byte, error) {
	all := map[string][]byte{}
	for name, target := range links {
		at, err := t.Resolve(target)
		if err != nil {
			return nil, err
		}
		data, err := at.Node.ReadAll(maxCertificate)
		if err != nil {
			return nil, err
		}
		all[name] = single(data)
	}
	return all, nil
}

// hashes returns the links HASH.NUMBER to links, in the order of their names.
// Certificates that are the same have one.
func hashes(authorities map[string][]byte) []tree.Entry {
	var entries []tree.Entry
	number := map[uint32]int{}
	seen := map[[sha256.Size]byte]bool{}
	for _, name := range slices.Sorted(maps.Keys(authorities)) {
		hash, err := subjectHash(authorities[name])
		sum := sha256.Sum256(authorities[name])
		if err != nil || seen[sum] {
			continue // what is no certificate OpenSSL does not find either
		}
		seen[sum] = true
		entries = append(entries, link(fmt.Sprintf("%08x.%d", hash, number[hash]), name))
		number[hash]++
	}
	return entries
}

// single returns the certificate of a file that holds exactly one, in DER, else
// nil.
func single(data []byte) []byte {
	var found []byte
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return found
		}
		if block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
			continue
		}
		if found != nil {
			return nil
		}
		found = block.Bytes
	}
}
