package certificates

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/internal/source/host"
	"smith/internal/tree"
)

// certificate makes an authority with a subject.
func certificate(t testing.TB, subject pkix.RDNSequence) []byte {
	t.Helper()
	raw, err := asn1.Marshal(subject)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{RawSubject: raw, SerialNumber: big.NewInt(1), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// name returns a subject of one attribute for each value.
func name(values ...any) pkix.RDNSequence {
	var all pkix.RDNSequence
	for i, v := range values {
		all = append(all, pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, 3 + 7*i}, Value: v}})
	}
	return all
}

func raw(tag int, text string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassUniversal, Tag: tag, Bytes: []byte(text)}
}

// subjects are names in every form that is met, and odd ones.
func subjects() map[string]pkix.RDNSequence {
	return map[string]pkix.RDNSequence{
		"printable": name("Some Authority", "ACME"),
		"utf8":      name("Főtanúsítvány  ÉRTÉK"),
		"spaces":    name("  Two   Spaces\t and a tab  ", "x"),
		"ia5":       name(raw(asn1.TagIA5String, "Mail@Example.ORG")),
		"t61":       name(raw(asn1.TagT61String, "Caf\xe9 LATIN")),
		"bmp":       name(raw(asn1.TagBMPString, "\x00A\x00 \x00 \x01\x51\x00B")),
		"universal": name(raw(tagUniversalString, "\x00\x00\x00A\x00\x00\x01\x51")),
		"numeric":   name(raw(18, "123 45")),
		"several in one": {{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "B"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "A"},
		}},
		"empty": {},
	}
}

func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// openssl is the judge of the hash.
func TestSubjectHash(t *testing.T) {
	openssl := need(t, "openssl")
	for what, subject := range subjects() {
		t.Run(what, func(t *testing.T) {
			data := certificate(t, subject)
			cmd := exec.Command(openssl, "x509", "-noout", "-subject_hash")
			cmd.Stdin = bytes.NewReader(data)
			want, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("openssl: %v: %s", err, want)
			}
			got, err := subjectHash(single(data))
			if err != nil || fmt.Sprintf("%08x\n", got) != string(want) {
				t.Errorf("%08x, %v, openssl says %s", got, err, want)
			}
		})
	}
}

// The machine's own authorities, and some that are odd, come out as
// update-ca-certificates makes them.
func TestAsUpdateCACertificates(t *testing.T) {
	update := need(t, "update-ca-certificates")
	need(t, "openssl")
	root := t.TempDir()
	for _, dir := range []string{authorities, local, folder, "/hooks"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, data []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	system, err := filepath.Glob(authorities + "/mozilla/*.crt")
	if err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	add := func(name string, data []byte) {
		write(authorities+"/"+name, data)
		fmt.Fprintln(&conf, name)
	}
	for _, name := range system {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		add("mozilla/"+filepath.Base(name), data)
	}
	one := certificate(t, name("one"))
	add("other/A (b), c.crt", one)
	add("other/no_newline.crt", bytes.TrimSpace(certificate(t, name("two"))))
	add("other/same_name.crt", certificate(t, name("ONE")))
	add("other/two_in_one.crt", append(bytes.Clone(one), certificate(t, name("three"))...))
	write(local+"/mine.crt", certificate(t, name("mine")))
	write(local+"/deep/mine.crt", one)
	write("/etc/ca-certificates.conf", []byte(conf.String()))
	out, err := exec.Command(update,
		"--certsconf", root+"/etc/ca-certificates.conf", "--certsdir", root+authorities,
		"--localcertsdir", root+local, "--etccertsdir", root+folder, "--hooksdir", root+"/hooks").CombinedOutput()
	if err != nil {
		t.Fatalf("update-ca-certificates: %v: %s", err, out)
	}
	want := map[string]string{}
	made, err := os.ReadDir(root + folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range made {
		at := filepath.Join(root+folder, e.Name())
		if target, err := os.Readlink(at); err == nil {
			want[e.Name()] = "-> " + strings.TrimPrefix(target, root)
		} else if data, err := os.ReadFile(at); err == nil {
			want[e.Name()] = string(data)
		}
	}
	source, err := host.Tree(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, files(t, source)); d != "" {
		t.Errorf("%d of the machine's (-update-ca-certificates +smith):\n%s", len(system), d)
	}
}

// files returns what Files makes, by name.
func files(t *testing.T, source *tree.Tree) map[string]string {
	t.Helper()
	entries, err := Files(source)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		name := strings.TrimPrefix(e.Path, folder+"/")
		if got[name] = "-> " + e.Node.Link; e.Node.Kind == tree.File {
			data, err := e.Node.ReadAll(1 << 24)
			if err != nil {
				t.Fatal(err)
			}
			got[name] = string(data)
		}
	}
	return got
}

func TestNoAuthorities(t *testing.T) {
	if got := files(t, tree.New()); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

// What is no certificate is told from one, whatever of its form is right.
func TestNoCertificate(t *testing.T) {
	encode := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := single(certificate(t, name("A")))
	numbers := [][]int{{1, 2, 3, 4, 5}}
	for what, der := range map[string][]byte{
		"something after it": append(bytes.Clone(good), 0x05, 0),
		"a number":           encode(7),
		"five fields":        encode(numbers),
	} {
		if _, err := parse(der); !errors.Is(err, errNoCertificate) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := subjectHash(encode(numbers)); !errors.Is(err, errNoCertificate) {
		t.Errorf("a subject that is a number: %v", err)
	}
}

func FuzzSubjectHash(f *testing.F) {
	for _, s := range subjects() {
		f.Add(single(certificate(f, s)))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		first, err := subjectHash(der)
		if again, _ := subjectHash(der); err == nil && first != again {
			t.Error("it is not one hash")
		}
	})
}
