package rpmfile

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"smith/internal/distro/openpgp"
)

// readKeys reads armoured public keys.
func readKeys(t testing.TB, files ...string) *openpgp.Keyring {
	t.Helper()
	var all []*openpgp.Keyring
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := openpgp.ReadKeyring(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, keys)
	}
	return openpgp.Join(all...)
}

// rpmVerdicts asks rpmkeys, which knows the keys of some files, about packages:
// "digests signatures OK", "digests SIGNATURES NOT OK", …
func rpmVerdicts(t *testing.T, keys, packages []string) map[string]string {
	t.Helper()
	tool, db := judge(t, "rpmkeys"), "--dbpath="+t.TempDir()
	command := exec.CommandContext(t.Context(), tool, append([]string{db, "--import"}, keys...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// It fails where one package is not good.
	out, err := exec.CommandContext(t.Context(), tool, append([]string{db, "--checksig"}, packages...)...).Output()
	if len(out) == 0 {
		t.Fatal(err)
	}
	verdicts := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, verdict, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			verdicts[name] = verdict
		}
	}
	return verdicts
}

// compareVerdicts compares what is accepted. An unsigned package passes
// rpmkeys by its digests alone.
func (l *library) compareVerdicts(t *testing.T, keys, packages []string) {
	t.Helper()
	verdicts, ring := rpmVerdicts(t, keys, packages), readKeys(t, keys...)
	for _, path := range packages {
		verdict, ok := verdicts[path]
		if !ok {
			t.Errorf("%s: rpmkeys says nothing", path)
			continue
		}
		p, err := l.open(t, path)
		if err == nil {
			_, err = p.Verify(ring)
		}
		got := "digests signatures OK"
		switch {
		case errors.Is(err, ErrUnsigned):
			got = "digests OK"
		case err != nil && !strings.Contains(err.Error(), "digest"):
			got = "digests SIGNATURES NOT OK"
		case err != nil:
			got = "DIGESTS"
		}
		if !strings.HasPrefix(verdict, got) && !(strings.HasPrefix(verdict, "DIGESTS") && err != nil) {
			t.Errorf("%s: %s (%v), rpmkeys says %s", path, got, err, verdict)
		}
	}
}

// compareSignatures compares verdicts on packages of format 4, most of them
// with signatures of version 3.
func (l *library) compareSignatures(t *testing.T) {
	keys := filepath.Join(l.dir, "keys/rpm-software-management+distribution-gpg-keys/keys")
	var packages []string
	for _, path := range l.paths {
		switch {
		case strings.HasSuffix(path, ".src.rpm"):
		case strings.Contains(path, "/v6/"): // rpm 4.18 does not see their signatures
		case strings.Contains(path, "ecdsa"): // nor verify these
		default:
			packages = append(packages, path)
		}
	}
	t.Run("with keys", func(t *testing.T) {
		l.compareVerdicts(t, []string{
			filepath.Join(l.dir, "rpm-repo/centos7-httpd/RPM-GPG-KEY-CentOS-7"),
			filepath.Join(keys, "opensuse/RPM-GPG-KEY-openSUSE"),
			filepath.Join(keys, "centos/RPM-GPG-KEY-CentOS-Official"),
		}, packages)
	})
	t.Run("with other keys", func(t *testing.T) {
		l.compareVerdicts(t, []string{filepath.Join(keys, "rocky/RPM-GPG-KEY-Rocky-9")}, packages)
	})
}

// signer makes keys and signs packages with gpg and rpmsign.
type signer struct{ home string }

func newSigner(t *testing.T) signer {
	t.Helper()
	judge(t, "gpg")
	home, err := os.MkdirTemp("", "gpg") //nolint:usetesting // a short name: gpg-agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop := exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent") // the test's context has ended
		if out, err := stop.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		os.RemoveAll(home)
	})
	return signer{home}
}

func (s signer) run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), judge(t, name), args...)
	command.Env = append(os.Environ(), "GNUPGHOME="+s.home, "HOME="+s.home)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// key makes a key and returns the file of its public part.
func (s signer) key(t *testing.T, name, algorithm string) string {
	t.Helper()
	s.run(t, "gpg", "--batch", "--passphrase", "", "--quick-generate-key", name+"@example.org", algorithm, "sign", "never")
	file := filepath.Join(s.home, name+".asc")
	if err := os.WriteFile(file, s.run(t, "gpg", "--armor", "--export", name+"@example.org"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// sign signs a copy of a package and returns its path.
func (s signer) sign(t *testing.T, path, key, hash string, options ...string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(s.home, strings.Join(append([]string{key, hash}, options...), "_")+".rpm")
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--define", "_gpg_name " + key + "@example.org", "--define", "_gpg_digest_algo " + hash,
		"--define", "__gpg " + judge(t, "gpg"), "--addsign",
	}
	s.run(t, "rpmsign", append(append(args, options...), to)...)
	return to
}

// TestVerifiesEachAlgorithm compares verdicts on packages signed with each
// kind of key and hash, over the header and over header and payload.
func TestVerifiesEachAlgorithm(t *testing.T) {
	unsigned := filepath.Join(testdata(t), "rpm/payload-compressors/payload-test-0.1-w9.gzdio.x86_64.rpm")
	s := newSigner(t)
	var keys, packages []string
	for name, algorithm := range map[string]string{"rsa": "rsa2048", "dsa": "dsa2048", "eddsa": "ed25519"} {
		keys = append(keys, s.key(t, name, algorithm))
		hashes := []string{"SHA256", "SHA512"}
		if name == "rsa" { // gpg does not sign with the others and SHA1
			hashes = append(hashes, "SHA1")
		}
		for _, hash := range hashes {
			packages = append(packages, s.sign(t, unsigned, name, hash), s.sign(t, unsigned, name, hash, "--rpmv3"))
		}
	}
	l := &library{store: openStore(t)}
	l.compareVerdicts(t, keys, packages)
	l.compareVerdicts(t, []string{s.key(t, "other", "rsa2048")}, packages)
	l.compareVerdicts(t, keys, tampered(t, packages))
}

// TestVerifiesECDSA checks what rpm 4.18 can neither sign nor verify.
func TestVerifiesECDSA(t *testing.T) {
	p, err := readFile(t, openStore(t), filepath.Join(testdata(t), "rpm/payload-compressors/empty-0.1-1.x86_64.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSigner(t)
	for _, curve := range []string{"nistp256", "nistp384", "nistp521"} {
		key := s.key(t, curve, curve)
		header := filepath.Join(s.home, "header")
		if err := os.WriteFile(header, p.Header.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		signature := s.run(t, "gpg", "--batch", "-u", curve+"@example.org", "--detach-sign", "--output", "-", header)
		signed := &Package{Header: p.Header, payloadSigned: true}
		signed.signatures, err = signatures(&Header{fields: map[Tag]field{tagDSAHeader: {kindBinary, 1, signature}}})
		if err != nil {
			t.Fatal(err)
		}
		signed.signatures[0].hash.Write(p.Header.raw)
		signed.signatures[0].finish()
		if _, err := signed.Verify(readKeys(t, key)); err != nil {
			t.Errorf("%s: %v", curve, err)
		}
		signed.signatures[0].sum[3] ^= 1
		if _, err := signed.Verify(readKeys(t, key)); err == nil {
			t.Errorf("%s: another header is accepted", curve)
		}
	}
}

// tampered returns copies of packages, each with one byte changed: in a
// signature, in the header, and in the payload.
func tampered(t *testing.T, packages []string) []string {
	t.Helper()
	var changed []string
	for _, path := range packages {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := bytes.LastIndex(data, []byte("payload-test\x00"))
		for what, at := range map[string]int{"header": name, "payload": len(data) - 30} {
			other := bytes.Clone(data)
			other[at] ^= 1
			file := strings.TrimSuffix(path, ".rpm") + "-" + what + ".rpm"
			if err := os.WriteFile(file, other, 0o600); err != nil {
				t.Fatal(err)
			}
			changed = append(changed, file)
		}
	}
	return changed
}

// TestVerifiesFormat6 checks signatures that rpm 4.18 does not see: it cannot
// judge, and the public keys of these packages are not at hand, so only what
// they carry is told.
func TestVerifiesFormat6(t *testing.T) {
	dir, st := filepath.Join(testdata(t), "rpm/v4-v6/v6/signed"), openStore(t)
	for _, path := range packageFiles(t, dir) {
		p, err := readFile(t, st, path)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.signatures) == 0 {
			t.Errorf("%s: no signatures", path)
		}
		if _, err := p.Verify(&openpgp.Keyring{}); err == nil {
			t.Errorf("%s: accepted without a key", path)
		}
	}
}
