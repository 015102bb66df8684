package certificates

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/internal/source/host"
	"smith/internal/tree"
)

// trustMade is a folder of sources in all forms: what is shipped, what the
// administrator adds, and what either takes away.
func trustMade(t *testing.T) string {
	t.Helper()
	one, two, three, four := trustRoot(t, "One"), trustRoot(t, "Two"), trustRoot(t, "Three"), trustRoot(t, "Four")
	five := certificate(t, name("Five")) // which may not sign others
	object := func(fields, block string) string { return p11Header + "\n" + fields + block + "\n" }
	uses := func(label, value string, of []byte) string {
		key := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(t, single(of)).key})
		return object("label: \""+label+"\"\nclass: x-certificate-extension\nobject-id: 2.5.29.37\nvalue: \""+value+"\"\n", string(key))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		trustOfSystem + "/bundle.p11-kit": "# shipped\n" +
			uses("One", "0 %06%03U%1d%25%01%01%ff%04%160%14%06%08%2b%06%01%05%05%07%03%04%06%08%2b%06%01%05%05%07%03%01", one) +
			object("label: \"One %26 only\"\ntrusted: true\n", string(one)) +
			object("label: \"Two\"\nx-distrusted: true\n", string(two)) +
			object("label: \"Three\"\ntrusted: true\n", string(three)) +
			object("label: \"Four\"\ntrusted: true\n", string(trustRoot(t, "Another"))) +
			object("label: \"Four\"\ntrusted: true\n", string(trustRoot(t, "Another"))) +
			object("label: \"Zw%c3%b6lf / (12)\"\ntrusted: true\n", string(trustRoot(t, "Twelve"))) +
			object("label: \"Five\"\ntrusted: true\n", string(five)),
		trustOfAdmin + "/anchors/four.pem":    "of the administrator\n" + string(four),
		trustOfAdmin + "/blocklist/three.pem": string(three),
		trustOfAdmin + "/note":                "nothing",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// trustRoot makes an authority that may sign others.
func trustRoot(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, SerialNumber: big.NewInt(7), NotAfter: time.Unix(1<<32, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func must(t *testing.T, der []byte) *parsed {
	t.Helper()
	c, err := parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trustShipped is the list of a real distribution.
func trustShipped(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set: no real list to read")
	}
	need(t, "rpm2cpio")
	to := t.TempDir()
	pattern := filepath.Join(dir, "rpm-repo/centos7-httpd/ca-certificates-*.rpm")
	unpack := exec.CommandContext(t.Context(), "sh", "-c", `cd "$0" && rpm2cpio `+pattern+` | cpio -idm --quiet "./usr/share/pki/*" "./etc/pki/ca-trust/source/*" && chmod -R a+rX .`, to)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// trustJudge is p11-kit's own tool, which reads the sources in a folder. It
// heeds a configuration of the user's only where that is not root.
func trustJudge(t *testing.T, dir string) func(args ...string) string {
	t.Helper()
	trust, out := need(t, "trust"), t.TempDir()
	module := fmt.Sprintf("module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths=%s:%s\n", dir+trustOfAdmin, dir+trustOfSystem)
	for name, text := range map[string]string{"pkcs11.conf": "user-config: only\n", "modules/p11-kit-trust.module": module} {
		file := filepath.Join(out, "pkcs11", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{filepath.Dir(out): 0o755, out: 0o777} { // another user writes
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	command := []string{trust}
	if os.Getuid() == 0 {
		command = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, command...)
	}
	return func(args ...string) string {
		file := filepath.Join(out, "out")
		all := append(slices.Concat(command, []string{"extract", "--overwrite"}, args), file)
		run := exec.CommandContext(t.Context(), all[0], all[1:]...)
		run.Env = append(os.Environ(), "HOME="+out, "XDG_CONFIG_HOME="+out)
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		defer os.RemoveAll(file)
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			return show(readFolder(t, file))
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

// readFolder returns the files and links of a folder.
func readFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if target, err := os.Readlink(name); err == nil {
			all[e.Name()] = "-> " + target
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// show writes files as text, by their names.
func show(files map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b.WriteString(name + " " + files[name] + "\n")
	}
	return b.String()
}

// lists are UEFI's signature lists, sorted.
func lists(data string) []string {
	parts := strings.Split(data, guidX509)
	slices.Sort(parts)
	return parts
}

// blocks are the parts of a bundle, sorted: the order is that in which a folder
// is read, which for p11-kit is the file system's.
func blocks(text string) []string {
	parts := strings.Split(text, "\n\n")
	for i := range parts {
		parts[i] = strings.TrimSuffix(parts[i], "\n")
	}
	slices.Sort(parts)
	return parts
}

// What is extracted is what p11-kit extracts, byte for byte.
func TestExtractsAsP11Kit(t *testing.T) {
	for name, of := range map[string]func(*testing.T) string{"made": trustMade, "shipped": trustShipped} {
		t.Run(name, func(t *testing.T) {
			dir := of(t)
			for _, folder := range []string{hashed, extracted + "/edk2"} {
				if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			source, err := host.Tree(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := Files(source)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, e := range entries {
				if e.Node.Kind == tree.Symlink {
					got[strings.TrimPrefix(e.Path, extracted+"/")] = "-> " + e.Node.Link
					continue
				}
				data, err := e.Node.ReadAll(maxTrust)
				if err != nil {
					t.Fatal(err)
				}
				got[strings.TrimPrefix(e.Path, extracted+"/")] = string(data)
			}
			judge := trustJudge(t, dir)
			for file, use := range map[string]string{"tls": "server-auth", "email": "email", "objsign": "code-signing"} {
				want := judge("--comment", "--format=pem-bundle", "--filter=ca-anchors", "--purpose", use)
				if d := cmp.Diff(blocks(want), blocks(got["pem/"+file+"-ca-bundle.pem"])); d != "" {
					t.Errorf("%s (-p11-kit +smith):\n%.2000s", use, d)
				}
			}
			want := judge("--comment", "--format=openssl-bundle", "--filter=certificates")
			if d := cmp.Diff(blocks(want), blocks(got["openssl/ca-bundle.trust.crt"])); d != "" {
				t.Errorf("openssl (-p11-kit +smith):\n%.2000s", d)
			}
			java := judge("--format=java-cacerts", "--filter=ca-anchors", "--purpose", "server-auth")
			if d := cmp.Diff(aliases(t, java), aliases(t, got["java/cacerts"])); d != "" {
				t.Errorf("java (-p11-kit +smith):\n%.2000s", d)
			}
			uefi := judge("--format=edk2-cacerts", "--filter=ca-anchors", "--purpose", "server-auth")
			if d := cmp.Diff(lists(uefi), lists(got["edk2/cacerts.bin"])); d != "" {
				t.Errorf("edk2 (-p11-kit +smith):\n%.2000s", d)
			}
			inFolder := map[string]string{}
			for name, text := range got {
				if name, ok := strings.CutPrefix(name, "pem/directory-hash/"); ok && !strings.HasSuffix(name, ".crt") {
					inFolder[name] = text
				}
			}
			if d := cmp.Diff(judge("--format=pem-directory-hash", "--filter=ca-anchors", "--purpose", "server-auth"), show(inFolder)); d != "" {
				t.Errorf("by hashes (-p11-kit +smith):\n%.2000s", d)
			}
			t.Logf("%d for servers", strings.Count(got["pem/tls-ca-bundle.pem"], "BEGIN"))
		})
	}
}

// aliases are the certificates of a keystore, which has the time at which it was
// made.
func aliases(t *testing.T, keystore string) map[string]string {
	t.Helper()
	r := bytes.NewReader([]byte(keystore[8:]))
	var count uint32
	read := func(to any) {
		if err := binary.Read(r, binary.BigEndian, to); err != nil {
			t.Fatal(err)
		}
	}
	text := func() string {
		var size uint16
		read(&size)
		b := make([]byte, size)
		read(b)
		return string(b)
	}
	read(&count)
	all := map[string]string{}
	for range count {
		var tag, size uint32
		var date uint64
		read(&tag)
		alias := text()
		read(&date)
		_ = text()
		read(&size)
		der := make([]byte, size)
		read(der)
		all[alias] = string(der)
	}
	return all
}

// A list is read whatever it holds.
func FuzzTrust(f *testing.F) {
	f.Add([]byte(p11Header+"\nlabel: \"x\"\nclass: x-certificate-extension\nvalue: \"0%00\"\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "anchors")
	f.Add([]byte("-----BEGIN TRUSTED CERTIFICATE-----\nMAA=\n-----END TRUSTED CERTIFICATE-----\n"), "")
	f.Add([]byte("0\x00"), "blocklist")
	f.Fuzz(func(t *testing.T, data []byte, folder string) {
		l := newTrustList()
		l.read(data, folder)
		l.finish()
		again := newTrustList()
		again.read(l.forOpenSSL(), "")
		if len(again.all) != len(l.all) {
			t.Errorf("%d of %d are read back", len(again.all), len(l.all))
		}
		l.bundle(forServers)
		l.keystore()
		l.folder()
		l.forUEFI()
	})
}

// Nothing is made where there are no sources.
func TestNoTrust(t *testing.T) {
	source := tree.New()
	if err := source.Insert(trustOfAdmin+"/README", tree.NewFile([]byte("text"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if got := files(t, source); len(got) > 0 {
		t.Errorf("made %v", slices.Sorted(maps.Keys(got)))
	}
}
